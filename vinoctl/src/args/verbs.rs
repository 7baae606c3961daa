//! The verbs of each noun, with their arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, value_parser};

use super::parse_time;

/// The most requests of a generated trace, so that it fits in memory.
const GENERATED_REQUESTS_MAX: i64 = 100_000_000;

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
    /// Make an object of C, C++, Rust or assembly: compile, instrument, assemble, link
    Build(BuildArgs),
    /// Check an object as the daemon would, here, without loading it
    Verify(VerifyArgs),
    /// List the instructions of an object with what instrumentation and rules are on them
    Disasm(DisasmArgs),
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
    /// Source files: .c is C; .C, .cc, .cpp, .cxx are C++; .rs is Rust; .s is a compiler's assembly
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<PathBuf>,
    /// Folder in which C and C++ sources look for headers
    #[arg(short = 'I', value_name = "FOLDER")]
    pub(crate) include: Vec<PathBuf>,
    /// Compiler [default: $CC or gcc for C, $CXX or g++ for C++, $RUSTC or rustc for Rust]
    #[arg(long, value_name = "COMMAND")]
    pub(crate) compiler: Option<String>,
    /// Protections misfit inserts: c calls and returns, r reads, w writes, s stack
    #[arg(long, value_name = "FLAGS", default_value = "crws")]
    pub(crate) protect: String,
    /// Keep each source's assembly before (.s) and after (.misfit) misfit beside the object
    #[arg(long)]
    pub(crate) save_temps: bool,
    /// Further flags for the C and C++ compilers, or for rustc if all sources are Rust, after `--`
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
    /// Explain each violation, or what an accepted object consists of
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Arguments of `graft disasm`.
#[derive(Debug, Args)]
pub(crate) struct DisasmArgs {
    /// The object file
    pub(crate) object: PathBuf,
    /// Only this function, as the object or a C++ reader names it [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) symbol: Option<String>,
    /// Judge as a kernel that accepts objects without read protection
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
    /// Count the faults that cannot be avoided: those of a policy that knows the future (Belady)
    Optimum {
        /// Name of the trace
        trace: String,
        /// Frames of physical memory
        #[arg(long)]
        frames: u32,
    },
    /// Delete a trace that no stored run needs for its replay
    Delete {
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
    #[arg(long, default_value_t = 1_000_000,
          value_parser = value_parser!(u32).range(1..=GENERATED_REQUESTS_MAX))]
    pub(crate) requests: u32,
    /// How many distinct pages at most
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..))]
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
    /// Delete a run that is over, with its log
    Delete(RunArg),
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
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
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
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=101))]
    pub(crate) repetitions: u32,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Code in a sandbox, calls into it and out of it, faults, loading.
    Sandbox,
    /// Runs of a trace.
    Run,
    /// Calls by a process that may make no system call; a part of `sandbox` starts it.
    #[value(hide = true)]
    SystemCalls,
}
