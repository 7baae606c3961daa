//! The declarations of one interface header as written, before any of them is believed.

use crate::diagnostic::Span;

/// A name and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// The `///` lines before a declaration.
pub(crate) type DocLines = Vec<(String, Span)>;

/// Everything that one header declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) classes: Vec<ClassSyntax>,
    pub(crate) enums: Vec<EnumSyntax>,
}

/// `class name : public base { ... };`
#[derive(Clone, Debug)]
pub(crate) struct ClassSyntax {
    pub(crate) name: Name,
    pub(crate) base: Option<Name>,
    pub(crate) is_template: bool,
    pub(crate) docs: DocLines,
    pub(crate) functions: Vec<FunctionSyntax>,
}

/// `enum name { ... };`
#[derive(Clone, Debug)]
pub(crate) struct EnumSyntax {
    pub(crate) name: Name,
    pub(crate) docs: DocLines,
    /// Each enumerator and the text of its value.
    pub(crate) enumerators: Vec<(Name, String)>,
}

/// What was declared about a function.
#[derive(Clone, Debug)]
pub(crate) enum FunctionKind {
    /// `GRAFTABLE`, with the class it names.
    Graftable { class: Name },
    /// `GRAFT_CALLABLE`.
    Callable { is_static: bool, has_body: bool },
}

/// One `GRAFTABLE` or `GRAFT_CALLABLE` declaration.
#[derive(Clone, Debug)]
pub(crate) struct FunctionSyntax {
    pub(crate) kind: FunctionKind,
    pub(crate) returns: TypeSyntax,
    pub(crate) name: Name,
    pub(crate) parameters: Vec<ParameterSyntax>,
    pub(crate) docs: DocLines,
}

/// A type: a name, the types in `<...>`, and how many `*` follow.
#[derive(Clone, Debug)]
pub(crate) struct TypeSyntax {
    pub(crate) name: Name,
    pub(crate) is_const: bool,
    pub(crate) arguments: Vec<TypeSyntax>,
    pub(crate) pointers: u32,
    pub(crate) span: Span,
}

/// An attribute of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    In,
    Out,
    InOut,
    Ptr,
    /// `ARRAY(n)`, with the text and place of n.
    Array(Name),
    String,
}

/// One parameter: attributes, type, and the name that it ought to have.
#[derive(Clone, Debug)]
pub(crate) struct ParameterSyntax {
    pub(crate) attributes: Vec<(Attribute, Span)>,
    pub(crate) parameter_type: TypeSyntax,
    pub(crate) name: Option<Name>,
    /// Where a missing name would be.
    pub(crate) end: Span,
}
