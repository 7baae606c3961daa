//! Graft points.

use vino_proto::v1::{Argument, Direction, Point, Privilege};

use super::{enum_name, wrapped};
use crate::output::{Column, Printable, text};

impl Printable for Point {
    const COLUMNS: &'static [Column] = &[text("NAME"), text("PRIVILEGE"), text("SUMMARY")];

    fn name(&self) -> String {
        self.name.clone()
    }

    fn row(&self) -> Vec<String> {
        let privilege = Privilege::try_from(self.privilege).unwrap_or_default();
        vec![
            self.name.clone(),
            enum_name(privilege.as_str_name(), "PRIVILEGE_"),
            self.summary.clone(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let arguments: Vec<String> = self.arguments.iter().map(argument).collect();
        vec![
            ("in C++", format!("status_t {}", self.name)),
            (
                "in C",
                format!("status_t {}__{}", self.class, self.function),
            ),
            ("arguments", arguments.join("\n")),
            ("default", wrapped(&self.default_behaviour)),
            ("threat", wrapped(&self.threat)),
            ("defence", wrapped(&self.defence)),
            ("invariant", wrapped(&self.invariant)),
        ]
    }
}

/// An argument in the manual's notation: `OUT PTR coremap_entry_o **my_choice`.
fn argument(argument: &Argument) -> String {
    let direction = Direction::try_from(argument.direction).unwrap_or_default();
    let direction = direction.as_str_name().trim_start_matches("DIRECTION_");
    let shape = match argument.shape.as_str() {
        // The manual writes no attribute for these.
        "SCALAR" | "OBJECT" | "" => String::new(),
        other => format!("{other} "),
    };
    let space = if argument.c_type.ends_with('*') {
        ""
    } else {
        " "
    };
    format!(
        "{direction} {shape}{}{space}{}",
        argument.c_type, argument.name
    )
}
