//! The makefile of the SDK's examples: by hand, with `misfit` as a command, the same code comes
//! out as from `vinoctl graft build`, because the flags are the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vino_toolchain::{BuildError, Recipe};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Every example, relative to their folder.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["", "hostile"] {
        for entry in fs::read_dir(examples().join(folder)).expect("the examples") {
            let name = PathBuf::from(entry.expect("an entry of the examples").file_name());
            let extension = name.extension().and_then(|extension| extension.to_str());
            if extension.is_some_and(|known| ["c", "C", "rs"].contains(&known)) {
                found.push(Path::new(folder).join(name));
            }
        }
    }
    found
}

/// The instrumented assembly of a source, from the crate that `vinoctl` builds with.
fn by_toolchain(source: &Path, compiler: Option<&str>) -> Result<String, BuildError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    vino_toolchain::build(&Recipe {
        sources: &[examples().join(source)],
        compiler,
        compiler_flags: &[],
        protections: &misfit::Options::ALL,
        temps_folder: Some(folder.path()),
    })?;
    let name = Path::new(source.file_stem().expect("a name")).with_extension("misfit");
    Ok(fs::read_to_string(folder.path().join(name)).expect("the kept assembly"))
}

/// Assembly without the directives that tell the path of the source.
fn without_paths(assembly: &str) -> Vec<&str> {
    let lines = assembly.lines();
    lines
        .filter(|line| !line.trim_start().starts_with(".file"))
        .collect()
}

/// Makes everything and compares it with the toolchain's.
fn make_and_compare(compilers: &[&str], c_compiler: Option<&str>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = format!("OUT={}", folder.path().display());
    let mut make = Command::new("make");
    for variable in ["CC", "CXX", "RUSTC", "MAKEFLAGS", "MFLAGS"] {
        make.env_remove(variable);
    }
    let make = make.arg("-C").arg(examples()).args(compilers).arg(out);
    let made = make.arg(concat!("MISFIT=", env!("CARGO_BIN_EXE_misfit")));
    let made = made.output().expect("make starts");
    let messages = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{messages}");
    assert_eq!(messages, "", "compilers have nothing to say");
    let path_of = |source: &Path, extension: &str| {
        let name = format!("{}.{extension}", source.display());
        folder.path().join(name)
    };
    for source in sources() {
        let object = fs::read(path_of(&source, "o")).expect("each source has an object");
        assert_eq!(object.get(..4), Some(&b"\x7fELF"[..]));
        let by_hand = fs::read_to_string(path_of(&source, "misfit")).expect("the assembly");
        let built = by_toolchain(&source, c_compiler).expect("the toolchain builds examples");
        let name = source.display();
        let same = without_paths(&by_hand) == without_paths(&built);
        assert!(same, "{name} is not what `vinoctl graft build` makes");
    }
}

#[test]
fn the_examples_are_made_as_vinoctl_makes_them() {
    assert!(sources().len() > 20);
    make_and_compare(&["CC=gcc", "CXX=g++"], None);
}

#[test]
fn the_examples_are_made_with_clang() {
    make_and_compare(&["CC=clang", "CXX=clang++"], Some("clang"));
}
