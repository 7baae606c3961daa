//! Kernels.

use vino_proto::v1::{EvictionPolicy, Kernel, KernelConfig};

use super::{NOTHING, enum_name, time};
use crate::output::{Column, Printable, grouped, number, text};

impl Printable for Kernel {
    const COLUMNS: &'static [Column] = &[
        text("NAME"),
        number("FRAMES"),
        text("POLICY"),
        text("PROCESSES"),
        number("GRAFTS"),
        number("RUNS"),
        text("CREATED"),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }

    fn row(&self) -> Vec<String> {
        let config = self.config.clone().unwrap_or_default();
        let names: Vec<&str> = config
            .processes
            .iter()
            .map(|process| &*process.name)
            .collect();
        vec![
            self.name.clone(),
            grouped(config.frames.into()),
            policy(&config),
            names.join(","),
            self.grafts_loaded.to_string(),
            grouped(self.runs),
            time(self.create_time.as_ref()),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let config = self.config.clone().unwrap_or_default();
        let unset = || NOTHING.to_string();
        let reads = if config.accept_without_read_protection {
            "not demanded: a graft may read outside its sandbox"
        } else {
            "demanded"
        };
        let first_touch = if config.modified_on_first_touch {
            "modified: pages are anonymous memory"
        } else {
            "clean: pages are backed by files"
        };
        vec![
            ("first touch", first_touch.to_string()),
            (
                "handspread",
                config.handspread.map_or_else(unset, |n| grouped(n.into())),
            ),
            ("swap pages", config.swap_pages.map_or_else(unset, grouped)),
            ("free min", grouped(config.free_min.into())),
            ("free target", grouped(config.free_target.into())),
            (
                "graft deadline",
                config
                    .graft_deadline_us
                    .map_or_else(unset, |us| format!("{us} us")),
            ),
            ("read protection", reads.to_string()),
        ]
    }
}

/// The name of a kernel's default eviction policy.
fn policy(config: &KernelConfig) -> String {
    let policy = EvictionPolicy::try_from(config.policy).unwrap_or_default();
    enum_name(policy.as_str_name(), "EVICTION_POLICY_")
}
