//! Grafts.

use vino_proto::v1::{Graft, GraftState};

use super::{NOTHING, enum_name, time};
use crate::output::{Column, Printable, grouped, text};

impl Printable for Graft {
    const COLUMNS: &'static [Column] = &[
        text("NAME"),
        text("KERNEL"),
        text("PROCESS"),
        text("POINT"),
        text("STATE"),
        text("REASON"),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }

    fn row(&self) -> Vec<String> {
        let state = GraftState::try_from(self.state).unwrap_or_default();
        let reason = self
            .removal
            .as_ref()
            .map_or(NOTHING, |removal| &removal.reason);
        vec![
            self.name.clone(),
            self.kernel.clone(),
            self.process.clone(),
            self.point.clone(),
            enum_name(state.as_str_name(), "GRAFT_STATE_"),
            reason.to_string(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let imports = if self.imports.is_empty() {
            NOTHING.to_string()
        } else {
            self.imports.join("\n")
        };
        let reads = if self.read_protected {
            "yes"
        } else {
            "no: it was accepted without, and may read outside its sandbox"
        };
        let mut details = vec![
            ("sha256", self.sha256.clone()),
            ("size", format!("{} B", grouped(self.size_bytes))),
            ("text", format!("{} B", grouped(self.text_bytes))),
            ("calls", imports),
            ("read protected", reads.to_string()),
            ("loaded", time(self.create_time.as_ref())),
        ];
        if let Some(removal) = &self.removal {
            details.push(("removed in run", removal.run.clone()));
            details.push(("by transaction", removal.txn.to_string()));
            if !removal.fault.is_empty() {
                details.push(("fault", removal.fault.clone()));
            }
        }
        details
    }
}
