//! The child process that runs the kernels as native code.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::failure::{Exit, Failure};

/// A running `native.c`; ends with its input.
#[derive(Debug)]
pub(super) struct Native {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What the child answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// How long it took, in nanoseconds.
    pub(super) ns: f64,
    /// What it computed.
    pub(super) checksum: u64,
}

impl Native {
    /// Starts the program.
    pub(super) fn start(program: &Path) -> Result<Native, Failure> {
        let failed = |error| Failure::from_error("cannot run the native kernels", &error);
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let requests = child.stdin.take();
        let answers = child.stdout.take().ok_or_else(Native::is_gone)?;
        Ok(Native {
            child,
            requests,
            answers: BufReader::new(answers),
        })
    }

    /// Asks for one measurement and waits for it.
    pub(super) fn ask(&mut self, request: &str) -> Result<Answer, Failure> {
        let requests = self.requests.as_mut().ok_or_else(Native::is_gone)?;
        // Not `?`: a broken pipe of standard output is success, this one is not.
        writeln!(requests, "{request}").map_err(|_| Native::is_gone())?;
        requests.flush().map_err(|_| Native::is_gone())?;
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        read.map_err(|_| Native::is_gone())?;
        let mut words = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(ns)), Some(Ok(checksum))) = (words.next(), words.next()) else {
            return Err(Native::is_gone());
        };
        Ok(Answer {
            ns: super::float(ns),
            checksum,
        })
    }

    fn is_gone() -> Failure {
        Failure::new(
            Exit::Error,
            "the process with the native kernels ended early",
        )
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // The end of its input ends the child; how it ends no longer matters.
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broken pipe used to count as a reader of standard output that had seen enough.
    #[test]
    fn a_child_that_is_gone_is_an_error() {
        let mut native = Native::start(Path::new("true")).expect("a program that ends at once");
        native.child.wait().expect("a child");
        let failure = native.ask("run fib 1").expect_err("nobody answers");
        assert_eq!(failure.exit, Exit::Error);
    }
}
