//! The reference for graft authors and kernel owners, in markdown.

use std::fmt::Write as _;

use super::NOTICE;
use super::text::Named;
use crate::model::{Argument, Bound, Callable, Direction, Interface, Point, Privilege, Shape};

pub(super) fn generate(interface: &Interface) -> String {
    let mut out = format!("<!-- {NOTICE} -->\n# Graft points and graft-callable functions\n\n");
    out.push_str(
        "C++ grafts include `graft-support.H` and use the names below; C grafts include \
         `graft-support.h` and write `class__function` for `class::function`, with the object as \
         the first argument, `self`.\n\n## Graft points\n\n\
         | point | what it decides | who may graft it |\n|---|---|---|\n",
    );
    for point in &interface.points {
        let _ = writeln!(
            out,
            "| [`{}`](#{}) | {} | {} |",
            point.full_name(),
            anchor(&point.full_name()),
            point.documentation.summary,
            privilege(point.privilege)
        );
    }
    for point in &interface.points {
        write_point(&mut out, point);
    }
    out.push_str(
        "\n## Graft-callable functions\n\nEvery argument is checked, as is whose page or object \
         it is. A function marked *inline* is answered from memory that the graft can read, \
         without a call.\n",
    );
    for callable in &interface.callables {
        write_callable(&mut out, callable);
    }
    out
}

fn write_point(out: &mut String, point: &Point) {
    let name = point.full_name();
    let _ = writeln!(out, "\n### `{name}`\n\n{}\n", point.documentation.summary);
    for paragraph in &point.documentation.details {
        let _ = writeln!(out, "{paragraph}\n");
    }
    let signature = signature(&point.arguments);
    let _ = writeln!(out, "```c++\nstatus_t {name}({signature});\n```\n");
    arguments(out, &point.arguments);
    let _ = writeln!(
        out,
        "| | |\n|---|---|\n| Privilege | {} |\n| Default | {} |\n| Threat | {} |\n\
         | Defence | {} |\n| Invariant | {} |",
        privilege(point.privilege),
        point.default,
        point.threat,
        point.defence,
        point.invariant
    );
}

fn write_callable(out: &mut String, callable: &Callable) {
    let name = callable.full_name();
    let inline = if callable.is_inline {
        " (*inline*)"
    } else {
        ""
    };
    let summary = &callable.documentation.summary;
    let _ = writeln!(out, "\n### `{name}`\n\n{summary}{inline}\n");
    for paragraph in &callable.documentation.details {
        let _ = writeln!(out, "{paragraph}\n");
    }
    let returns = match &callable.returns {
        Some(returns) => returns.to_cxx(0),
        None => "void".to_owned(),
    };
    let space = if returns.ends_with('*') { "" } else { " " };
    let is_static = if callable.is_static { "static " } else { "" };
    let signature = signature(&callable.arguments);
    let _ = writeln!(
        out,
        "```c++\n{is_static}{returns}{space}{name}({signature});\n```\n"
    );
    arguments(out, &callable.arguments);
    let _ = writeln!(out, "Checks: {}", callable.checks);
}

fn signature(arguments: &[Argument]) -> String {
    let written = arguments.iter().map(|argument| {
        let name = &argument.name;
        let written = argument.cxx_type();
        let space = if written.ends_with('*') { "" } else { " " };
        format!("{written}{space}{name}")
    });
    written.collect::<Vec<_>>().join(", ")
}

fn arguments(out: &mut String, arguments: &[Argument]) {
    if arguments.is_empty() {
        return;
    }
    out.push_str("| argument | copied | passed |\n|---|---|---|\n");
    for argument in arguments {
        let direction = match argument.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::InOut => "in and out",
        };
        let shape = match &argument.shape {
            Shape::Scalar => "by value".to_owned(),
            Shape::Object => "as an object of the kernel".to_owned(),
            Shape::Ptr => "through a pointer to one element".to_owned(),
            Shape::String => "as characters that end with 0".to_owned(),
            Shape::Array(Bound::Elements(n)) => format!("as an array of {n}"),
            Shape::Array(Bound::Argument(index)) => {
                format!("as an array of `{}`", arguments[*index].name)
            }
        };
        let _ = writeln!(out, "| `{}` | {direction} | {shape} |", argument.name);
    }
    out.push('\n');
}

fn privilege(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Process => "any process, for itself",
        Privilege::Kernel => "the owner of the kernel",
    }
}

/// The place that markdown renderers give a heading of code.
fn anchor(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-')
        .collect()
}
