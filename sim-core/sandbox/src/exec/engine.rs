//! What the process needs in order to run grafts, set up once and never taken down.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::entry::Clearing;
use super::error::EngineError;
use super::fork;
use super::gates::Gates;
use super::signals::Signals;
use super::sys;
use super::thread::ThreadBlock;
use super::watchdog::Watchdog;

/// The handlers, the watchdog and the facts about the processor.
pub(super) struct Process {
    signals: Signals,
    watchdog: Watchdog,
    clearing: Clearing,
    gates: Gates,
    fsgsbase: bool,
    /// Whether the handlers are installed and the watchdog runs.
    started: AtomicBool,
}

static PROCESS: OnceLock<Process> = OnceLock::new();

/// Returns the process's state once an [`Engine`] was made; safe to call in a signal handler.
pub(super) fn process() -> Option<&'static Process> {
    PROCESS.get()
}

impl Process {
    fn new() -> Result<Self, EngineError> {
        let signals = Signals::choose()?;
        let watchdog = Watchdog::new(signals.deadline());
        Ok(Self {
            signals,
            watchdog,
            clearing: Clearing::for_this_processor(),
            gates: Gates::new(ThreadBlock::distance()),
            fsgsbase: sys::has_fsgsbase(),
            started: AtomicBool::new(false),
        })
    }

    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    pub(super) fn watchdog(&'static self) -> &'static Watchdog {
        &self.watchdog
    }

    /// How to clear vector registers for an image that names some.
    pub(super) fn clearing(&self) -> Clearing {
        self.clearing
    }

    pub(super) fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(super) fn fsgsbase(&self) -> bool {
        self.fsgsbase
    }
}

/// The right to run grafts in this process.
///
/// The first engine installs handlers for the signals by which the processor refuses an
/// instruction, takes the highest free real-time signal, and starts the watchdog thread. They stay
/// for the life of the process; every further engine is another handle to them. What happens
/// outside grafts still reaches the handlers that were there before. A process that is forked from
/// this one has them too, and starts a watchdog of its own when it first calls a graft.
#[derive(Clone, Debug)]
pub struct Engine {
    process: &'static Process,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("deadline_signal", &self.signals.deadline())
            .field("fsgsbase", &self.fsgsbase)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Prepares the process; cheap after the first time.
    ///
    /// # Errors
    ///
    /// A handler or the watchdog cannot be had, a shadow stack is on, or data is executable.
    pub fn new() -> Result<Self, EngineError> {
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if sys::shadow_stack_on() {
            return Err(EngineError::ShadowStack);
        }
        if sys::readable_is_executable() {
            return Err(EngineError::ReadableIsExecutable);
        }
        // Handlers look the process up, so it has to be there before they are.
        let process = match PROCESS.get() {
            Some(process) => process,
            None => {
                let fresh = Process::new()?;
                PROCESS.get_or_init(|| fresh)
            }
        };
        if !process.started.load(Ordering::Relaxed) {
            process.signals.install()?;
            fork::prepare_for_forks().map_err(|source| EngineError::Fork { source })?;
            process.watchdog.start()?;
            process.started.store(true, Ordering::Relaxed);
        }
        Ok(Self { process })
    }

    pub(super) fn process(&self) -> &'static Process {
        self.process
    }

    /// Says what makes this machine slower than it could be, if anything does.
    #[must_use]
    pub fn notice(&self) -> Option<&'static str> {
        (!self.process.fsgsbase).then_some(
            "the system does not let programs set %gs themselves (no FSGSBASE): \
             switching between sandboxes on one thread takes a system call each time",
        )
    }
}
