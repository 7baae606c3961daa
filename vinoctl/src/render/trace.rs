//! Traces.

use vino_proto::v1::{Trace, TraceFormat};

use super::{enum_name, time};
use crate::output::{Column, Printable, grouped, number, text};

impl Printable for Trace {
    const COLUMNS: &'static [Column] = &[
        text("NAME"),
        number("REQUESTS"),
        number("PAGES"),
        text("FORMAT"),
        text("CREATED"),
    ];

    fn name(&self) -> String {
        self.name.clone()
    }

    fn row(&self) -> Vec<String> {
        let format = TraceFormat::try_from(self.format).unwrap_or_default();
        vec![
            self.name.clone(),
            grouped(self.references),
            grouped(self.pages),
            enum_name(format.as_str_name(), "TRACE_FORMAT_"),
            time(self.create_time.as_ref()),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("sha256", self.sha256.clone()),
            ("size", format!("{} B", grouped(self.size_bytes))),
        ]
    }
}
