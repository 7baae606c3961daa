//! Checks arguments and results: what is passed, which way, and through which pointers.

use super::Checker;
use crate::model::{Argument, Bound, Direction, Scalar, Shape, Type};
use crate::syntax::{Attribute, Name, ParameterSyntax, TypeSyntax};

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

impl Checker<'_> {
    pub(super) fn returned(&mut self, written: &TypeSyntax) -> Option<Type> {
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

    pub(super) fn arguments(
        &mut self,
        full_name: &str,
        written: &[ParameterSyntax],
    ) -> Vec<Argument> {
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
}

pub(super) fn find_scalar(name: &str) -> Option<Scalar> {
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
