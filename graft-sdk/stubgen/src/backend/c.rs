//! The interface in C: opaque classes, enumerations, and a prototype for each function.

use std::fmt::Write as _;

use super::NOTICE;
use super::text::{LINE_CHARS_MAX, Named, wrap};
use crate::model::{Argument, Interface};

pub(super) fn generate(interface: &Interface) -> String {
    let mut out = format!(
        "/*\n * {NOTICE}\n *\n * The graftable interface in C; include graft-support.h, not this \
         file.\n */\n#ifndef VINO_VM_H\n#define VINO_VM_H\n\n"
    );
    for class in &interface.classes {
        comment(&mut out, &[&class.documentation.summary]);
        let _ = writeln!(out, "typedef struct {0} {0};\n", class.name);
    }
    for declared in &interface.enumerations {
        comment(&mut out, &[&declared.documentation.summary]);
        let _ = writeln!(out, "typedef enum {} {{", declared.name);
        let values = declared.enumerators.iter();
        let values = values.map(|value| format!("    {} = {}", value.name, value.value));
        let values: Vec<String> = values.collect();
        let _ = writeln!(out, "{}\n}} {};\n", values.join(",\n"), declared.name);
    }
    out.push_str("/* Graft points: a graft defines one or more of these. */\n\n");
    for point in &interface.points {
        comment(&mut out, &[&point.documentation.summary]);
        let name = format!("status_t {}", point.c_name());
        prototype(&mut out, &name, Some(&point.class), &point.arguments);
    }
    out.push_str(
        "/*\n * Graft-callable functions. Those declared inline are answered from memory that the \
         graft can\n * read; called through a pointer, they are calls of the kernel like the \
         others.\n */\n\n",
    );
    for callable in &interface.callables {
        let checks = format!("Checks: {}", callable.checks);
        comment(&mut out, &[&callable.documentation.summary, &checks]);
        let returns = match &callable.returns {
            Some(returns) => returns.to_c(0),
            None => "void".to_owned(),
        };
        let space = if returns.ends_with('*') { "" } else { " " };
        let inline = if callable.is_inline { "inline " } else { "" };
        let name = format!("{inline}{returns}{space}{}", callable.c_name());
        let this = (!callable.is_static).then_some(callable.class.as_str());
        prototype(&mut out, &name, this, &callable.arguments);
    }
    out.push_str("#endif\n");
    out
}

fn comment(out: &mut String, paragraphs: &[&str]) {
    if let [only] = paragraphs
        && only.chars().count() + 6 <= LINE_CHARS_MAX
    {
        let _ = writeln!(out, "/* {only} */");
        return;
    }
    out.push_str("/*\n");
    for paragraph in paragraphs {
        for line in wrap(" * ", paragraph) {
            let _ = writeln!(out, "{line}");
        }
    }
    out.push_str(" */\n");
}

fn prototype(out: &mut String, name: &str, this: Option<&str>, arguments: &[Argument]) {
    let mut parameters: Vec<String> = this
        .map(|class| format!("{class} *self"))
        .into_iter()
        .collect();
    for argument in arguments {
        let written = argument.c_type();
        let space = if written.ends_with('*') { "" } else { " " };
        parameters.push(format!("{written}{space}{}", argument.name));
    }
    if parameters.is_empty() {
        parameters.push("void".to_owned());
    }
    let single = format!("{name}({});", parameters.join(", "));
    if single.chars().count() <= LINE_CHARS_MAX {
        let _ = writeln!(out, "{single}\n");
    } else {
        let _ = writeln!(out, "{name}(\n    {});\n", parameters.join(",\n    "));
    }
}
