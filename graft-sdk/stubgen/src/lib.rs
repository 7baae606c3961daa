//! Compiles the kernel's graftable interface: declarations in, dispatch and reference out.
//!
//! The input is the notation of VINO manual section 3.4, which is also C++ that a graft author
//! compiles: `GRAFTABLE(status_t, class, function, (IN type name, ...));` declares a graft point,
//! `GRAFT_CALLABLE type function(...)` a function that a graft may call. The `///` comments before
//! a declaration say what people need to know about it, and are as mandatory as its arguments.
//!
//! ```text
//! *.H --lexer--> tokens --parser--> syntax --check--> Interface --backend--> Rust, C, markdown
//! ```
//!
//! [`compile`] runs the front, [`generate`] the backends. Whatever is wrong with a declaration is
//! a [`Diagnostic`] with its place, its text and the fix; compilation goes on, so that one run
//! shows every mistake.

mod backend;
mod check;
mod diagnostic;
mod lexer;
mod model;
mod parser;
mod syntax;

pub use backend::{GeneratedFile, generate};
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics};
pub use model::{
    Argument, Bound, Callable, Class, Direction, Documentation, Enumeration, Enumerator, Interface,
    Point, Privilege, Scalar, Shape, Type,
};

/// The most bytes one interface header may have.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;

/// One interface header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that messages show.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Compiles interface headers, which may refer to each other's classes in any order.
///
/// # Errors
///
/// Everything that is wrong with the declarations, in the order of the text.
pub fn compile(sources: &[Source]) -> Result<Interface, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut files = Vec::new();
    for source in sources {
        let tokens = lexer::tokenize(source, &mut diagnostics);
        files.push(parser::parse(source, &tokens, &mut diagnostics));
    }
    let interface = check::check(sources, &files, &mut diagnostics);
    if diagnostics.is_empty() {
        Ok(interface)
    } else {
        diagnostics.sort(sources);
        Err(diagnostics)
    }
}
