//! The command line: every noun, verb and flag, as clap reads them.
//!
//! Commands are `noun verb`. Flags win over `VINOCTL_*` variables, which win over defaults. What
//! a command does lives in `cmd/<noun>.rs`.

mod verbs;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::verbs::{
    BenchArgs, BuildArgs, CreateArgs, DisasmArgs, GenerateArgs, GraftVerb, KernelVerb, LoadArgs,
    LogVerb, Pattern, PointVerb, PolicyArg, RunVerb, SubmitArgs, Suite, TraceFormatArg, TraceVerb,
    VerifyArgs,
};
use crate::output::Format;

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 error, 2 usage, 3 not found, 4 graft rejected, 5 run ended with a graft
removed for misbehaving (or a replay that differs is 1), 6 timeout, 7 cannot connect,
130 interrupted.";

/// Builds, verifies and loads grafts; submits, watches and replays runs on vinod.
#[derive(Debug, Parser)]
#[command(name = "vinoctl", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Globals {
    /// Socket of the daemon [default: where vinod listens by default]
    #[arg(long, global = true, env = "VINOCTL_SOCKET", value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// Output format: table, json, jsonl or name; a verb that writes a file also takes its path
    #[arg(short, long, global = true, value_name = "FORMAT", value_parser = parse_output)]
    pub(crate) output: Vec<OutputArg>,

    /// Give up after this long, for example 500ms, 30s, 5m [default: 60s, none for long work]
    #[arg(long, global = true, env = "VINOCTL_TIMEOUT", value_name = "TIME",
          value_parser = parse_time)]
    pub(crate) timeout: Option<Duration>,
}

/// One value of `-o`: a format, or the file that a verb such as `graft build` writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutputArg {
    /// How data is printed.
    Format(Format),
    /// Where the product goes.
    File(PathBuf),
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole system at work: a real trace, a graft, hostile grafts, a replay
    Demo,
    /// Kernel functions that a graft may replace
    #[command(subcommand)]
    Point(PointVerb),
    /// Untrusted native code that replaces kernel policy
    #[command(subcommand)]
    Graft(GraftVerb),
    /// Page-access traces that workloads follow
    #[command(subcommand)]
    Trace(TraceVerb),
    /// Simulated kernels
    #[command(subcommand)]
    Kernel(KernelVerb),
    /// Executions of a workload on a kernel
    #[command(subcommand)]
    Run(RunVerb),
    /// What a run recorded
    #[command(subcommand)]
    Log(LogVerb),
    /// Measure the sandbox and the kernel beside their baselines, in this process
    Bench(BenchArgs),
    /// Print the versions of vinoctl and, when it runs, of the daemon
    Version,
}

impl Globals {
    /// The output format: the last one given.
    pub(crate) fn format(&self) -> Format {
        let formats = self.output.iter().rev().filter_map(|arg| match arg {
            OutputArg::Format(format) => Some(*format),
            OutputArg::File(_) => None,
        });
        formats.into_iter().next().unwrap_or(Format::Table)
    }

    /// The output file: the last one given.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        self.output.iter().rev().find_map(|arg| match arg {
            OutputArg::Format(_) => None,
            OutputArg::File(path) => Some(path),
        })
    }
}

impl Command {
    /// True for the verbs that write a file, whose `-o` may name it.
    pub(crate) fn writes_file(&self) -> bool {
        matches!(
            self,
            Command::Graft(GraftVerb::Build(_)) | Command::Trace(TraceVerb::Generate(_))
        )
    }

    /// True for work that may rightly take longer than a request.
    pub(crate) fn is_long(&self) -> bool {
        match self {
            Command::Demo | Command::Bench(_) => true,
            Command::Trace(
                TraceVerb::Import { .. } | TraceVerb::Optimum { .. } | TraceVerb::Generate(_),
            ) => true,
            Command::Run(RunVerb::Watch(_) | RunVerb::Replay(_)) => true,
            Command::Run(RunVerb::Submit(submit)) => submit.watch,
            _ => false,
        }
    }
}

fn parse_output(value: &str) -> Result<OutputArg, String> {
    match Format::from_str(value, false) {
        Ok(format) => Ok(OutputArg::Format(format)),
        Err(_) if value.is_empty() => Err("empty".to_string()),
        Err(_) => Ok(OutputArg::File(PathBuf::from(value))),
    }
}

fn parse_time(value: &str) -> Result<Duration, String> {
    let unit_at = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (digits, unit) = value.split_at(unit_at);
    let advice = || "not a time: write a number and ms, s, m or h, for example 30s".to_string();
    let n: u64 = digits.parse().map_err(|_| advice())?;
    let milliseconds = match unit {
        "ms" => Some(n),
        "s" => n.checked_mul(1_000),
        "m" => n.checked_mul(60_000),
        "h" => n.checked_mul(3_600_000),
        _ => return Err(advice()),
    };
    match milliseconds {
        None => Err("too long".to_string()),
        Some(0) => Err("zero: nothing can be done in no time".to_string()),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_output_value_is_a_format_or_else_a_file() {
        let cli = Cli::parse_from([
            "vinoctl", "graft", "build", "a.C", "-o", "a.o", "-o", "json",
        ]);
        assert_eq!(cli.globals.format(), Format::Json);
        assert_eq!(cli.globals.file(), Some(&PathBuf::from("a.o")));
        assert!(cli.command.writes_file());
    }

    #[test]
    fn times_need_a_unit_and_a_positive_number() {
        assert_eq!(parse_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "0s",
            "99999999999999999999h",
            "1d",
        ] {
            assert!(parse_time(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
