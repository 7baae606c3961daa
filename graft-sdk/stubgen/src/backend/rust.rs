//! The kernel's side: what points there are, and a checked call for each graft-callable.
//!
//! The output is laid out as rustfmt would, so that a formatted tree stays the generated one.

mod calls;

use std::fmt::Write as _;

use super::NOTICE;
use super::text::{LINE_CHARS_MAX, Named};
use crate::model::{Argument, Bound, Callable, Direction, Interface, Point, Privilege, Shape};

/// The types that do not depend on the interface.
const PRELUDE: &str = include_str!("prelude.rs.in");

pub(super) fn generate(interface: &Interface) -> String {
    let mut out = format!(
        "//! The graftable interface, as the kernel sees it: graft points and graft-callables.\n\
         //! {NOTICE}\n{PRELUDE}"
    );
    enumeration(
        &mut out,
        "Point",
        "A function of the kernel that a graft may replace.",
        &interface.points,
    );
    enumeration(
        &mut out,
        "Callable",
        "A function of the kernel that a graft may call.",
        &interface.callables,
    );
    lookup(&mut out, "Point", "POINTS");
    lookup(&mut out, "Callable", "CALLABLES");
    points(&mut out, &interface.points);
    callables(&mut out, &interface.callables);
    calls::generate(&mut out, &interface.callables);
    out
}

fn line(out: &mut String, text: impl AsRef<str>) {
    out.push_str(text.as_ref());
    out.push('\n');
}

fn enumeration<T: Named>(out: &mut String, name: &str, doc: &str, entries: &[T]) {
    line(out, format!("\n/// {doc}"));
    line(
        out,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]",
    );
    line(out, format!("pub enum {name} {{"));
    for entry in entries {
        line(out, format!("    /// `{}`.", entry.full_name()));
        line(out, format!("    {},", entry.variant()));
    }
    line(out, "}");
}

fn lookup(out: &mut String, name: &str, table: &str) {
    let _ = write!(
        out,
        "
impl {name} {{
    /// What is known about it.
    #[must_use]
    pub fn info(self) -> &'static {name}Info {{
        &{table}[self as usize]
    }}

    /// Finds it by its name, such as `class_o::function`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<{name}> {{
        let found = {table}.iter().find(|info| info.name == name);
        found.map(|info| info.id)
    }}

    /// Finds it by the symbol that C and Rust grafts use, such as `class_o__function`.
    #[must_use]
    pub fn from_c_name(name: &str) -> Option<{name}> {{
        let found = {table}.iter().find(|info| info.c_name == name);
        found.map(|info| info.id)
    }}
}}
"
    );
}

fn points(out: &mut String, points: &[Point]) {
    line(
        out,
        "\n/// Every graft point, in the order of the interface headers.",
    );
    line(out, "pub const POINTS: &[PointInfo] = &[");
    for point in points {
        line(out, "    PointInfo {");
        identity(out, point, "Point");
        let privilege = match point.privilege {
            Privilege::Process => "Process",
            Privilege::Kernel => "Kernel",
        };
        field(out, "privilege", &format!("Privilege::{privilege}"));
        arguments(out, &point.arguments);
        string(out, "summary", &point.documentation.summary);
        string(out, "default", &point.default);
        string(out, "threat", &point.threat);
        string(out, "defence", &point.defence);
        string(out, "invariant", &point.invariant);
        line(out, "    },");
    }
    line(out, "];");
}

fn callables(out: &mut String, callables: &[Callable]) {
    line(
        out,
        "\n/// Every graft-callable function, in the order of the interface headers.",
    );
    line(out, "pub const CALLABLES: &[CallableInfo] = &[");
    for callable in callables {
        line(out, "    CallableInfo {");
        identity(out, callable, "Callable");
        field(out, "is_static", &callable.is_static.to_string());
        arguments(out, &callable.arguments);
        let returns = match &callable.returns {
            Some(returns) => returns.to_cxx(0),
            None => "void".to_owned(),
        };
        string(out, "returns", returns.trim_end());
        string(out, "summary", &callable.documentation.summary);
        string(out, "checks", &callable.checks);
        line(out, "    },");
    }
    line(out, "];");
}

fn identity<T: Named>(out: &mut String, entry: &T, kind: &str) {
    let (class, function) = entry.parts();
    field(out, "id", &format!("{kind}::{}", entry.variant()));
    string(out, "name", &entry.full_name());
    string(out, "c_name", &entry.c_name());
    string(out, "class", class);
    string(out, "function", function);
}

fn field(out: &mut String, name: &str, value: &str) {
    line(out, format!("        {name}: {value},"));
}

/// A string field, continued over as many lines as it takes.
fn string(out: &mut String, name: &str, value: &str) {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    let single = format!("        {name}: \"{escaped}\",");
    if single.chars().count() <= LINE_CHARS_MAX {
        return line(out, single);
    }
    // The first line holds the field's name as well, so it is wrapped with it as its first word.
    let opening = format!("{name}:\u{a0}\"{escaped}");
    let wrapped = wrap_narrow("        ", "            ", &opening);
    let text = wrapped.join(" \\\n").replace('\u{a0}', " ");
    line(out, format!("{text}\","));
}

/// Breaks text so that ` \` still fits after each line.
fn wrap_narrow(first: &str, next: &str, text: &str) -> Vec<String> {
    let room = LINE_CHARS_MAX - 3;
    let mut lines = Vec::new();
    let mut current = first.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && current.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::replace(&mut current, next.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            current.push(' ');
        }
        current.push_str(word);
        is_empty = false;
    }
    lines.push(current);
    lines
}

fn arguments(out: &mut String, arguments: &[Argument]) {
    // rustfmt joins the brackets of a list with the braces of its only element.
    let (open, indent, close) = match arguments.len() {
        0 => return field(out, "arguments", "&[]"),
        1 => ("&[ArgumentInfo {", "            ", "        }],"),
        _ => ("&[", "                ", "        ],"),
    };
    line(out, format!("        arguments: {open}"));
    for argument in arguments {
        if arguments.len() > 1 {
            line(out, "            ArgumentInfo {");
        }
        let direction = match argument.direction {
            Direction::In => "In",
            Direction::Out => "Out",
            Direction::InOut => "InOut",
        };
        let shape = match &argument.shape {
            Shape::Scalar => "Scalar".to_owned(),
            Shape::Object => "Object".to_owned(),
            Shape::Ptr => "Ptr".to_owned(),
            Shape::String => "String".to_owned(),
            Shape::Array(Bound::Elements(n)) => format!("Array(Bound::Elements({n}))"),
            Shape::Array(Bound::Argument(n)) => format!("Array(Bound::Argument({n}))"),
        };
        line(out, format!("{indent}name: \"{}\",", argument.name));
        line(out, format!("{indent}c_type: \"{}\",", argument.cxx_type()));
        line(out, format!("{indent}direction: Direction::{direction},"));
        line(out, format!("{indent}shape: Shape::{shape},"));
        let bytes = argument.element.bytes();
        line(out, format!("{indent}element_bytes: {bytes},"));
        if arguments.len() > 1 {
            line(out, "            },");
        }
    }
    line(out, close);
}
