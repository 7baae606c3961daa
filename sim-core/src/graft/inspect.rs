//! Looking at a graft's object file without running it.
//!
//! An author does not pick a mangled symbol: a C++ function is recognised by its demangled name
//! `class::function`, a C or Rust function by `class__function`, and so are the functions that the
//! graft calls.
use vino_sandbox::{
    DecodeError, DecodedImage, Limits, LinkError, LinkedImage, Policy, Rejection, Segment,
    SegmentKind, Text, demangle,
};

use super::callables::{HEAP_GROW, heap_grow_number};
use super::nearest::{nearest_callable, nearest_point};
use super::{CALLABLES, Callable, Point};

/// The most function names that an error lists.
const FUNCTIONS_LISTED_MAX: usize = 16;

/// What an acceptable object file offers and needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraftReport {
    /// The graft points whose function it defines.
    pub points: Vec<Point>,
    /// The graft-callable functions it calls, by the names of the interface.
    pub imports: Vec<&'static str>,
    /// Bytes of machine code, with padding.
    pub text_bytes: u64,
    /// Bytes of read-only and writable data, with padding.
    pub data_bytes: u64,
}

/// Why an object file cannot be a graft.
#[derive(Debug, thiserror::Error)]
pub enum GraftRejected {
    /// It is not a relocatable object that a kernel can load.
    #[error(transparent)]
    Decode(DecodeError),
    /// It calls functions that no graft may call.
    #[error("{}", undefined_message(.symbols, *.more))]
    Undefined {
        /// The first unknown symbols, each with the nearest graft-callable name.
        symbols: Vec<(String, Option<&'static str>)>,
        /// How many more there are.
        more: usize,
    },
    /// It cannot be laid out.
    #[error(transparent)]
    Link(LinkError),
    /// Its machine code breaks the rules of the sandbox.
    #[error("{0}")]
    Verify(Box<Rejection>),
    /// It defines the function of no graft point, or not of the wanted one.
    #[error("{}", no_point_message(.wanted.as_deref(), .functions))]
    NoPoint {
        /// The point it was meant for.
        wanted: Option<String>,
        /// Functions that it does define.
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

fn undefined_message(symbols: &[(String, Option<&'static str>)], more: usize) -> String {
    let describe = |(symbol, nearest): &(String, Option<&'static str>)| match nearest {
        Some(nearest) => format!("{symbol} (the nearest graft-callable function is {nearest})"),
        None => symbol.clone(),
    };
    let symbols: Vec<String> = symbols.iter().map(describe).collect();
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "undefined: {}{more}: define it, or call graft-callable functions only",
        symbols.join(", ")
    )
}

fn no_point_message(wanted: Option<&str>, functions: &[String]) -> String {
    let wanted = wanted.unwrap_or("the function of any graft point");
    if functions.is_empty() {
        return format!("the graft does not define {wanted}: it has no global function");
    }
    let functions = functions.join(", ");
    format!("the graft does not define {wanted}; it defines {functions}")
}

/// A linked object and what was found in it.
#[derive(Debug)]
pub(super) struct Inspected {
    pub(super) image: LinkedImage,
    pub(super) imports: Vec<&'static str>,
    /// The points it defines, with the symbols of their functions.
    pub(super) points: Vec<(Point, String)>,
}

impl Inspected {
    /// The symbol of the function for a point that inspection demanded.
    pub(super) fn symbol(&self, point: Point) -> &str {
        let found = self.points.iter().find(|(defined, _)| *defined == point);
        let (_, symbol) = found.expect("inspection demanded the point");
        symbol
    }
}

/// The symbol of an object's function for a point.
pub(crate) fn find_symbol(object: &[u8], point: Point) -> Result<String, GraftRejected> {
    let inspected = inspect(object, Some(point))?;
    Ok(inspected.symbol(point).to_owned())
}

/// Decodes and links an object, and finds the graft points that it defines.
pub(super) fn inspect(object: &[u8], wanted: Option<Point>) -> Result<Inspected, GraftRejected> {
    let decoded = DecodedImage::decode(object, &Limits::default());
    let decoded = decoded.map_err(GraftRejected::Decode)?;
    let points = find_points(&decoded)?;
    let defines = |point: Point| points.iter().any(|(found, _)| *found == point);
    let lacking = wanted.map_or(points.is_empty(), |point| !defines(point));
    if lacking {
        let functions = decoded.functions().take(FUNCTIONS_LISTED_MAX);
        return Err(GraftRejected::NoPoint {
            wanted: wanted.map(|point| point.info().name.to_owned()),
            functions: functions.map(readable_name).collect(),
        });
    }
    let mut imports = Vec::new();
    let image = decoded.link(&mut |symbol| {
        if symbol == HEAP_GROW {
            imports.push(HEAP_GROW);
            return Some(heap_grow_number());
        }
        let callable = callable_of(symbol)?;
        imports.push(callable.info().name);
        Some(number_of(callable))
    });
    let image = image.map_err(|error| match error {
        LinkError::Undefined { names } => {
            // Each is compared with every callable, and a hostile object may have very many.
            let listed = names.iter().take(FUNCTIONS_LISTED_MAX);
            let symbols = listed.map(|name| {
                let name = readable_name(name);
                let nearest = nearest_callable(&name);
                (name, nearest)
            });
            GraftRejected::Undefined {
                more: names.len().saturating_sub(FUNCTIONS_LISTED_MAX),
                symbols: symbols.collect(),
            }
        }
        other => GraftRejected::Link(other),
    })?;
    imports.sort_unstable();
    imports.dedup();
    Ok(Inspected {
        image,
        imports,
        points,
    })
}

/// The import number of a graft-callable function: its place in the table.
fn number_of(callable: Callable) -> u32 {
    let place = CALLABLES.iter().position(|info| info.id == callable);
    let place = place.expect("every callable is in the table");
    u32::try_from(place).expect("fewer callables than IMPORTS_MAX")
}

/// `class::function` for a C++ symbol, the symbol itself otherwise.
fn readable_name(symbol: &str) -> String {
    demangle(symbol).unwrap_or_else(|| symbol.to_owned())
}

fn callable_of(symbol: &str) -> Option<Callable> {
    Callable::from_c_name(symbol).or_else(|| Callable::from_name(&readable_name(symbol)))
}

fn point_of(symbol: &str) -> Option<Point> {
    Point::from_c_name(symbol).or_else(|| Point::from_name(&readable_name(symbol)))
}

fn find_points(image: &DecodedImage) -> Result<Vec<(Point, String)>, GraftRejected> {
    let mut points: Vec<(Point, String)> = Vec::new();
    for symbol in image.functions() {
        let Some(point) = point_of(symbol) else {
            continue;
        };
        if let Some((_, first)) = points.iter().find(|(known, _)| *known == point) {
            return Err(GraftRejected::TwoDefinitions {
                point: point.info().name,
                first: first.clone(),
                second: symbol.to_owned(),
            });
        }
        points.push((point, symbol.to_owned()));
    }
    points.sort_by_key(|(point, _)| *point);
    Ok(points)
}

/// Checks an object file as attaching it would, without attaching it.
///
/// # Errors
///
/// It is no object, not safe, calls what is not graft-callable, or is no graft of that point.
pub fn inspect_graft(
    object: &[u8],
    point: Option<&str>,
    read_protection: bool,
) -> Result<GraftReport, GraftRejected> {
    let wanted = point.map(|name| {
        Point::from_name(name).ok_or_else(|| GraftRejected::UnknownPoint {
            name: name.to_owned(),
            nearest: nearest_point(name),
        })
    });
    let inspected = inspect(object, wanted.transpose()?)?;
    verify_image(&inspected.image, &Policy { read_protection })
        .map_err(|rejection| GraftRejected::Verify(Box::new(rejection)))?;
    let bytes_of = |wanted: fn(SegmentKind) -> bool| {
        let segments = inspected.image.segments().iter();
        let wanted = segments.filter(|segment| wanted(segment.kind));
        wanted.map(|segment| u64::from(segment.bytes_len)).sum()
    };
    Ok(GraftReport {
        points: inspected.points.iter().map(|(point, _)| *point).collect(),
        imports: inspected.imports,
        text_bytes: bytes_of(|kind| matches!(kind, SegmentKind::Text)),
        data_bytes: bytes_of(|kind| !matches!(kind, SegmentKind::Text)),
    })
}

/// Verifies the text of an image; its bytes are the same at every base.
fn verify_image(image: &LinkedImage, policy: &Policy) -> Result<(), Rejection> {
    let text = |segment: &Segment| matches!(segment.kind, SegmentKind::Text);
    let Some(index) = image.segments().iter().position(text) else {
        return Ok(());
    };
    let mut bytes = vec![0; image.segments()[index].bytes_len as usize];
    image.place(0, index, &mut bytes);
    match Text::of(image, &bytes) {
        Some(text) => vino_sandbox::verify(&text, policy).map(drop),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_callables_are_found_by_their_names_in_both_languages() {
        let mangled = "_ZN5vas_o11pick_victimEP6list_oIP15coremap_entry_oES2_PS2_";
        assert_eq!(point_of(mangled), Some(Point::VasPickVictim));
        assert_eq!(point_of("vas_o__pick_victim"), Some(Point::VasPickVictim));
        assert_eq!(point_of("pick_victim"), None);
        let mangled = "_ZN15coremap_entry_o13set_pagestateE12page_state_t";
        assert_eq!(
            callable_of(mangled),
            Some(Callable::CoremapEntrySetPagestate)
        );
        assert_eq!(callable_of("as_o__deref"), Some(Callable::AsDeref));
    }

    #[test]
    fn what_is_no_object_is_refused_with_a_reason() {
        let error = inspect_graft(b"hello", None, true).expect_err("not an object");
        assert!(matches!(error, GraftRejected::Decode(_)), "{error}");
    }

    #[test]
    fn an_unknown_point_names_the_nearest() {
        let error = inspect_graft(b"", Some("vas_o::pick_victims"), true);
        assert_eq!(
            error.expect_err("unknown").to_string(),
            "unknown graft point \"vas_o::pick_victims\"; did you mean \"vas_o::pick_victim\"?"
        );
    }

    #[test]
    fn undefined_symbols_are_named_with_what_may_have_been_meant() {
        let error = GraftRejected::Undefined {
            symbols: vec![
                (
                    "coremap_entry_o::get_state".to_owned(),
                    Some("coremap_entry_o::get_pagestate"),
                ),
                ("printf".to_owned(), None),
            ],
            more: 3,
        };
        let message = error.to_string();
        assert!(message.contains("printf and 3 more: define"), "{message}");
        assert!(
            message.contains("the nearest graft-callable function is coremap_entry_o::get_p"),
            "{message}"
        );
    }
}
