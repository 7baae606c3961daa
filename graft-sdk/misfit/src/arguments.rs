//! The command line, in the syntax of the manual: flags may be bundled, as in `-wc` or `-crws`.

use std::ffi::OsString;
use std::path::PathBuf;

use misfit::Options;

pub(crate) const USAGE_LINE: &str =
    "usage: misfit [-crws] [-i input_file] [-o output_file]; misfit -h explains";

pub(crate) const HELP: &str = "\
usage: misfit [-crws] [-i input_file] [-o output_file]

Instruments x86-64 assembly (AT&T syntax, from gcc, clang or rustc) for grafting.

  -c  insert indirect-call protection code (calls, jumps and returns)
  -r  insert read protection code
  -w  insert write protection code
  -s  insert stack protection code
  -i  read this file instead of standard input
  -o  write this file instead of standard output; it appears only when complete
  -h  print this help
  -V  print the version

A kernel accepts all four (-crws) by default. Compile with
  -O2 -fPIC -fno-plt -fno-stack-protector -fno-exceptions -fno-rtti
  -fcf-protection=none -mno-mmx -mno-avx512f, and for gcc -fno-ipa-ra
because %r11 is scratch in every return. For example:
  g++ -O2 -fPIC -fno-ipa-ra -fno-exceptions -fno-rtti -S victim.C -o victim.s
  misfit -crws -i victim.s -o victim.misfit
  as victim.misfit -o victim.o

Exit status: 0 written, 1 the input cannot be made safe or a file failed, 2 usage.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Instrument(Job),
    Help,
    Version,
}

/// One run of the rewriter.
#[derive(Debug, Default)]
pub(crate) struct Job {
    pub(crate) options: Options,
    pub(crate) input: Option<PathBuf>,
    pub(crate) output: Option<PathBuf>,
}

/// Why a command line is not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ArgumentError {
    #[error("unknown option -{0}")]
    Unknown(String),
    #[error("unexpected argument {0}: name the input with -i and the output with -o")]
    Unexpected(String),
    #[error("option -{0} needs a file name")]
    NoFile(char),
    #[error("option -{0} is given twice")]
    Twice(char),
    #[error("no protection is asked for: give -crws for all of them")]
    NoProtection,
}

pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, ArgumentError> {
    let mut arguments = arguments;
    let mut job = Job::default();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        let flags = match text.as_ref() {
            "--help" => "h",
            "--version" => "V",
            text => text
                .strip_prefix('-')
                .filter(|flags| !flags.is_empty())
                .ok_or_else(|| ArgumentError::Unexpected(text.to_owned()))?,
        };
        for (at, flag) in flags.char_indices() {
            match flag {
                'c' => job.options.indirect_calls = true,
                'r' => job.options.reads = true,
                'w' => job.options.writes = true,
                's' => job.options.stack = true,
                'h' => return Ok(Command::Help),
                'V' => return Ok(Command::Version),
                'i' | 'o' => {
                    let attached = &flags[at + 1..];
                    let file = if attached.is_empty() {
                        arguments.next()
                    } else {
                        Some(attached.into())
                    };
                    let file = file.filter(|file| !file.is_empty());
                    let file = file.ok_or(ArgumentError::NoFile(flag))?;
                    let slot = if flag == 'i' {
                        &mut job.input
                    } else {
                        &mut job.output
                    };
                    if slot.replace(file.into()).is_some() {
                        return Err(ArgumentError::Twice(flag));
                    }
                    break;
                }
                _ => return Err(ArgumentError::Unknown(flags[at..].to_owned())),
            }
        }
    }
    if job.options == Options::default() {
        return Err(ArgumentError::NoProtection);
    }
    Ok(Command::Instrument(job))
}

#[cfg(test)]
mod tests {
    use super::{ArgumentError, Command, parse};
    use misfit::Options;

    fn run(line: &str) -> Result<Command, ArgumentError> {
        parse(line.split_ascii_whitespace().map(Into::into))
    }

    #[test]
    fn flags_bundle_as_in_the_manual() {
        let Ok(Command::Instrument(job)) = run("-wc -i victim.s -o victim.misfit") else {
            panic!("the manual's example is understood");
        };
        let expected = Options {
            indirect_calls: true,
            writes: true,
            ..Options::default()
        };
        assert_eq!(job.options, expected);
        assert_eq!(job.input.as_deref(), Some("victim.s".as_ref()));
        assert_eq!(job.output.as_deref(), Some("victim.misfit".as_ref()));
    }

    #[test]
    fn a_file_name_may_be_attached_to_its_flag() {
        let Ok(Command::Instrument(job)) = run("-crwsiin -oout") else {
            panic!("attached names are understood");
        };
        assert_eq!(job.options, Options::ALL);
        assert_eq!(job.input.as_deref(), Some("in".as_ref()));
        assert_eq!(job.output.as_deref(), Some("out".as_ref()));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |line| run(line).expect_err("is a mistake");
        assert_eq!(error(""), ArgumentError::NoProtection);
        assert_eq!(error("-i x"), ArgumentError::NoProtection);
        assert_eq!(error("-cx"), ArgumentError::Unknown("x".into()));
        assert_eq!(error("-c -i"), ArgumentError::NoFile('i'));
        assert_eq!(error("-c -i a -i b"), ArgumentError::Twice('i'));
        assert_eq!(
            error("-c victim.s"),
            ArgumentError::Unexpected("victim.s".into())
        );
    }
}
