//! The `misfit` command as the manual describes it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SAFE: &str = "\t.text\n\tmovl\t%eax, (%rdi)\n";
const UNSAFE: &str = "\t.text\n\tnop\n\tsyscall\n";

fn misfit(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_misfit"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("misfit starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may end without reading its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("misfit ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = files
        .map(|file| {
            file.expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn it_reads_and_writes_the_named_files() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("victim.s"), SAFE).expect("a file");
    fs::write(folder.path().join("victim.misfit"), "old").expect("a file");
    let run = misfit(
        &["-wc", "-i", "victim.s", "-o", "victim.misfit"],
        folder.path(),
        "",
    );
    assert!(run.status.success(), "{}", text(&run.stderr));
    let written = fs::read_to_string(folder.path().join("victim.misfit")).expect("a file");
    assert_eq!(written, "\t.text\n\tmovl %eax, %gs:(%edi)\n");
    assert_eq!(names(folder.path()), ["victim.misfit", "victim.s"]);
}

#[test]
fn it_is_a_filter_by_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = misfit(&["-crws"], folder.path(), SAFE);
    assert!(run.status.success());
    assert_eq!(text(&run.stdout), "\t.text\n\tmovl %eax, %gs:(%edi)\n");
    assert_eq!(text(&run.stderr), "");
}

#[test]
fn a_refused_input_leaves_the_output_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("bad.s"), UNSAFE).expect("a file");
    fs::write(folder.path().join("out"), "old").expect("a file");
    let run = misfit(&["-crws", "-i", "bad.s", "-o", "out"], folder.path(), "");
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(
        text(&run.stderr),
        "bad.s:3: error: a graft makes no system calls\n\tsyscall\nbad.s:3: advice: call a \
         GRAFT_CALLABLE function instead\nmisfit: 1 error, nothing was written\n"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("out")).expect("a file"),
        "old"
    );
    assert_eq!(names(folder.path()), ["bad.s", "out"]);
}

#[test]
fn the_input_is_not_replaced_by_the_output() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("in.s"), SAFE).expect("written");
    let refused = misfit(&["-crws", "-i", "in.s", "-o", "./in.s"], folder.path(), "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("in.s is the input: name another file with -o"));
    let kept = fs::read_to_string(folder.path().join("in.s")).expect("it is there");
    assert_eq!(kept, SAFE);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = misfit(&["-c", "-i", "absent.s"], folder.path(), "");
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).starts_with("misfit: cannot read absent.s: "));
    let run = misfit(&["-c", "-o", "no/such/folder"], folder.path(), SAFE);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).starts_with("misfit: cannot write no/such/folder: "));
}

#[test]
fn a_device_is_written_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = misfit(&["-c", "-o", "/dev/null"], folder.path(), SAFE);
    assert!(run.status.success(), "{}", text(&run.stderr));
}

#[test]
fn a_command_line_mistake_is_status_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = misfit(&[], folder.path(), SAFE);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("no protection is asked for: give -crws for all of them"));
    let run = misfit(&["-x"], folder.path(), SAFE);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("unknown option -x"));
}

#[test]
fn help_names_every_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = misfit(&["-h"], folder.path(), "");
    assert!(run.status.success());
    for flag in ["-c", "-r", "-w", "-s", "-i", "-o", "-fno-ipa-ra", "-fPIC"] {
        assert!(text(&run.stdout).contains(flag), "{flag}");
    }
}

#[test]
fn what_is_no_assembly_is_turned_away_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let once = misfit(
        &["-crws"],
        folder.path(),
        "\t.type f, @function\nf:\n\tret\n",
    );
    let cases = [
        ("", "1: error: the input is empty"),
        (
            "#include <stdio.h>\nint main(void) {\n",
            "1: error: this is a source program",
        ),
        (
            "fn main() {\n    f();\n}\n",
            "1: error: this is a source program",
        ),
        (text(&once.stdout), "error: already instrumented"),
    ];
    for (input, sentence) in cases {
        let run = misfit(&["-crws"], folder.path(), input);
        assert!(!run.status.success(), "{input}");
        let errors = text(&run.stderr);
        assert!(errors.contains(sentence), "{errors}");
        assert!(
            errors.contains("misfit: 1 error, nothing was written"),
            "{errors}"
        );
    }
    let intel = misfit(&["-crws"], folder.path(), "\t.intel_syntax noprefix\n");
    assert!(text(&intel.stderr).contains("misfit reads AT&T syntax"));
    for (bytes, sentence) in [
        (
            &b"\x7fELF\x02\x01\x01\xff"[..],
            "an object file: misfit reads what",
        ),
        (&b"\xff\xfe"[..], "not text: misfit reads what"),
    ] {
        fs::write(folder.path().join("a.o"), bytes).expect("a file");
        let run = misfit(&["-crws", "-i", "a.o"], folder.path(), "");
        assert!(
            text(&run.stderr).contains(sentence),
            "{}",
            text(&run.stderr)
        );
    }
}
