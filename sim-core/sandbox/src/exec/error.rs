//! Why the host could not make or run a sandbox: never the graft's fault.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};

use super::config::ConfigError;
use crate::verify::Rejection;

/// The process cannot run grafts at all.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A signal handler could not be installed.
    #[error("cannot install the handler of signal {signal}")]
    Handler {
        /// The signal.
        signal: i32,
        /// What the system said.
        source: io::Error,
    },
    /// Every real-time signal already has a handler.
    #[error("no real-time signal is free to end grafts at their deadline; free one of 34..=64")]
    NoFreeSignal,
    /// The watchdog thread did not start.
    #[error("cannot start the watchdog thread")]
    Watchdog {
        /// What the system said.
        source: io::Error,
    },
    /// The C library does not tell of forks, after which grafts would have no deadline.
    #[error("cannot register handlers of fork")]
    Fork {
        /// What the system said.
        source: io::Error,
    },
    /// The system makes executable whatever is readable, the data of a graft included.
    #[error(
        "memory that can be read can be executed here (READ_IMPLIES_EXEC), so a graft could run \
             its data; link the program with -z noexecstack"
    )]
    ReadableIsExecutable,
    /// The processor checks returns against a shadow stack, which leaving a graft would break.
    #[error(
        "the shadow stack is on, and ending a graft early would break it; turn it off with \
             GLIBC_TUNABLES=glibc.cpu.x86_shstk=off"
    )]
    ShadowStack,
}

/// The system refused memory that a sandbox needs.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// Address space for more sandboxes could not be reserved.
    #[error(
        "cannot reserve {bytes} bytes of address space; raise the limit on virtual memory \
             (ulimit -v)"
    )]
    AddressSpace {
        /// How much was asked for.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The process holds as many sandboxes as its address space can.
    #[error("the process already has {max} sandboxes; drop one first")]
    TooManySandboxes {
        /// How many there may be.
        max: usize,
    },
    /// The process has as many mappings as the system lets it have.
    #[error(
        "cannot map the {area} of a sandbox: the process has {mappings} mappings of \
             {mappings_max} (vm.max_map_count), a sandbox takes about five; drop sandboxes, or \
             raise the limit with sysctl -w vm.max_map_count=N"
    )]
    TooManyMappings {
        /// Which part of the sandbox.
        area: &'static str,
        /// How many mappings there are.
        mappings: usize,
        /// How many there may be.
        mappings_max: usize,
    },
    /// Pages of a sandbox could not be mapped or protected.
    #[error("cannot map the {area} of a sandbox ({bytes} bytes)")]
    Map {
        /// Which part of the sandbox.
        area: &'static str,
        /// How long it is.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The memory that instances of an image share could not be made.
    #[error("cannot make the {bytes} bytes of memory that the instances of an image share")]
    Image {
        /// How long it was to be.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A shared region could not be made.
    #[error("cannot make a shared region of {bytes} bytes")]
    SharedRegion {
        /// How long it was to be.
        bytes: usize,
        /// What the system said.
        source: io::Error,
    },
}

/// Mappings that other threads may have given back since one was refused.
const MAPPINGS_SLACK: usize = 64;

impl ExecError {
    /// Explains why the system did not map or protect part of a sandbox.
    #[cold]
    pub(super) fn map(area: &'static str, bytes: u64, source: io::Error) -> Self {
        if source.raw_os_error() == Some(libc::ENOMEM)
            && let Some((mappings, mappings_max)) = mappings()
            && mappings + MAPPINGS_SLACK > mappings_max
        {
            return Self::TooManyMappings {
                area,
                mappings,
                mappings_max,
            };
        }
        Self::Map {
            area,
            bytes,
            source,
        }
    }
}

/// Returns how many mappings the process has, and how many it may have, if the system tells.
fn mappings() -> Option<(usize, usize)> {
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let maps = BufReader::new(File::open("/proc/self/maps").ok()?);
    Some((maps.lines().count(), limit.trim().parse().ok()?))
}

/// An image could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The code breaks the rules of the sandbox.
    #[error("the verifier rejected the image")]
    Rejected(#[source] Rejection),
    /// The system refused memory.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

/// An image could not be given a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The configuration asks for what no sandbox can have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system refused memory.
    #[error(transparent)]
    Exec(#[from] ExecError),
}
