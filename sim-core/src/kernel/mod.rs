//! The simulated kernel: one value that owns everything.
//!
//! [`Kernel::apply`] is the only way in. What happens is a function of the configuration, the
//! commands and the recorded verdicts; events say what happened. Modules:
//!
//! * `fault` serves page faults: free frame, victim, write-out, pageout daemon.
//! * `pageout` evicts at a graft's request, inside its transaction.
//! * `transact` brackets each invocation of a graft with a transaction and ends misbehaving grafts.
mod attach;
mod fault;
mod pageout;
mod transact;

use std::collections::VecDeque;
use std::sync::Arc;

use vino_sandbox::{Engine, ExecError};

use crate::config::{ExhaustionPolicy, KernelConfig};
use crate::event::{Counters, Event, EventLog, LogLevel};
use crate::graft::registry::Registry;
use crate::ids::{GraftId, LockId, Tick, VasId};
use crate::run::{GraftSpec, Meter, RecordedVerdict, RunError};
use crate::txn::{LockClass, LockMode, Locking, Transactions};
pub use crate::vm::InvariantViolation;
use crate::vm::{UndoRecord, Vm};
use crate::workload::{Reference, Trace};
pub(crate) use pageout::Unanswered;
pub(crate) use transact::CommitRecord;

/// Something that a kernel is told to do.
#[derive(Debug)]
pub enum Command<'a> {
    /// Give a process's address space the pages that a trace names.
    Map {
        /// The address space.
        vas: VasId,
        /// Its pages.
        trace: Arc<Trace>,
    },
    /// Verify a graft and attach it.
    Attach(&'a GraftSpec),
    /// Remove a graft; the default serves its point from now on.
    Remove(GraftId),
    /// Let a process make references to pages of its trace.
    Reference {
        /// Its address space.
        vas: VasId,
        /// The references, in order.
        references: &'a [Reference],
    },
    /// Emit an event that the run, not the kernel, decides about.
    Note(Event),
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The graft is attached.
    Attached(GraftId),
    /// The references were made, unless swap space is exhausted and that ends the run.
    Referenced {
        /// Whether the run goes on.
        goes_on: bool,
    },
}

/// The kernel.
#[derive(Debug)]
pub struct Kernel {
    pub(crate) config: KernelConfig,
    engine: Engine,
    pub(crate) vm: Vm,
    grafts: Registry,
    pub(crate) txns: Transactions<UndoRecord, CommitRecord>,
    counters: Counters,
    log: EventLog,
    level: LogLevel,
    verdicts: VecDeque<RecordedVerdict>,
    /// Grafts that were removed after an abort, in that order.
    removed: Vec<String>,
    /// Address spaces that lost a graft inside a transaction, whose end they wait for.
    bereaved: Vec<VasId>,
}

/// One thread runs every process and the pageout daemon.
const THREADS: u32 = 1;

impl Kernel {
    /// Builds a kernel from a valid configuration.
    pub(crate) fn new(
        config: KernelConfig,
        engine: &Engine,
        level: LogLevel,
        verdicts: Vec<RecordedVerdict>,
    ) -> Result<Kernel, ExecError> {
        let mut txns = Transactions::new(THREADS, config.graft_limits.undo_records_max);
        for _ in &config.processes {
            let lock = txns.define_lock(LockClass::PageList.timeout());
            lock.expect("PROCESSES_MAX is below LOCKS_MAX");
        }
        Ok(Kernel {
            vm: Vm::new(&config)?,
            engine: engine.clone(),
            grafts: Registry::new(config.processes.len()),
            txns,
            counters: Counters::default(),
            log: EventLog::new(),
            level,
            verdicts: verdicts.into(),
            removed: Vec::new(),
            bereaved: Vec::new(),
            config,
        })
    }

    /// Does what it is told and says what came of it.
    ///
    /// # Errors
    ///
    /// A graft cannot be attached; nothing has changed then.
    pub fn apply(
        &mut self,
        command: Command<'_>,
        meter: &mut dyn Meter,
    ) -> Result<Outcome, RunError> {
        match command {
            Command::Map { vas, trace } => {
                self.vm.vas_mut(vas).map(trace);
                Ok(Outcome::Done)
            }
            Command::Attach(spec) => self.attach(spec).map(Outcome::Attached),
            Command::Remove(graft) => {
                self.unload(graft);
                Ok(Outcome::Done)
            }
            Command::Reference { vas, references } => {
                let goes_on = self.reference(vas, references, meter);
                Ok(Outcome::Referenced { goes_on })
            }
            Command::Note(event) => {
                self.log.write(&event);
                Ok(Outcome::Done)
            }
        }
    }

    /// Makes references; false if the run ends here.
    fn reference(&mut self, vas: VasId, references: &[Reference], meter: &mut dyn Meter) -> bool {
        for &reference in references {
            let page = reference.page();
            match self.vm.vas(vas).frame_of(page) {
                Some(frame) => self.vm.hit(vas, frame, reference.is_write()),
                None => {
                    let served = self.fault(vas, page, reference.is_write(), meter);
                    let ends = self.config.on_swap_exhausted == ExhaustionPolicy::EndRun;
                    if !served && ends {
                        self.counters.references += 1;
                        return false;
                    }
                }
            }
            self.counters.references += 1;
        }
        self.log.pass_reference(self.counters.references);
        true
    }

    /// The kernel's time: the references that were made.
    #[inline]
    pub(crate) fn now(&self) -> Tick {
        Tick(self.counters.references)
    }

    /// Takes the lock of an address space's page list, to change it, for the innermost transaction.
    pub(crate) fn lock_page_list(&mut self, vas: VasId) {
        let now = self.now();
        // Locks are defined in the order of the processes.
        let locked = self.txns.lock(LockId(vas.0), LockMode::Exclusive, now);
        let locked = locked.expect("a transaction changes fewer lists than it may hold locks");
        assert_eq!(locked, Locking::Held, "no other thread holds locks");
    }

    /// The configuration it was built from.
    pub fn config(&self) -> &KernelConfig {
        &self.config
    }

    /// What happened how often.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Names of the grafts that were removed after an abort.
    pub fn removed_grafts(&self) -> &[String] {
        &self.removed
    }

    /// Hash of everything the future depends on, except grafts, counters and time.
    ///
    /// After an abort it is what it was at the begin. Takes time proportional to memory.
    pub fn state_digest(&self) -> [u8; 32] {
        self.vm.state_digest()
    }

    /// Checks what must hold between commands; takes time proportional to memory.
    ///
    /// # Errors
    ///
    /// The kernel has a bug.
    pub fn check_invariants(&self) -> Result<(), InvariantViolation> {
        if !self.txns.is_idle() {
            let problem = "a transaction is open between commands".to_owned();
            return Err(InvariantViolation { problem });
        }
        self.vm.check_invariants()
    }

    /// Where the sandbox of an attached graft is.
    pub(crate) fn sandbox_base(&self, graft: GraftId) -> Option<u64> {
        Some(self.grafts.get(graft)?.instance.base())
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.log
    }

    pub(crate) fn log_mut(&mut self) -> &mut EventLog {
        &mut self.log
    }
}
