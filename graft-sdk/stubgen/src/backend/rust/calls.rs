//! The trait that a kernel implements, and the decoding of a call's registers for it.

use super::line;
use crate::backend::text::{LINE_CHARS_MAX, Named, snake_name, wrap};
use crate::model::{Argument, Bound, Callable, Scalar, Shape, Type};

/// rustfmt writes the arguments of a call on one line up to this width.
const CALL_CHARS_MAX: usize = 60;

/// Writes the trait, the dispatch over all callables, and the decoding of each.
pub(super) fn generate(out: &mut String, callables: &[Callable]) {
    callables_trait(out, callables);
    dispatch(out, callables);
    for callable in callables {
        dispatch_one(out, callable);
    }
    helpers(out, callables);
}

/// How the kernel sees one argument of a graft-callable.
fn rust_type(argument: &Argument) -> &'static str {
    match (&argument.shape, &argument.element) {
        (Shape::Scalar, Type::Scalar { scalar, .. }) => scalar_type(*scalar),
        (Shape::Ptr | Shape::Array(_), _) => "GraftSlice",
        (Shape::Scalar | Shape::Object | Shape::String, _) => "GraftPtr",
    }
}

fn scalar_type(scalar: Scalar) -> &'static str {
    match (scalar.bytes, scalar.is_signed) {
        (4, false) => "u32",
        (4, true) => "i32",
        (_, false) => "u64",
        (_, true) => "i64",
    }
}

fn callables_trait(out: &mut String, callables: &[Callable]) {
    line(
        out,
        "
/// What a kernel answers when a graft calls it.
///
/// Every argument is an allegation: a [`GraftPtr`] may point anywhere, and a [`GraftSlice`] lies in
/// the sandbox but may not be mapped. `this` is the object that the function belongs to.
pub trait GraftCallables {
    /// Why a call ended the whole invocation.
    type Abort;",
    );
    for callable in callables {
        out.push('\n');
        for text in wrap("    /// ", &callable.documentation.summary) {
            line(out, text);
        }
        line(out, "    ///");
        for text in wrap("    /// ", &format!("Checks: {}", callable.checks)) {
            line(out, text);
        }
        line(out, "    ///\n    /// # Errors\n    ///");
        line(
            out,
            "    /// The reason to abort the invocation that called.",
        );
        let mut parameters = vec!["&mut self".to_owned()];
        if !callable.is_static {
            parameters.push("this: GraftPtr".to_owned());
        }
        for argument in &callable.arguments {
            parameters.push(format!("{}: {}", argument.name, rust_type(argument)));
        }
        let name = snake_name(&callable.class, &callable.function);
        signature(
            out,
            "    ",
            &format!("fn {name}"),
            &parameters,
            "Result<u64, Self::Abort>;",
        );
    }
    line(out, "}");
}

/// A function's head, broken as rustfmt breaks it.
fn signature(out: &mut String, indent: &str, head: &str, parameters: &[String], tail: &str) {
    let single = format!("{indent}{head}({}) -> {tail}", parameters.join(", "));
    if single.chars().count() <= LINE_CHARS_MAX {
        return line(out, single);
    }
    line(out, format!("{indent}{head}("));
    for parameter in parameters {
        line(out, format!("{indent}    {parameter},"));
    }
    line(out, format!("{indent}) -> {tail}"));
}

fn dispatch(out: &mut String, callables: &[Callable]) {
    line(
        out,
        "
/// Decodes the arguments of one call and passes it on.
///
/// A pointer that cannot lie in the sandbox is answered with `EINVAL` here.
///
/// # Errors
///
/// The reason to abort the invocation that called.
pub fn dispatch<C: GraftCallables>(
    callable: Callable,
    args: &[u64; 6],
    callables: &mut C,
) -> Result<u64, C::Abort> {
    match callable {",
    );
    for callable in callables {
        let name = snake_name(&callable.class, &callable.function);
        let variant = callable.variant();
        line(
            out,
            format!("        Callable::{variant} => {name}(args, callables),"),
        );
    }
    line(out, "    }\n}");
}

fn dispatch_one(out: &mut String, callable: &Callable) {
    let name = snake_name(&callable.class, &callable.function);
    out.push('\n');
    let head = format!("fn {name}<C: GraftCallables>");
    let parameters = ["args: &[u64; 6]", "callables: &mut C"].map(str::to_owned);
    signature(out, "", &head, &parameters, "Result<u64, C::Abort> {");
    let mut passed = Vec::new();
    let mut register = 0;
    if !callable.is_static {
        line(out, "    let this = GraftPtr::claim(args[0]);");
        passed.push("this".to_owned());
        register = 1;
    }
    let first = register;
    for argument in &callable.arguments {
        decode(out, callable, argument, register, first);
        passed.push(argument.name.clone());
        register += 1;
    }
    let call = passed.join(", ");
    if call.chars().count() <= CALL_CHARS_MAX {
        line(out, format!("    callables.{name}({call})"));
    } else {
        line(out, format!("    callables.{name}("));
        for argument in &passed {
            line(out, format!("        {argument},"));
        }
        line(out, "    )");
    }
    line(out, "}");
}

/// Decodes the argument in one register; later arguments may use its name.
fn decode(
    out: &mut String,
    callable: &Callable,
    argument: &Argument,
    register: usize,
    first: usize,
) {
    let name = &argument.name;
    let value = format!("args[{register}]");
    let decoded = match rust_type(argument) {
        "u64" => value,
        "i64" => format!("{value}.cast_signed()"),
        "u32" => format!("low32({value})"),
        "i32" => format!("low32({value}).cast_signed()"),
        "GraftPtr" => format!("GraftPtr::claim({value})"),
        _ => {
            let bytes = argument.element.bytes();
            let length = match &argument.shape {
                Shape::Array(Bound::Elements(n)) => (bytes * n).to_string(),
                Shape::Array(Bound::Argument(index)) => {
                    let counter = &callable.arguments[*index];
                    let count = format!("args[{}]", first + index);
                    if rust_type(counter) == "u32" {
                        format!("{bytes} * u64::from(low32({count}))")
                    } else {
                        format!("{count}.saturating_mul({bytes})")
                    }
                }
                _ => bytes.to_string(),
            };
            line(
                out,
                format!("    let Some({name}) = GraftSlice::claim({value}, {length}) else {{"),
            );
            line(out, "        return Ok(REFUSED);\n    };");
            return;
        }
    };
    line(out, format!("    let {name} = {decoded};"));
}

/// The helpers that the decoding above uses.
fn helpers(out: &mut String, callables: &[Callable]) {
    let mut arguments = callables.iter().flat_map(|callable| &callable.arguments);
    let is_used = arguments.any(|argument| matches!(rust_type(argument), "u32" | "i32"));
    if is_used {
        line(
            out,
            "
/// The value of a 32-bit argument: the upper half of its register means nothing.
fn low32(register: u64) -> u32 {
    (register & 0xffff_ffff) as u32
}",
        );
    }
}
