//! Turns declarations as written into an [`Interface`], or says why they cannot be one.

use std::collections::{BTreeMap, BTreeSet};

use crate::Source;
use crate::diagnostic::{Diagnostics, Span};
use crate::model::{
    Argument, Bound, Callable, Class, Direction, Documentation, Enumeration, Enumerator, Interface,
    Point, Privilege, Scalar, Shape, Type,
};
use crate::syntax::{
    Attribute, ClassSyntax, DocLines, File, FunctionKind, FunctionSyntax, Name, ParameterSyntax,
    TypeSyntax,
};

/// Registers that carry arguments, `this` included.
const ARGUMENT_REGISTERS: usize = 6;

/// The numbers that an interface may pass, by name. `vm_offset_t` is a class in C++ that holds
/// one number and is passed like it.
const SCALARS: &[(&str, Scalar)] = &[
    ("int32_t", scalar(4, true)),
    ("uint32_t", scalar(4, false)),
    ("int64_t", scalar(8, true)),
    ("uint64_t", scalar(8, false)),
    ("size_t", scalar(8, false)),
    ("status_t", scalar(4, true)),
    ("vm_offset_t", scalar(8, false)),
];
/// The element of strings, which is passed in arrays only.
const CHARACTER: Scalar = scalar(1, false);
/// Enumerations are passed as C passes them.
const ENUMERATION: Scalar = scalar(4, false);

const fn scalar(bytes: u32, is_signed: bool) -> Scalar {
    Scalar { bytes, is_signed }
}

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

    fn returned(&mut self, written: &TypeSyntax) -> Option<Type> {
        if written.name.text == "void" && written.pointers == 0 {
            return None;
        }
        let found = self.element(written)?;
        let expected = u32::from(matches!(found, Type::Object { .. }));
        if written.pointers != expected {
            self.report(
                written.span,
                format!("`{}` cannot be returned", written.name.text),
                "return a number, a pointer to one object, or status_t with an OUT argument",
            );
        }
        Some(found)
    }

    fn arguments(&mut self, full_name: &str, written: &[ParameterSyntax]) -> Vec<Argument> {
        let mut arguments: Vec<Argument> = Vec::new();
        for (index, parameter) in written.iter().enumerate() {
            let Some(name) = &parameter.name else {
                let text = parameter.parameter_type.to_text();
                self.report(
                    parameter.end,
                    format!("argument {} of {full_name} has no name", index + 1),
                    &format!("name it, for example `{text}argument{}`", index + 1),
                );
                continue;
            };
            if arguments.iter().any(|argument| argument.name == name.text) {
                self.report(
                    name.span,
                    format!("two arguments are named `{}`", name.text),
                    "give each its own name",
                );
            }
            if let Some(argument) = self.argument(parameter, name, written) {
                arguments.push(argument);
            }
        }
        arguments
    }

    fn argument(
        &mut self,
        parameter: &ParameterSyntax,
        name: &Name,
        all: &[ParameterSyntax],
    ) -> Option<Argument> {
        let direction = self.direction(parameter, name)?;
        let element = self.element(&parameter.parameter_type)?;
        let shape = self.shape(parameter, &element, name, all)?;
        let is_value = matches!(shape, Shape::Scalar | Shape::Object);
        if direction != Direction::In && is_value {
            self.report(
                name.span,
                format!("`{}` is passed by value and cannot come back", name.text),
                "make it a pointer with PTR or ARRAY(n), or make it IN",
            );
        }
        if direction == Direction::Out && shape == Shape::String {
            self.report(
                name.span,
                format!(
                    "nobody knows how long the string `{}` may become",
                    name.text
                ),
                "use `OUT ARRAY(n) char *` with the room there is",
            );
        }
        self.check_pointers(parameter, &shape, &element, name);
        Some(Argument {
            name: name.text.clone(),
            direction,
            shape,
            element,
        })
    }

    fn direction(&mut self, parameter: &ParameterSyntax, name: &Name) -> Option<Direction> {
        let mut found = None;
        for (attribute, span) in &parameter.attributes {
            let direction = match attribute {
                Attribute::In => Direction::In,
                Attribute::Out => Direction::Out,
                Attribute::InOut => Direction::InOut,
                _ => continue,
            };
            if found.replace(direction).is_some() {
                self.report(
                    *span,
                    format!("`{}` has two directions", name.text),
                    "write one of IN, OUT and INOUT",
                );
            }
        }
        if found.is_none() {
            self.report(
                name.span,
                format!("`{}` has no direction", name.text),
                "write IN, OUT or INOUT before its type",
            );
        }
        found
    }

    fn shape(
        &mut self,
        parameter: &ParameterSyntax,
        element: &Type,
        name: &Name,
        all: &[ParameterSyntax],
    ) -> Option<Shape> {
        let mut found = None;
        for (attribute, span) in &parameter.attributes {
            let shape = match attribute {
                Attribute::Ptr => Shape::Ptr,
                Attribute::String => Shape::String,
                Attribute::Array(bound) => Shape::Array(self.bound(bound, element, all)?),
                _ => continue,
            };
            if found.replace(shape).is_some() {
                self.report(
                    *span,
                    format!("`{}` has two shapes", name.text),
                    "write one of PTR, ARRAY(n) and STRING",
                );
            }
        }
        Some(found.unwrap_or(match element {
            Type::Scalar { .. } => Shape::Scalar,
            Type::Object { .. } => Shape::Object,
        }))
    }

    fn bound(&mut self, bound: &Name, element: &Type, all: &[ParameterSyntax]) -> Option<Bound> {
        let text = &bound.text;
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let elements_max = vino_abi::ARGUMENTS_BYTES / element.bytes();
            let elements = text.parse().ok();
            let elements = elements.filter(|elements| (1..=elements_max).contains(elements));
            if elements.is_none() {
                self.report(
                    bound.span,
                    format!("an array cannot have {text} elements"),
                    &format!("the argument page holds 1 to {elements_max} of them"),
                );
            }
            return elements.map(Bound::Elements);
        }
        let index = all.iter().position(|parameter| {
            let name = parameter.name.as_ref();
            name.is_some_and(|name| name.text == *text)
        });
        let Some(index) = index else {
            self.report(
                bound.span,
                format!("array bound `{text}` is no argument"),
                "name an argument of the same function, or write a number",
            );
            return None;
        };
        let counter = &all[index];
        let is_in = counter.attributes.iter().map(|(attribute, _)| attribute);
        let is_in = is_in.eq([&Attribute::In]);
        let counts = ["uint32_t", "uint64_t", "size_t"];
        let is_count = counts.contains(&counter.parameter_type.name.text.as_str());
        if !is_in || !is_count || counter.parameter_type.pointers > 0 {
            self.report(
                bound.span,
                format!("array bound `{text}` is not a number that comes in"),
                &format!("declare it as `IN uint32_t {text}`"),
            );
        }
        Some(Bound::Argument(index))
    }

    /// Checks that the written `*` are those that shape and element ask for.
    fn check_pointers(
        &mut self,
        parameter: &ParameterSyntax,
        shape: &Shape,
        element: &Type,
        name: &Name,
    ) {
        let written = &parameter.parameter_type;
        let is_object = u32::from(matches!(element, Type::Object { .. }));
        let is_character = written.name.text == "char";
        let (expected, fix) = match shape {
            Shape::Scalar if is_character => {
                (u32::MAX, "use `IN STRING char *` or `ARRAY(n) char *`")
            }
            Shape::Scalar => (
                0,
                "say how it is copied: PTR for one element, ARRAY(n) for more",
            ),
            Shape::Object => (
                1,
                "pass `class *` for an object, `PTR class **` for a pointer to one",
            ),
            Shape::Ptr | Shape::Array(_) => (
                is_object + 1,
                "PTR and ARRAY(n) need `type *`, or `class **` for objects",
            ),
            Shape::String if is_character => (1, "write `STRING char *`"),
            Shape::String => (u32::MAX, "write `STRING char *`"),
        };
        if written.pointers != expected {
            self.report(
                written.span.to(name.span),
                format!(
                    "`{}` cannot be passed as `{}`",
                    name.text,
                    written.to_text().trim_end()
                ),
                fix,
            );
        }
    }

    /// What the type names, whatever its `*`.
    fn element(&mut self, written: &TypeSyntax) -> Option<Type> {
        let name = &written.name.text;
        let known = find_scalar(name);
        let known = known.or((name == "char").then_some(CHARACTER));
        let known = known.or(self.enumerations.contains(name).then_some(ENUMERATION));
        if let Some(scalar) = known {
            return Some(Type::Scalar {
                name: name.clone(),
                scalar,
            });
        }
        let Some(&is_template) = self.classes.get(name) else {
            self.report(
                written.name.span,
                format!("type `{name}` is not declared"),
                "use a fixed-width number such as uint32_t, or a class of an interface header",
            );
            return None;
        };
        if is_template == written.arguments.is_empty() {
            self.report(
                written.span,
                format!("`{}` is no complete type", written.to_text().trim_end()),
                "write `class_o *`, or `list_o<class_o *> *` for a template",
            );
            return None;
        }
        for argument in &written.arguments {
            self.element(argument)?;
        }
        Some(Type::Object {
            class: name.clone(),
            cxx_class: written.class_text(),
        })
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

fn find_scalar(name: &str) -> Option<Scalar> {
    let found = SCALARS.iter().find(|(known, _)| *known == name);
    found.map(|(_, scalar)| *scalar)
}

impl TypeSyntax {
    /// The class with its type arguments, without `*`.
    fn class_text(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.text.clone();
        }
        let arguments: Vec<String> = self.arguments.iter().map(TypeSyntax::to_text).collect();
        format!("{}<{}>", self.name.text, arguments.join(", "))
    }

    /// The type as it is usually written, ready for a name.
    fn to_text(&self) -> String {
        let constant = if self.is_const { "const " } else { "" };
        let stars = "*".repeat(self.pointers as usize);
        format!("{constant}{} {stars}", self.class_text())
    }
}

/// The text of a `///` comment, taken apart.
struct Fields {
    documentation: Documentation,
    /// The paragraphs that begin with one of [`Fields::NAMES`] and a colon.
    named: BTreeMap<&'static str, String>,
}

impl Fields {
    const NAMES: [&'static str; 6] = [
        "Privilege",
        "Default",
        "Threat",
        "Defence",
        "Invariant",
        "Checks",
    ];

    fn of(lines: &DocLines) -> Fields {
        let mut named: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut paragraphs: Vec<String> = Vec::new();
        let mut current = None;
        let mut is_new_paragraph = true;
        for (line, _) in lines {
            let line = line.trim();
            let field = Fields::NAMES.into_iter().find_map(|name| {
                let text = line.strip_prefix(name)?.strip_prefix(':')?;
                Some((name, text.trim()))
            });
            if let Some((name, text)) = field {
                named.insert(name, text.to_owned());
                current = Some(name);
            } else if line.is_empty() {
                current = None;
                is_new_paragraph = true;
            } else if let Some(name) = current {
                append(named.entry(name).or_default(), line);
            } else if let Some(paragraph) = paragraphs.last_mut().filter(|_| !is_new_paragraph) {
                append(paragraph, line);
            } else {
                paragraphs.push(line.to_owned());
                is_new_paragraph = false;
            }
        }
        let mut paragraphs = paragraphs.into_iter();
        Fields {
            documentation: Documentation {
                summary: paragraphs.next().unwrap_or_default(),
                details: paragraphs.collect(),
            },
            named,
        }
    }
}

fn append(paragraph: &mut String, line: &str) {
    paragraph.push(' ');
    paragraph.push_str(line);
}
