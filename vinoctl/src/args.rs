//! The command line: every noun, verb and flag, as clap reads them.
//!
//! Commands are `noun verb`. Flags win over `VINOCTL_*` variables, which win over defaults. What
//! a command does lives in `cmd/<noun>.rs`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::Format;

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 error, 2 usage, 3 not found, 4 graft rejected, 5 run ended with a graft
removed for misbehaving (or a replay that differs is 1), 6 timeout, 7 cannot connect.";

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

/// Verbs of `point`.
#[derive(Debug, Subcommand)]
pub(crate) enum PointVerb {
    /// List the graft points
    List,
    /// Show one graft point: its arguments, its default, what it defends against
    Get {
        /// Name of the point, for example vas_o::pick_victim
        point: String,
    },
}

/// Verbs of `graft`.
#[derive(Debug, Subcommand)]
pub(crate) enum GraftVerb {
    /// Compile a C or C++ source, instrument it with misfit and assemble it
    Build(BuildArgs),
    /// Check an object as the daemon would, here, without loading it
    Verify(VerifyArgs),
    /// Load an object on a graft point of a process
    Load(LoadArgs),
    /// List the grafts of a kernel
    List(KernelArg),
    /// Show one graft
    Get(GraftArg),
    /// Unload a graft: the kernel's default serves again
    Unload(GraftArg),
}

/// Arguments of `graft build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// Source file: .c is C; .C, .cc, .cpp, .cxx are C++; .s is a compiler's assembly
    pub(crate) source: PathBuf,
    /// Compiler [default: $CC or gcc for C, $CXX or g++ for C++]
    #[arg(long, value_name = "COMMAND")]
    pub(crate) compiler: Option<String>,
    /// Protections misfit inserts: c calls and returns, r reads, w writes, s stack
    #[arg(long, value_name = "FLAGS", default_value = "crws")]
    pub(crate) protect: String,
    /// Keep the assembly before (.s) and after (.misfit) misfit beside the object
    #[arg(long)]
    pub(crate) save_temps: bool,
    /// Further flags for the compiler, after `--`
    #[arg(last = true, value_name = "COMPILER FLAGS")]
    pub(crate) compiler_flags: Vec<String>,
}

/// Arguments of `graft verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The object file
    pub(crate) object: PathBuf,
    /// Demand that the object serves this graft point
    #[arg(long, value_name = "POINT")]
    pub(crate) point: Option<String>,
    /// Accept an object without read protection, as a kernel created so does
    #[arg(long)]
    pub(crate) without_read_protection: bool,
}

/// Arguments of `graft load`.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Name of the graft point, for example vas_o::pick_victim
    pub(crate) point: String,
    /// The object file
    pub(crate) object: PathBuf,
    #[command(flatten)]
    pub(crate) kernel: KernelArg,
    /// Process whose policy is replaced [default: the kernel's only process]
    #[arg(long)]
    pub(crate) process: Option<String>,
    /// Name of the graft [default: the object's file name without .o]
    #[arg(long)]
    pub(crate) name: Option<String>,
}

/// A graft of a kernel.
#[derive(Debug, Args)]
pub(crate) struct GraftArg {
    /// Name of the graft
    pub(crate) graft: String,
    #[command(flatten)]
    pub(crate) kernel: KernelArg,
}

/// The kernel a command is about.
#[derive(Debug, Args)]
pub(crate) struct KernelArg {
    /// Name of the kernel [default: the daemon's only kernel]
    #[arg(long, env = "VINOCTL_KERNEL")]
    pub(crate) kernel: Option<String>,
}

/// Verbs of `trace`.
#[derive(Debug, Subcommand)]
pub(crate) enum TraceVerb {
    /// Upload a trace: plain page ids, ARC .lis or oracleGeneral, each plain or .zst
    Import {
        /// The trace file
        file: PathBuf,
        /// Name of the trace [default: the file's name up to the first dot]
        #[arg(long)]
        name: Option<String>,
        /// Format of the file [default: told by its name]
        #[arg(long, value_enum)]
        format: Option<TraceFormatArg>,
    },
    /// List the daemon's traces
    List,
    /// Show one trace
    Info {
        /// Name of the trace
        trace: String,
    },
    /// Write a synthetic trace of page ids to standard output or to the file of -o
    Generate(GenerateArgs),
}

/// Arguments of `trace generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The pattern of accesses
    #[arg(value_enum)]
    pub(crate) pattern: Pattern,
    /// How many requests
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) requests: u32,
    /// How many distinct pages at most
    #[arg(long, default_value_t = 10_000)]
    pub(crate) pages: u32,
    /// Seed of the generator: the same seed gives the same trace
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// A file format of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormatArg {
    /// One decimal page id a line.
    Pages,
    /// The ARC authors' format: `start count ignored request`.
    ArcLis,
    /// libCacheSim's binary format.
    OracleGeneral,
}

/// A pattern of synthetic accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pattern {
    /// All pages in order, again and again: the worst case of recency.
    Loop,
    /// Every page as likely as every other.
    Uniform,
    /// Sequential runs, some of which come back, as disks see them.
    Disk,
}

/// Verbs of `kernel`.
#[derive(Debug, Subcommand)]
pub(crate) enum KernelVerb {
    /// Create a kernel
    Create(CreateArgs),
    /// List the daemon's kernels
    List,
    /// Show one kernel
    Get {
        /// Name of the kernel
        kernel: String,
    },
    /// Delete a kernel and its grafts; its runs stay
    Delete {
        /// Name of the kernel
        kernel: String,
    },
}

/// Arguments of `kernel create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Name of the kernel
    pub(crate) kernel: String,
    /// Frames of physical memory
    #[arg(long)]
    pub(crate) frames: u32,
    /// A process of the kernel; give it once for each
    #[arg(long = "process", value_name = "NAME", default_value = "main")]
    pub(crate) processes: Vec<String>,
    /// What the kernel evicts by default
    #[arg(long, value_enum, default_value = "clock")]
    pub(crate) policy: PolicyArg,
    /// Frames between the hands of the clock [default: all frames]
    #[arg(long)]
    pub(crate) handspread: Option<u32>,
    /// Pages of swap space [default: the daemon's]
    #[arg(long)]
    pub(crate) swap_pages: Option<u64>,
    /// Pages are anonymous memory: modified from their first touch on
    #[arg(long)]
    pub(crate) anonymous: bool,
    /// Free frames below which the pageout daemon wakes (0: evict on demand)
    #[arg(long, default_value_t = 0)]
    pub(crate) free_min: u32,
    /// Free frames that the pageout daemon restores
    #[arg(long, default_value_t = 0)]
    pub(crate) free_target: u32,
    /// How long one invocation of a graft may take [default: the daemon's]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) graft_deadline: Option<Duration>,
    /// Accept grafts built without read protection (misfit without -r)
    #[arg(long)]
    pub(crate) without_read_protection: bool,
}

/// What a kernel evicts by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyArg {
    /// The two-handed clock.
    Clock,
    /// The least recently used page.
    Lru,
}

/// Verbs of `run`.
#[derive(Debug, Subcommand)]
pub(crate) enum RunVerb {
    /// Submit a run of a trace on a kernel
    Submit(SubmitArgs),
    /// Follow a run until it ends
    Watch(RunArg),
    /// Show one run
    Get(RunArg),
    /// List runs, newest first
    List(KernelArg),
    /// Execute a stored run again and compare every event
    Replay(RunArg),
    /// Stop a run
    Cancel(RunArg),
}

/// Arguments of `run submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) kernel: KernelArg,
    /// What a process does, as [PROCESS=]TRACE; give it once for each process
    #[arg(long = "trace", value_name = "[PROCESS=]TRACE", required = true)]
    pub(crate) workloads: Vec<String>,
    /// Record the life of the run only, not its evictions
    #[arg(long)]
    pub(crate) no_eviction_log: bool,
    /// Leave the kernel's grafts out: its defaults serve everything
    #[arg(long)]
    pub(crate) without_grafts: bool,
    /// Seed of everything random in the run
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Follow the run until it ends
    #[arg(long)]
    pub(crate) watch: bool,
}

/// A run.
#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// Identifier of the run
    pub(crate) run: String,
}

/// Verbs of `log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogVerb {
    /// Transactions of grafts: commits and aborts, with reasons
    Txn(LogArgs),
    /// Evictions: who proposed what, and what was evicted
    Evictions(LogArgs),
}

/// Arguments of both logs.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Identifier of the run
    pub(crate) run: String,
    /// Start at this event number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(crate) from: u64,
    /// Print at most this many entries
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    pub(crate) suite: Option<Suite>,
    /// Trace of the run benchmark, of page ids, plain or .zst [default: ARC P6 when
    /// $VINO_SHARED/traces has it, otherwise a generated trace of the same shape]
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// How often each measurement is repeated; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=101))]
    pub(crate) repetitions: u32,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Calls into a graft and out of it.
    Sandbox,
    /// Runs of a trace.
    Run,
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
            Command::Trace(TraceVerb::Import { .. } | TraceVerb::Generate(_)) => true,
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
