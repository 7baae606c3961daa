//! The checked interface: what the backends may rely on.
//!
//! Only [`crate::compile`] makes an [`Interface`]; every name in it resolves, every argument can
//! be copied, and every declaration is documented.

/// A value that travels in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Bytes of the value.
    pub bytes: u32,
    /// Whether it is a signed number.
    pub is_signed: bool,
}

/// The type of a value, or of the elements of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number, an enumeration or an address.
    Scalar {
        /// Its name in C and C++.
        name: String,
        /// Its size and sign.
        scalar: Scalar,
    },
    /// A pointer to an object of the kernel.
    Object {
        /// The object's class.
        class: String,
        /// The class with its type arguments, in C++.
        cxx_class: String,
    },
}

impl Type {
    /// Bytes of one value.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        match self {
            Type::Scalar { scalar, .. } => scalar.bytes,
            Type::Object { .. } => 8,
        }
    }

    /// The type in C++, followed by `*` for each of `pointers`, ready for a name.
    #[must_use]
    pub fn to_cxx(&self, pointers: usize) -> String {
        match self {
            Type::Scalar { name, .. } => with_stars(name, pointers),
            Type::Object { cxx_class, .. } => with_stars(cxx_class, pointers + 1),
        }
    }

    /// The same in C, where templates have no arguments.
    #[must_use]
    pub fn to_c(&self, pointers: usize) -> String {
        match self {
            Type::Scalar { name, .. } => with_stars(name, pointers),
            Type::Object { class, .. } => with_stars(class, pointers + 1),
        }
    }
}

fn with_stars(name: &str, pointers: usize) -> String {
    if pointers == 0 {
        name.to_owned()
    } else {
        format!("{name} {}", "*".repeat(pointers))
    }
}

/// Which way an argument is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the callee.
    In,
    /// Back to the caller.
    Out,
    /// Both ways.
    InOut,
}

/// How many elements an array has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Always as many.
    Elements(u32),
    /// As many as the argument at this index says.
    Argument(usize),
}

/// How an argument is passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// By value.
    Scalar,
    /// As the handle of an object of the kernel.
    Object,
    /// Through a pointer to one element.
    Ptr,
    /// Through a pointer to several elements.
    Array(Bound),
    /// Through a pointer to characters that end with 0.
    String,
}

/// One argument of a graft point or graft-callable function, `this` excepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Which way it is copied.
    pub direction: Direction,
    /// How it is passed.
    pub shape: Shape,
    /// The type of the value, or of one element.
    pub element: Type,
}

impl Argument {
    /// How many `*` the declaration adds to the element's type.
    fn pointers(&self) -> usize {
        match self.shape {
            Shape::Scalar | Shape::Object => 0,
            Shape::Ptr | Shape::Array(_) | Shape::String => 1,
        }
    }

    /// The declared type in C++.
    #[must_use]
    pub fn cxx_type(&self) -> String {
        self.element.to_cxx(self.pointers())
    }

    /// The declared type in C.
    #[must_use]
    pub fn c_type(&self) -> String {
        self.element.to_c(self.pointers())
    }
}

/// Who may install a graft at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Any process, for itself.
    Process,
    /// The owner of the kernel: the point affects every process.
    Kernel,
}

/// The `///` text of a declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documentation {
    /// The first sentence or paragraph.
    pub summary: String,
    /// The paragraphs after it.
    pub details: Vec<String>,
}

/// A function of the kernel that a graft may replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The class it belongs to.
    pub class: String,
    /// Its name in the class.
    pub function: String,
    /// The arguments after `this`.
    pub arguments: Vec<Argument>,
    /// What it decides.
    pub documentation: Documentation,
    /// Who may install a graft.
    pub privilege: Privilege,
    /// What the kernel does without a graft.
    pub default: String,
    /// What a hostile or foolish graft could do.
    pub threat: String,
    /// What the kernel does about it.
    pub defence: String,
    /// What therefore always holds.
    pub invariant: String,
}

/// A function of the kernel that a graft may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callable {
    /// The class it belongs to.
    pub class: String,
    /// Its name in the class.
    pub function: String,
    /// Whether it is called without an object.
    pub is_static: bool,
    /// Whether the header answers it from memory that the graft can read.
    pub is_inline: bool,
    /// The arguments after `this`.
    pub arguments: Vec<Argument>,
    /// The result, if it has one.
    pub returns: Option<Type>,
    /// What it does.
    pub documentation: Documentation,
    /// Which arguments are checked, and the answer when they are refused.
    pub checks: String,
}

/// A class of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// The class it extends.
    pub base: Option<String>,
    /// What it stands for.
    pub documentation: Documentation,
}

/// One value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumerator {
    /// Its name.
    pub name: String,
    /// The constant it equals, as written.
    pub value: String,
}

/// An enumeration of the kernel, passed as a 32-bit number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enumeration {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub documentation: Documentation,
    /// Its values.
    pub enumerators: Vec<Enumerator>,
}

/// All that the headers declare, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The classes, except those that stand for numbers.
    pub classes: Vec<Class>,
    /// The enumerations.
    pub enumerations: Vec<Enumeration>,
    /// The graft points.
    pub points: Vec<Point>,
    /// The graft-callable functions.
    pub callables: Vec<Callable>,
}
