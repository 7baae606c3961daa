//! Reads the name of a C++ function or variable out of its symbol.
//!
//! Symbols come from whoever wrote the object, and a full demangler may work for years on sixty
//! bytes of them: expressions in template arguments are parsed by trial, and what a substitution
//! stands for can double each time. So only names are read here, in one pass, and what comes out is
//! about as long as what went in. Names with template arguments, operators and local entities stay
//! as they are.

/// Bytes of a symbol above which it is not read: no name that a person wrote is that long.
const SYMBOL_BYTES_MAX: usize = 1024;
/// What stands between the parts of a qualified name.
const SEPARATOR: &str = "::";
/// How compilers spell the namespace without a name.
const ANONYMOUS: &str = "_GLOBAL__N_";

/// The qualified name behind a C++ symbol, without parameters: `vas_o::pick_victim`.
///
/// `None` if the symbol is not C++, or its name is not plain.
#[must_use]
pub fn demangle(symbol: &str) -> Option<String> {
    if symbol.len() > SYMBOL_BYTES_MAX {
        return None;
    }
    let encoding = symbol.strip_prefix("_Z")?;
    let Some(nested) = encoding.strip_prefix('N') else {
        let (name, parameters) = source_name(encoding)?;
        // Template arguments are part of the name.
        return (!parameters.starts_with('I')).then(|| name.to_owned());
    };
    // Of a member function: const, volatile, restrict, and which kind of object it takes.
    let mut rest = nested.trim_start_matches(['r', 'V', 'K', 'R', 'O']);
    let mut parts: Vec<String> = Vec::new();
    while !rest.starts_with('E') {
        let (part, after) = part(rest, parts.last())?;
        parts.push(part);
        rest = after;
    }
    (!parts.is_empty()).then(|| parts.join(SEPARATOR))
}

/// One part of a qualified name, and what follows it.
fn part<'a>(text: &'a str, class: Option<&String>) -> Option<(String, &'a str)> {
    if let Some(after) = text.strip_prefix("St") {
        return Some(("std".to_owned(), after));
    }
    if let Some((name, after)) = source_name(text) {
        return Some((name.to_owned(), after));
    }
    let (kind, after) = text.split_at_checked(2)?;
    // Nothing is inside a constructor, so its class is written down at most once more.
    match kind {
        _ if !after.starts_with('E') => None,
        "C1" | "C2" | "C3" => Some((class?.clone(), after)),
        "D0" | "D1" | "D2" => Some((format!("~{}", class?), after)),
        _ => None,
    }
}

/// An identifier that its length precedes, and what follows it.
fn source_name(text: &str) -> Option<(&str, &str)> {
    // Of internal linkage.
    let text = text.strip_prefix('L').unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (len, rest) = text.split_at_checked(digits)?;
    let (name, after) = rest.split_at_checked(len.parse().ok().filter(|&len| len > 0)?)?;
    let name = if name.starts_with(ANONYMOUS) {
        "(anonymous namespace)"
    } else {
        name
    };
    Some((name, after))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::demangle;

    #[test]
    fn a_plain_name_is_read_without_its_parameters() {
        let cases = [
            ("_Z3addii", "add"),
            ("_ZL6helperv", "helper"),
            ("_ZN5vas_o11pick_victimEPv", "vas_o::pick_victim"),
            ("_ZNK5vas_o4sizeEv", "vas_o::size"),
            ("_ZN5vas_oC2Ev", "vas_o::vas_o"),
            ("_ZN5vas_oD1Ev", "vas_o::~vas_o"),
            ("_ZNSt6vector4sizeEv", "std::vector::size"),
            ("_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f"),
            ("_ZN5graft4mainE", "graft::main"),
        ];
        for (symbol, name) in cases {
            assert_eq!(demangle(symbol).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_a_plain_name_stays_as_it_is() {
        let long = format!("_Z2000{}", "a".repeat(2000));
        let symbols = [
            "main",
            "",
            "_Z",
            "_ZN",
            "_ZNE",
            "_ZN3addi",
            "_Z9add",
            "_Z0v",
            "_Z1fIiEvv",
            "_ZN1aIiE1bEv",
            "_ZplRK1aS1_",
            "_ZN1aplEv",
            "_ZNC1Ev",
            "_Z99999999999999999999a",
            "_Z1\u{e9}",
            "_ZN1aC1C1Ev",
            &long,
        ];
        for symbol in symbols {
            assert_eq!(demangle(symbol), None, "{symbol}");
        }
    }

    #[test]
    fn no_symbol_costs_more_than_its_length() {
        let start = Instant::now();
        for repeated in [
            "nw", "DTL", "IC1", "StI", "LA", "plnw", "N", "1a", "S_", "St",
        ] {
            for prefix in ["_Z", "_ZN", "_Z1fI", "_Z1fIX", "_Z1f"] {
                let symbol = format!("{prefix}{}", repeated.repeat(300));
                let name = demangle(&symbol).unwrap_or_default();
                assert!(name.len() <= 3 * symbol.len());
            }
        }
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
