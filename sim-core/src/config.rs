//! How a kernel is built: its memory, its policy, its processes and its limits.
//!
//! A [`KernelConfig`] is part of the record of a run, so everything that can change what a run does
//! is in it, and [`KernelConfig::validate`] refuses what no kernel can be built from.
use std::time::Duration;

use vino_abi as abi;

/// The most frames a kernel may have; a page view of so many entries still fits a sandbox.
pub const FRAMES_MAX: u32 = (abi::VIEWS_END - abi::VIEWS_OFFSET - abi::page_view::HEADER_BYTES)
    / abi::page_view::ENTRY_BYTES
    / 2;
/// The most entries that the page views of all processes may have together: 4 GiB.
pub const VIEW_ENTRIES_MAX: u64 = (1 << 32) / abi::page_view::ENTRY_BYTES as u64;
/// The most undo records that one transaction may be allowed.
pub const UNDO_RECORDS_MAX: u32 = 1 << 20;
/// The most processes a kernel may have.
pub const PROCESSES_MAX: usize = 256;
/// The longest name of a process or graft, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The name under which grafts on global points are attached; no process may have it.
pub const KERNEL_PROCESS: &str = "kernel";
/// The longest deadline of a graft.
pub const GRAFT_DEADLINE_MAX: Duration = Duration::from_secs(60);

/// Which page the kernel proposes to evict when no graft decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvictionPolicy {
    /// The front hand clears referenced bits, the back hand proposes pages left unreferenced.
    TwoHandedClock {
        /// Frames between the hands, from 1 to all of them; `None` is all of them.
        ///
        /// With the whole ring between them the hands coincide and a page has a full revolution
        /// to be referenced again, which is the classic CLOCK: no reference is forgotten early,
        /// and its counts can be compared with published ones. Fewer frames reclaim faster.
        handspread: Option<u32>,
    },
    /// The least recently used page, exactly; for comparison.
    Lru,
}

/// Whether the first touch of a page counts as a write, as it does for anonymous memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTouch {
    /// A page is clean until the trace writes it: it is backed by a file.
    Clean,
    /// A page is modified from its first fault on: it is anonymous memory.
    Modified,
}

/// What happens to a run when a fault needs swap space and none is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExhaustionPolicy {
    /// The reference fails and the run goes on.
    Continue,
    /// The run ends.
    EndRun,
}

/// One process, that is, one address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessConfig {
    /// The name by which workloads and grafts refer to it.
    pub name: String,
}

/// What one graft may use; the account is fixed when the graft is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraftLimits {
    /// Bytes of stack in its sandbox.
    pub stack_bytes: u32,
    /// Bytes to which the heap in its sandbox may grow; it has none until it asks.
    pub heap_bytes_max: u32,
    /// Calls of graft-callable functions in one invocation.
    pub host_calls_max: u32,
    /// Undo records of one transaction.
    pub undo_records_max: u32,
    /// Pages of one address space that may be wired at once.
    pub wired_pages_max: u32,
}

impl Default for GraftLimits {
    fn default() -> GraftLimits {
        GraftLimits {
            stack_bytes: 256 * 1024,
            heap_bytes_max: 1024 * 1024,
            host_calls_max: 65_536,
            undo_records_max: 4_096,
            wired_pages_max: 16,
        }
    }
}

/// Everything a kernel is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelConfig {
    /// Frames of physical memory.
    pub frames: u32,
    /// Pages of swap space.
    pub swap_pages: u64,
    /// How the kernel proposes victims.
    pub policy: EvictionPolicy,
    /// The pageout daemon wakes when fewer frames are free; 0 with a target of 0 is on demand.
    pub free_min: u32,
    /// The pageout daemon sleeps when so many frames are free.
    pub free_target: u32,
    /// The processes, whose order numbers their address spaces.
    pub processes: Vec<ProcessConfig>,
    /// Whether grafts must be protected against reading outside their sandbox.
    pub read_protection: bool,
    /// How long one invocation of a graft may take.
    pub graft_deadline: Duration,
    /// What each graft may use.
    pub graft_limits: GraftLimits,
    /// References a process makes before the next process runs.
    pub quantum_references: u32,
    /// Whether first touches are writes.
    pub first_touch: FirstTouch,
    /// What exhausted swap space does to a run.
    pub on_swap_exhausted: ExhaustionPolicy,
}

impl Default for KernelConfig {
    fn default() -> KernelConfig {
        KernelConfig {
            frames: 1024,
            swap_pages: 1 << 20,
            policy: EvictionPolicy::TwoHandedClock { handspread: None },
            free_min: 0,
            free_target: 0,
            processes: Vec::new(),
            read_protection: true,
            graft_deadline: Duration::from_millis(10),
            graft_limits: GraftLimits::default(),
            quantum_references: 1024,
            first_touch: FirstTouch::Clean,
            on_swap_exhausted: ExhaustionPolicy::Continue,
        }
    }
}

/// Why no kernel can be built from a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no memory.
    #[error("zero frames: a kernel needs at least one frame of memory")]
    ZeroFrames,
    /// There is more memory than a page view can show.
    #[error("{frames} frames: a kernel has at most {FRAMES_MAX}")]
    TooManyFrames {
        /// What was asked for.
        frames: u32,
    },
    /// The hands are further apart than the ring is long, or not apart at all.
    #[error("hand spread of {handspread} with {frames} frames: it must be from 1 to {frames}")]
    Handspread {
        /// What was asked for.
        handspread: u32,
        /// Frames of the kernel.
        frames: u32,
    },
    /// The targets contradict each other or the amount of memory.
    #[error(
        "free minimum {free_min} and target {free_target} with {frames} frames: \
         minimum <= target < frames is needed"
    )]
    FreeTargets {
        /// The configured minimum.
        free_min: u32,
        /// The configured target.
        free_target: u32,
        /// Frames of the kernel.
        frames: u32,
    },
    /// Nothing would use the kernel.
    #[error("no process: a kernel needs at least one")]
    NoProcess,
    /// There are too many address spaces.
    #[error("{count} processes: a kernel has at most {PROCESSES_MAX}")]
    TooManyProcesses {
        /// What was asked for.
        count: usize,
    },
    /// The processes' views of memory would take more memory than memory itself.
    #[error(
        "{frames} frames seen by {processes} processes: at most {VIEW_ENTRIES_MAX} entries of \
         page views are kept in all"
    )]
    TooManyEntries {
        /// Frames of the kernel.
        frames: u32,
        /// Processes of the kernel.
        processes: usize,
    },
    /// A transaction's log would be too large.
    #[error("undo log of {records} records: it has at most {UNDO_RECORDS_MAX}")]
    UndoLog {
        /// What was asked for.
        records: u32,
    },
    /// A process could not be named.
    #[error("process name {name:?}: a name has 1 to {NAME_BYTES_MAX} bytes and is not \"kernel\"")]
    ProcessName {
        /// The refused name.
        name: String,
    },
    /// Two processes could not be told apart.
    #[error("two processes are named {name:?}: names must differ")]
    DuplicateProcess {
        /// The name in question.
        name: String,
    },
    /// A process would never run.
    #[error("zero references in a quantum: a process needs at least one to make progress")]
    ZeroQuantum,
    /// A graft could not run, or could run too long.
    #[error("graft deadline of {deadline:?}: it must be from 1 ms to {GRAFT_DEADLINE_MAX:?}")]
    Deadline {
        /// What was asked for.
        deadline: Duration,
    },
}

impl KernelConfig {
    /// Checks that a kernel can be built.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let frames = self.frames;
        if frames == 0 {
            return Err(ConfigError::ZeroFrames);
        }
        if frames > FRAMES_MAX {
            return Err(ConfigError::TooManyFrames { frames });
        }
        if let EvictionPolicy::TwoHandedClock {
            handspread: Some(handspread),
        } = self.policy
            && !(1..=frames).contains(&handspread)
        {
            return Err(ConfigError::Handspread { handspread, frames });
        }
        if self.free_min > self.free_target || self.free_target >= frames.max(1) {
            return Err(ConfigError::FreeTargets {
                free_min: self.free_min,
                free_target: self.free_target,
                frames,
            });
        }
        if self.quantum_references == 0 {
            return Err(ConfigError::ZeroQuantum);
        }
        let records = self.graft_limits.undo_records_max;
        if records > UNDO_RECORDS_MAX {
            return Err(ConfigError::UndoLog { records });
        }
        let deadline = self.graft_deadline;
        if deadline < Duration::from_millis(1) || deadline > GRAFT_DEADLINE_MAX {
            return Err(ConfigError::Deadline { deadline });
        }
        self.validate_processes()
    }

    fn validate_processes(&self) -> Result<(), ConfigError> {
        let count = self.processes.len();
        if count == 0 {
            return Err(ConfigError::NoProcess);
        }
        if count > PROCESSES_MAX {
            return Err(ConfigError::TooManyProcesses { count });
        }
        if u64::from(self.frames) * count as u64 > VIEW_ENTRIES_MAX {
            let (frames, processes) = (self.frames, count);
            return Err(ConfigError::TooManyEntries { frames, processes });
        }
        for (index, process) in self.processes.iter().enumerate() {
            let name = process.name.clone();
            if name.is_empty() || name.len() > NAME_BYTES_MAX || name == KERNEL_PROCESS {
                return Err(ConfigError::ProcessName { name });
            }
            if self.processes[..index].contains(process) {
                return Err(ConfigError::DuplicateProcess { name });
            }
        }
        Ok(())
    }

    /// The frames between the hands of the clock.
    pub(crate) fn handspread(&self) -> u32 {
        match self.policy {
            EvictionPolicy::TwoHandedClock { handspread } => handspread.unwrap_or(self.frames),
            EvictionPolicy::Lru => self.frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> KernelConfig {
        let name = "db".to_owned();
        KernelConfig {
            processes: vec![ProcessConfig { name }],
            ..KernelConfig::default()
        }
    }

    fn message(change: impl FnOnce(&mut KernelConfig)) -> String {
        let mut config = config();
        change(&mut config);
        config.validate().expect_err("must be refused").to_string()
    }

    #[test]
    fn the_default_with_one_process_is_a_kernel() {
        assert_eq!(config().validate(), Ok(()));
    }

    #[test]
    fn each_impossible_kernel_is_refused_with_its_reason() {
        let zero = message(|config| config.frames = 0);
        assert_eq!(
            zero,
            "zero frames: a kernel needs at least one frame of memory"
        );
        assert!(message(|config| config.frames = FRAMES_MAX + 1).contains("frames: a kernel has"));
        assert!(message(|config| config.processes.clear()).starts_with("no process"));
        assert!(message(|config| config.free_min = 1).contains("minimum 1 and target 0"));
        assert!(message(|config| config.free_target = 1024).contains("target 1024 with 1024"));
        assert!(message(|config| config.quantum_references = 0).starts_with("zero references"));
        assert!(message(|config| config.graft_deadline = Duration::ZERO).contains("deadline"));
        let log = message(|config| config.graft_limits.undo_records_max = u32::MAX);
        assert!(log.starts_with("undo log of 4294967295 records"));
        let views = message(|config| {
            config.frames = FRAMES_MAX;
            let more = (1..20).map(|number| ProcessConfig {
                name: number.to_string(),
            });
            config.processes.extend(more);
        });
        assert!(views.contains("seen by 20 processes"), "{views}");
        let spread = message(|config| {
            config.policy = EvictionPolicy::TwoHandedClock {
                handspread: Some(2000),
            };
        });
        assert!(spread.contains("it must be from 1 to 1024"));
        let twice = message(|config| config.processes.push(config.processes[0].clone()));
        assert_eq!(twice, "two processes are named \"db\": names must differ");
        let kernel = message(|config| config.processes[0].name = "kernel".to_owned());
        assert!(kernel.starts_with("process name \"kernel\""));
    }
}
