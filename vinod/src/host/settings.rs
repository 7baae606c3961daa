//! A kernel's configuration between a request, its record and the kernel itself.

use std::time::Duration;

use sim_core::config::{
    EvictionPolicy, ExhaustionPolicy, FirstTouch, GraftLimits, KernelConfig, ProcessConfig,
};

use crate::store::{KernelSettings, PolicyKind};

/// What a user wants of a kernel; what is left open gets the kernel's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KernelDraft {
    /// Frames of memory.
    pub(crate) frames: u32,
    /// Pages of swap space.
    pub(crate) swap_pages: Option<u64>,
    /// How victims are proposed.
    pub(crate) policy: Option<PolicyKind>,
    /// Free frames below which the pageout daemon wakes.
    pub(crate) free_min: u32,
    /// Free frames at which it sleeps.
    pub(crate) free_target: u32,
    /// Names of the processes.
    pub(crate) processes: Vec<String>,
    /// Accept grafts that can read outside their sandbox.
    pub(crate) accept_without_read_protection: bool,
    /// Deadline of an invocation, in microseconds.
    pub(crate) graft_deadline_us: Option<u64>,
    /// References of a quantum.
    pub(crate) quantum_references: Option<u32>,
    /// Stack of a graft, in bytes.
    pub(crate) stack_bytes: Option<u32>,
    /// Largest heap of a graft, in bytes.
    pub(crate) heap_bytes_max: Option<u32>,
    /// Most host calls of an invocation.
    pub(crate) host_calls_max: Option<u32>,
    /// Most undo records of a transaction.
    pub(crate) undo_records_max: Option<u32>,
    /// Most wired pages of an address space.
    pub(crate) wired_pages_max: Option<u32>,
    /// Whether first touches are writes.
    pub(crate) modified_on_first_touch: bool,
    /// Whether exhausted swap space ends a run.
    pub(crate) end_run_on_swap_exhausted: bool,
}

impl KernelDraft {
    /// Fills in the defaults, so that a record does not depend on the version that reads it.
    pub(crate) fn complete(self) -> KernelSettings {
        let default = default_settings();
        KernelSettings {
            frames: self.frames,
            swap_pages: self.swap_pages.unwrap_or(default.swap_pages),
            policy: self.policy.unwrap_or(default.policy),
            free_min: self.free_min,
            free_target: self.free_target,
            processes: self.processes,
            read_protection: !self.accept_without_read_protection,
            graft_deadline_us: self.graft_deadline_us.unwrap_or(default.graft_deadline_us),
            quantum_references: self
                .quantum_references
                .unwrap_or(default.quantum_references),
            stack_bytes: self.stack_bytes.unwrap_or(default.stack_bytes),
            heap_bytes_max: self.heap_bytes_max.unwrap_or(default.heap_bytes_max),
            host_calls_max: self.host_calls_max.unwrap_or(default.host_calls_max),
            undo_records_max: self.undo_records_max.unwrap_or(default.undo_records_max),
            wired_pages_max: self.wired_pages_max.unwrap_or(default.wired_pages_max),
            modified_on_first_touch: self.modified_on_first_touch,
            end_run_on_swap_exhausted: self.end_run_on_swap_exhausted,
        }
    }
}

/// The kernel's defaults.
fn default_settings() -> KernelSettings {
    let config = KernelConfig::default();
    let limits = config.graft_limits;
    KernelSettings {
        frames: config.frames,
        swap_pages: config.swap_pages,
        policy: match config.policy {
            EvictionPolicy::TwoHandedClock { handspread } => {
                PolicyKind::TwoHandedClock { handspread }
            }
            EvictionPolicy::Lru => PolicyKind::Lru,
        },
        free_min: config.free_min,
        free_target: config.free_target,
        processes: Vec::new(),
        read_protection: config.read_protection,
        graft_deadline_us: u64::try_from(config.graft_deadline.as_micros()).unwrap_or(u64::MAX),
        quantum_references: config.quantum_references,
        stack_bytes: limits.stack_bytes,
        heap_bytes_max: limits.heap_bytes_max,
        host_calls_max: limits.host_calls_max,
        undo_records_max: limits.undo_records_max,
        wired_pages_max: limits.wired_pages_max,
        modified_on_first_touch: config.first_touch == FirstTouch::Modified,
        end_run_on_swap_exhausted: config.on_swap_exhausted == ExhaustionPolicy::EndRun,
    }
}

/// The kernel's own form of a configuration.
pub(super) fn kernel_config(settings: &KernelSettings) -> KernelConfig {
    let process = |name: &String| ProcessConfig { name: name.clone() };
    KernelConfig {
        frames: settings.frames,
        swap_pages: settings.swap_pages,
        policy: match settings.policy {
            PolicyKind::TwoHandedClock { handspread } => {
                EvictionPolicy::TwoHandedClock { handspread }
            }
            PolicyKind::Lru => EvictionPolicy::Lru,
        },
        free_min: settings.free_min,
        free_target: settings.free_target,
        processes: settings.processes.iter().map(process).collect(),
        read_protection: settings.read_protection,
        graft_deadline: Duration::from_micros(settings.graft_deadline_us),
        graft_limits: GraftLimits {
            stack_bytes: settings.stack_bytes,
            heap_bytes_max: settings.heap_bytes_max,
            host_calls_max: settings.host_calls_max,
            undo_records_max: settings.undo_records_max,
            wired_pages_max: settings.wired_pages_max,
        },
        quantum_references: settings.quantum_references,
        first_touch: match settings.modified_on_first_touch {
            true => FirstTouch::Modified,
            false => FirstTouch::Clean,
        },
        on_swap_exhausted: match settings.end_run_on_swap_exhausted {
            true => ExhaustionPolicy::EndRun,
            false => ExhaustionPolicy::Continue,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_kernels_own() {
        let config = kernel_config(&default_settings());
        assert_eq!(config, KernelConfig::default());
    }
}
