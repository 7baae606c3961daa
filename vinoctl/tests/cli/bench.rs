//! Running the built `vinoctl`, with or without a daemon.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What a command said and how it ended.
pub(crate) struct Ran {
    /// The command line, for messages.
    pub(crate) line: String,
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Checks the exit code.
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Checks that standard error says all of `parts`.
    pub(crate) fn says(self, parts: &[&str]) -> Ran {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not said: {self}");
        }
        self
    }

    /// Checks that standard output shows all of `parts`.
    pub(crate) fn shows(self, parts: &[&str]) -> Ran {
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?} is not shown: {self}");
        }
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("{error}: {self}"),
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ran {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(f, "`{line}` exited with {code}\n{stdout}\n{stderr}")
    }
}

/// A folder to run `vinoctl` in, gone after the test.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    socket: PathBuf,
}

impl Bench {
    /// A fresh folder, without a daemon.
    pub(crate) fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("vinod.sock");
        Bench { folder, socket }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The socket on which `vinoctl` looks for a daemon.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Writes a file in the folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), bytes).expect("a file in the temporary folder");
    }

    /// Runs `vinoctl` with the words of `line`.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_vinoctl"));
        command.args(line.split_whitespace());
        ran(line, command)
    }

    /// Runs a tool of the system, which must succeed.
    pub(crate) fn tool(&self, line: &str) {
        let mut words = line.split_whitespace();
        let mut command = self.command(words.next().expect("a program"));
        command.args(words);
        ran(line, command).exits(0);
    }

    /// Builds a graft from source text with `vinoctl graft build`.
    pub(crate) fn build(&self, file_name: &str, source: &str, flags: &str) -> String {
        self.write(file_name, source);
        let object = Path::new(file_name)
            .with_extension("o")
            .display()
            .to_string();
        self.run(&format!("graft build {file_name} -o {object} {flags}"))
            .exits(0);
        object
    }

    /// A command that runs in the folder and is not disturbed by the caller's environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env("VINOCTL_SOCKET", &self.socket);
        for variable in ["VINOCTL_KERNEL", "VINOCTL_TIMEOUT", "CC", "CXX", "RUSTC"] {
            command.env_remove(variable);
        }
        command
    }
}

fn ran(line: &str, mut command: Command) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    Ran {
        line: line.to_string(),
        code: status.code().expect("an exit, not a signal"),
        stdout: String::from_utf8(stdout).expect("text"),
        stderr: String::from_utf8(stderr).expect("text"),
    }
}

/// A C graft that serves `vas_o::pick_victim` by agreeing with the kernel.
pub(crate) const AGREES: &str = "\
#include \"graft-support.h\"
status_t vas_o__pick_victim(vas_o *vas, list_o *opt_pages, coremap_entry_o *proposed,
                            coremap_entry_o **my_choice) {
    *my_choice = proposed;
    return SUCCESS;
}
";
