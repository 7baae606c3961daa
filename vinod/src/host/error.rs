//! Why the daemon refuses a request.

use sim_core::{
    config::ConfigError,
    graft::GraftRejected,
    workload::{TraceBytesError, TraceError},
};

use crate::{
    error_chain,
    store::{LogError, StoreError},
};

/// A request that was not served, and why.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A field makes no sense, whatever the state of the daemon.
    #[error("{problem}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// No kernel can be built so.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is nothing of that name.
    #[error("no {noun} {name:?}{}", known_names(.known))]
    NotFound {
        /// What was looked for, such as `kernel`.
        noun: &'static str,
        /// Its name.
        name: String,
        /// Some names that exist.
        known: Vec<String>,
    },
    /// The name belongs to something else.
    #[error("{noun} {name:?} exists and differs: choose another name, or {remedy}")]
    Exists {
        /// What it is.
        noun: &'static str,
        /// Its name.
        name: String,
        /// How to get rid of it.
        remedy: String,
    },
    /// Another graft has the point.
    #[error(
        "graft point {point} of process {process:?} is taken by graft {holder:?}: unload it with \
         `vinoctl graft unload {holder} --kernel {kernel}`"
    )]
    PointBusy {
        /// The kernel.
        kernel: String,
        /// The point.
        point: String,
        /// The process.
        process: String,
        /// The graft that has it.
        holder: String,
    },
    /// It is in use, or in a state that forbids what was asked.
    #[error("{problem}")]
    WrongState {
        /// A word for programs, such as `KERNEL_BUSY`.
        reason: &'static str,
        /// What is in the way and what to do.
        problem: String,
    },
    /// A limit of the daemon is reached.
    #[error("{problem}")]
    Limit {
        /// What is limited.
        subject: &'static str,
        /// The limit and what to do.
        problem: String,
    },
    /// An object is no acceptable graft.
    #[error("graft rejected: {}", rejected(.0))]
    Rejected(GraftRejected),
    /// A trace cannot be decoded.
    #[error("trace {name:?}: {}", error_chain(.error))]
    Trace {
        /// Its name.
        name: String,
        /// Why.
        error: TraceError,
    },
    /// A stored trace is not what was written.
    #[error("stored trace: {0}")]
    TraceBytes(#[from] TraceBytesError),
    /// What arrived is not what was announced.
    #[error("upload refused: {problem}")]
    Upload {
        /// What differs.
        problem: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A run's log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The machine cannot do what is needed.
    #[error("{what}: {problem}")]
    Machine {
        /// What was needed.
        what: &'static str,
        /// What the system said.
        problem: String,
    },
    /// The daemon is on its way out.
    #[error("vinod is shutting down: try again once it is back")]
    ShuttingDown,
}

impl HostError {
    /// Grafts cannot be executed on this machine.
    pub(super) fn engine(error: impl std::error::Error) -> HostError {
        HostError::Machine {
            what: "cannot start the executor of grafts",
            problem: error_chain(&error),
        }
    }
}

/// A rejection in one line; the violations travel beside it.
fn rejected(error: &GraftRejected) -> String {
    match error {
        GraftRejected::Verify(rejection) => {
            let plural = if rejection.total == 1 { "" } else { "s" };
            let advice = rejection.diagnosis.advice();
            format!("{} violation{plural}: {advice}", rejection.total)
        }
        other => error_chain(other),
    }
}

fn known_names(known: &[String]) -> String {
    if known.is_empty() {
        return ": there is none yet".to_owned();
    }
    format!(": there is {}", known.join(", "))
}
