//! Turns declarations as written into an [`Interface`], or says why they cannot be one.

mod arguments;
mod fields;

use std::collections::{BTreeMap, BTreeSet};

use arguments::find_scalar;
use fields::Fields;

use crate::Source;
use crate::diagnostic::{Diagnostics, Span};
use crate::model::{
    Argument, Callable, Class, Direction, Enumeration, Enumerator, Interface, Point, Privilege,
};
use crate::syntax::{ClassSyntax, File, FunctionKind, FunctionSyntax, Name};

/// Registers that carry arguments, `this` included.
const ARGUMENT_REGISTERS: usize = 6;

/// Checks all declarations of all files.
pub(crate) fn check(
    sources: &[Source],
    files: &[File],
    diagnostics: &mut Diagnostics,
) -> Interface {
    let mut checker = Checker {
        source: None,
        diagnostics,
        classes: BTreeMap::new(),
        enumerations: BTreeSet::new(),
        interface: Interface::default(),
    };
    for (source, file) in sources.iter().zip(files) {
        checker.source = Some(source);
        checker.collect_names(file);
    }
    for (source, file) in sources.iter().zip(files) {
        checker.source = Some(source);
        for class in &file.classes {
            checker.class(class);
        }
    }
    checker.interface
}

struct Checker<'a> {
    source: Option<&'a Source>,
    diagnostics: &'a mut Diagnostics,
    /// Every class, and whether it is a template.
    classes: BTreeMap<String, bool>,
    enumerations: BTreeSet<String>,
    interface: Interface,
}

impl Checker<'_> {
    fn collect_names(&mut self, file: &File) {
        for class in &file.classes {
            self.refuse_second_name(&class.name);
            self.classes
                .insert(class.name.text.clone(), class.is_template);
        }
        for declared in &file.enums {
            self.refuse_second_name(&declared.name);
            self.enumerations.insert(declared.name.text.clone());
            let enumerators = declared.enumerators.iter();
            self.interface.enumerations.push(Enumeration {
                name: declared.name.text.clone(),
                documentation: Fields::of(&declared.docs).documentation,
                enumerators: enumerators
                    .map(|(name, value)| Enumerator {
                        name: name.text.clone(),
                        value: value.clone(),
                    })
                    .collect(),
            });
        }
    }

    fn refuse_second_name(&mut self, name: &Name) {
        let text = &name.text;
        if self.classes.contains_key(text) || self.enumerations.contains(text) {
            self.report(
                name.span,
                format!("`{text}` is declared twice"),
                "keep one of the two",
            );
        }
    }

    fn class(&mut self, class: &ClassSyntax) {
        if let Some(base) = &class.base
            && !self.classes.contains_key(&base.text)
        {
            self.report(
                base.span,
                format!("base class `{}` is not declared", base.text),
                "declare it in an interface header, or correct its name",
            );
        }
        if find_scalar(&class.name.text).is_none() {
            self.interface.classes.push(Class {
                name: class.name.text.clone(),
                base: class.base.as_ref().map(|base| base.text.clone()),
                documentation: Fields::of(&class.docs).documentation,
            });
        }
        let mut names = BTreeSet::new();
        for function in &class.functions {
            if !names.insert(&function.name.text) {
                self.report(
                    function.name.span,
                    format!(
                        "`{}::{}` is declared twice",
                        class.name.text, function.name.text
                    ),
                    "graft points and graft-callable functions are found by name: give each its \
                     own",
                );
            }
            if class.is_template {
                self.report(
                    function.name.span,
                    format!("`{}` is a member of a template", function.name.text),
                    "declare it in a class: a graft names one function",
                );
            }
            self.function(class, function);
        }
    }

    fn function(&mut self, class: &ClassSyntax, function: &FunctionSyntax) {
        let full_name = format!("{}::{}", class.name.text, function.name.text);
        let is_static = matches!(
            function.kind,
            FunctionKind::Callable {
                is_static: true,
                ..
            }
        );
        let registers = ARGUMENT_REGISTERS - usize::from(!is_static);
        if function.parameters.len() > registers {
            self.report(
                function.name.span,
                format!(
                    "{full_name} has {} arguments, the registers hold {registers}",
                    function.parameters.len()
                ),
                "pass several values as one ARRAY(n)",
            );
        }
        let arguments = self.arguments(&full_name, &function.parameters);
        match &function.kind {
            FunctionKind::Graftable { class: named } => {
                self.point(class, named, function, &full_name, arguments);
            }
            FunctionKind::Callable {
                is_static,
                has_body,
            } => {
                let flags = (*is_static, *has_body);
                self.callable(class, function, &full_name, flags, arguments);
            }
        }
    }

    fn point(
        &mut self,
        class: &ClassSyntax,
        named: &Name,
        function: &FunctionSyntax,
        full_name: &str,
        arguments: Vec<Argument>,
    ) {
        if named.text != class.name.text {
            self.report(
                named.span,
                format!("GRAFTABLE names class `{}`", named.text),
                &format!("it stands in class `{}`: name that", class.name.text),
            );
        }
        let returns = &function.returns;
        if returns.name.text != "status_t" || returns.pointers > 0 {
            self.report(
                returns.span,
                format!("graft point {full_name} does not return status_t"),
                "return status_t and give the result back through an OUT PTR argument",
            );
        }
        let fields = Fields::of(&function.docs);
        let privilege = self.privilege(function, full_name, &fields);
        let mut field = |name, what| self.field(function, full_name, &fields, name, what);
        let default = field("Default", "what the kernel does without a graft");
        let threat = field("Threat", "what a hostile or foolish graft could do");
        let defence = field("Defence", "what the kernel does about it");
        let invariant = field("Invariant", "what therefore always holds");
        self.require_summary(function, full_name, &fields);
        self.interface.points.push(Point {
            class: class.name.text.clone(),
            function: function.name.text.clone(),
            arguments,
            documentation: fields.documentation,
            privilege,
            default,
            threat,
            defence,
            invariant,
        });
    }

    fn privilege(&mut self, function: &FunctionSyntax, name: &str, fields: &Fields) -> Privilege {
        let text = self.field(function, name, fields, "Privilege", "`process` or `kernel`");
        match text.as_str() {
            "kernel" => Privilege::Kernel,
            // Empty: already reported as missing.
            "process" | "" => Privilege::Process,
            other => {
                self.report(
                    function.name.span,
                    format!("graft point {name} has privilege `{other}`"),
                    "write `Privilege: process` or `Privilege: kernel`",
                );
                Privilege::Kernel
            }
        }
    }

    fn callable(
        &mut self,
        class: &ClassSyntax,
        function: &FunctionSyntax,
        full_name: &str,
        (is_static, is_inline): (bool, bool),
        arguments: Vec<Argument>,
    ) {
        let returns = self.returned(&function.returns);
        let writes = arguments
            .iter()
            .find(|argument| argument.direction != Direction::In);
        if let Some(argument) = writes
            && function.returns.name.text != "status_t"
        {
            self.report(
                function.returns.span,
                format!(
                    "{full_name} fills `{}` but does not return status_t",
                    argument.name
                ),
                "return status_t: the pointer may have to be refused",
            );
        }
        let fields = Fields::of(&function.docs);
        let checks = self.field(
            function,
            full_name,
            &fields,
            "Checks",
            "what is checked, and the answer when it fails",
        );
        self.require_summary(function, full_name, &fields);
        self.interface.callables.push(Callable {
            class: class.name.text.clone(),
            function: function.name.text.clone(),
            is_static,
            is_inline,
            arguments,
            returns,
            documentation: fields.documentation,
            checks,
        });
    }

    fn field(
        &mut self,
        function: &FunctionSyntax,
        full_name: &str,
        fields: &Fields,
        name: &str,
        what: &str,
    ) -> String {
        if let Some(text) = fields.named.get(name) {
            return text.clone();
        }
        self.report(
            function.name.span,
            format!("{full_name} has no `/// {name}:`"),
            &format!("say in the comment before it: {what}"),
        );
        String::new()
    }

    fn require_summary(&mut self, function: &FunctionSyntax, name: &str, fields: &Fields) {
        if fields.documentation.summary.is_empty() {
            self.report(
                function.name.span,
                format!("{name} is not described"),
                "say in one `///` sentence before it what it does",
            );
        }
    }

    fn report(&mut self, span: Span, message: String, fix: &str) {
        if let Some(source) = self.source {
            self.diagnostics
                .report(source, span, message, fix.to_owned());
        }
    }
}
