//! The headers that grafts include: they compile cleanly, and read the page view as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The C and C++ compilers to try, each with its language standard.
const COMPILERS: &[(&str, &str, &str)] = &[
    ("gcc", "-std=c99", "c"),
    ("clang", "-std=c99", "c"),
    ("g++", "-std=c++11", "C"),
    ("clang++", "-std=c++11", "C"),
];

/// gcc compiles everybody's grafts, so it has to be there; clang does not.
fn is_installed(compiler: &str) -> bool {
    let found = Command::new(compiler).arg("--version").output().is_ok();
    assert!(
        found || compiler.starts_with("clang"),
        "{compiler} is not installed"
    );
    if !found {
        eprintln!("skipped: {compiler} is not installed");
    }
    found
}

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example grafts with an extension, those of `hostile` included.
fn examples(extension: &str) -> Vec<PathBuf> {
    let folder = sdk().join("examples");
    let files = [folder.clone(), folder.join("hostile")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).expect("the examples are readable"))
        .map(|entry| entry.expect("the examples are readable").path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn compile(compiler: &str, arguments: &[&str], source: &Path) -> Output {
    let language = if compiler.ends_with("++") { "c++" } else { "c" };
    Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fPIC"])
        .args(arguments)
        .arg("-I")
        .arg(sdk().join("include"))
        .args(["-x", language])
        .arg(source)
        .output()
        .expect("the compiler runs")
}

#[test]
fn every_example_compiles_without_a_warning() {
    let available = COMPILERS.iter().filter(|(name, _, _)| is_installed(name));
    for (compiler, standard, extension) in available {
        let examples = examples(extension);
        assert!(examples.len() >= 3, "only {} *.{extension}", examples.len());
        for example in examples {
            let arguments = [standard, "-O2", "-ffreestanding", "-S", "-o", "/dev/null"];
            let output = compile(compiler, &arguments, &example);
            let report = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{compiler}: {report}");
        }
    }
}

#[test]
fn an_interface_header_alone_says_what_to_include() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("graft.C");
    fs::write(&source, "#include \"../interface/vm.H\"\n").expect("writable");
    let output = compile("g++", &["-fsyntax-only"], &source);
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        report.contains("include graft-support.H instead of an interface header"),
        "{report}"
    );
}

#[test]
fn the_header_of_the_other_language_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("graft.c");
    for (compiler, header, message) in [
        ("gcc", "graft-support.H", "include graft-support.h in C"),
        ("g++", "graft-support.h", "include graft-support.H in C++"),
    ] {
        fs::write(&source, format!("#include \"{header}\"\n")).expect("writable");
        let output = compile(compiler, &["-fsyntax-only"], &source);
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(report.contains(message), "{report}");
    }
}

#[test]
fn a_default_in_the_notation_of_the_manual_compiles_and_defines_no_graft_point() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("graft.C");
    let text = "#include \"graft-support.H\"\n\
        DEFAULT_GRAFT(vas_o, pick_victim, (list_o<coremap_entry_o *> *,\n\
            coremap_entry_o *proposed_victim, coremap_entry_o **my_choice)) {\n\
            *my_choice = proposed_victim;\n\
            return (SUCCESS);\n\
        }\n";
    fs::write(&source, text).expect("writable");
    let output = compile("g++", &["-S", "-o", "-"], &source);
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let assembly = String::from_utf8_lossy(&output.stdout);
    assert!(
        assembly.contains("_ZN5vas_o20_default_pick_victim"),
        "{assembly}"
    );
    assert!(!assembly.contains("_ZN5vas_o11pick_victim"), "{assembly}");
}

/// Compiles and runs a program of `tests/view`, which answers 0 or the line of a failed check.
fn run_program(compiler: &str, standard: &str, extension: &str, level: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join("program");
    let path = program.to_str().expect("UTF-8");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/view/view");
    let source = source.with_extension(extension);
    let output = compile(compiler, &[standard, level, "-o", path], &source);
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {level}: {report}");
    let status = Command::new(&program).status().expect("the program runs");
    let line = status.code();
    assert_eq!(line, Some(0), "{compiler} {level}: view.{extension}");
}

#[test]
fn accessors_read_the_page_view_in_every_language_and_at_every_level() {
    let available = COMPILERS.iter().filter(|(name, _, _)| is_installed(name));
    for (compiler, standard, extension) in available {
        for level in ["-O0", "-O2", "-O3"] {
            run_program(compiler, standard, extension, level);
        }
    }
}

#[test]
fn c_grafts_at_no_optimisation_call_the_kernel_by_the_names_it_knows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("graft.c");
    let text = "#include \"graft-support.h\"\n\
        status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed,\n\
            coremap_entry_o **my_choice) {\n\
            vm_offset_t pa;\n\
            (void)self;\n\
            (void)opt_pages;\n\
            *my_choice = proposed;\n\
            if (coremap_entry_o__get_pagestate(proposed) == PAGE_WIRED)\n\
                return ENOTFOUND;\n\
            return vm_offset_t__bsd_pmap_extract(coremap_entry_o__get_pa(proposed), &pa);\n\
        }\n";
    fs::write(&source, text).expect("writable");
    let output = compile("gcc", &["-O0", "-S", "-o", "-"], &source);
    let assembly = String::from_utf8_lossy(&output.stdout);
    let calls = assembly.lines().filter_map(|line| {
        let target = line.trim().strip_prefix("call")?.trim();
        let target = target.strip_suffix("@PLT").unwrap_or(target);
        target.contains("__").then(|| target.to_owned())
    });
    let expected = [
        "coremap_entry_o__get_pagestate",
        "coremap_entry_o__get_pa",
        "vm_offset_t__bsd_pmap_extract",
    ];
    assert_eq!(calls.collect::<Vec<_>>(), expected);
    assert!(output.status.success());
}
