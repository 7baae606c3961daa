//! The parts of the runtime, and which of them a graft needs.

use std::collections::BTreeSet;

use crate::symbols::Symbols;

/// One source of the runtime.
#[derive(Debug)]
pub(crate) struct Part {
    /// File name below `runtime/`.
    pub(crate) file: &'static str,
    /// The functions it defines.
    pub(crate) functions: &'static [&'static str],
}

/// Every part. A test compares the functions with what compilers make of the sources.
pub(crate) const PARTS: &[Part] = &[
    part("abort.c", &["__assert_fail", "abort", "exit"]),
    part(
        "ctype.c",
        &[
            "isalnum", "isalpha", "isascii", "isblank", "iscntrl", "isdigit", "isgraph", "islower",
            "isprint", "ispunct", "isspace", "isupper", "isxdigit", "tolower", "toupper",
        ],
    ),
    part("errno.c", &["__errno_location"]),
    part(
        "int128.c",
        &[
            "__divmodti4",
            "__divti3",
            "__modti3",
            "__popcountdi2",
            "__popcountti2",
            "__udivmodti4",
            "__udivti3",
            "__umodti3",
        ],
    ),
    part(
        "malloc.c",
        &[
            "aligned_alloc",
            "calloc",
            "free",
            "malloc",
            "malloc_usable_size",
            "posix_memalign",
            "realloc",
        ],
    ),
    part(
        "math.c",
        &[
            "ceil", "copysign", "fabs", "floor", "fmod", "frexp", "ldexp", "modf", "round",
            "scalbn", "sqrt", "trunc",
        ],
    ),
    part("memchr.c", &["memchr", "memrchr"]),
    part("memcmp.c", &["bcmp", "memcmp"]),
    part("memcpy.c", &["memcpy", "memmove"]),
    part("memset.c", &["memset"]),
    part("setjmp.s", &["longjmp", "setjmp"]),
    part(
        "snprintf.c",
        &["snprintf", "sprintf", "vsnprintf", "vsprintf"],
    ),
    part("sort.c", &["bsearch", "qsort"]),
    part("strdup.c", &["strdup", "strndup"]),
    part(
        "string.c",
        &[
            "stpcpy",
            "strcat",
            "strchr",
            "strchrnul",
            "strcmp",
            "strcoll",
            "strcpy",
            "strcspn",
            "strncat",
            "strncmp",
            "strncpy",
            "strpbrk",
            "strrchr",
            "strspn",
            "strstr",
            "strtok_r",
            "strxfrm",
        ],
    ),
    part("strlen.c", &["strlen", "strnlen"]),
    part("strtod.c", &["atof", "strtod"]),
    part(
        "strtol.c",
        &[
            "abs", "atoi", "atol", "atoll", "div", "labs", "ldiv", "llabs", "lldiv", "strtol",
            "strtoll", "strtoul", "strtoull",
        ],
    ),
];

const fn part(file: &'static str, functions: &'static [&'static str]) -> Part {
    Part { file, functions }
}

/// The parts that define what an object lacks.
pub(crate) fn needed(symbols: &Symbols) -> Vec<&'static Part> {
    let lacks = |part: &&Part| {
        let mut functions = part.functions.iter();
        functions.any(|function| symbols.undefined.contains(*function))
    };
    PARTS.iter().filter(lacks).collect()
}

/// Takes the symbols of one more object into account.
pub(crate) fn add(symbols: &mut Symbols, more: Symbols) {
    symbols.defined.extend(more.defined);
    symbols.undefined.extend(more.undefined);
    let defined = std::mem::take(&mut symbols.defined);
    let undefined: BTreeSet<String> = symbols.undefined.difference(&defined).cloned().collect();
    (symbols.defined, symbols.undefined) = (defined, undefined);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_is_in_two_parts() {
        let all: Vec<_> = PARTS.iter().flat_map(|part| part.functions).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn what_is_defined_elsewhere_is_not_needed() {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let mut symbols = Symbols {
            defined: set(&["strlen"]),
            undefined: set(&["memcpy", "vas_o__find"]),
        };
        let more = Symbols {
            defined: set(&["memcpy"]),
            undefined: set(&["strlen", "memset"]),
        };
        add(&mut symbols, more);
        let files: Vec<_> = needed(&symbols).iter().map(|part| part.file).collect();
        assert_eq!(files, ["memset.c"]);
    }
}
