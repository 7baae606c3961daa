//! The constants of `vino-abi` that grafts use, as C macros, so that they are stated once.

use std::fmt::Write as _;

use super::NOTICE;

/// Lists constants under the names they have in Rust.
macro_rules! constants {
    ($prefix:literal, $module:path, [$($name:ident),* $(,)?]) => {{
        use $module as module;
        [$((concat!($prefix, stringify!($name)), i64::from(module::$name))),*]
    }};
}

pub(super) fn generate() -> String {
    let mut out = format!(
        "/*\n * {NOTICE}\n *\n * Constants on which grafts and the kernel agree.\n */\n\
         #ifndef VINO_ABI_H\n#define VINO_ABI_H\n\n"
    );
    let status = constants!(
        "VINO_",
        vino_abi,
        [SUCCESS, EPERM, ENOTFOUND, EINVAL, ENOSPC]
    );
    section(&mut out, "Status codes.", &status, "");
    let states = constants!(
        "VINO_",
        vino_abi,
        [PAGE_FREE, PAGE_ACTIVE, PAGE_INACTIVE, PAGE_WIRED]
    );
    section(&mut out, "Page states.", &states, "");
    let limits = constants!("VINO_", vino_abi, [ARGUMENTS_BYTES]);
    let pages = i64::try_from(vino_abi::PAGE_BYTES).map(|bytes| [("VINO_PAGE_BYTES", bytes)]);
    section(&mut out, "Sizes, in bytes.", &limits, "u");
    section(&mut out, "", &pages.unwrap_or_default(), "u");
    let header = constants!(
        "VINO_PAGE_VIEW_",
        vino_abi::page_view,
        [
            HEADER_BYTES,
            HEADER_FIRST,
            HEADER_LAST,
            HEADER_COUNT,
            HEADER_INACTIVE_COUNT,
            HEADER_VAS,
            HEADER_SLOTS,
        ]
    );
    section(&mut out, "The header of a page view.", &header, "u");
    let entry = constants!(
        "VINO_PAGE_VIEW_",
        vino_abi::page_view,
        [
            ENTRY_BYTES,
            ENTRY_NEXT,
            ENTRY_PREV,
            ENTRY_VPN,
            ENTRY_FRAME,
            ENTRY_GENERATION,
            ENTRY_STATE,
            ENTRY_RESERVED,
        ]
    );
    section(&mut out, "An entry of a page view.", &entry, "u");
    let flags = constants!(
        "VINO_PAGE_VIEW_",
        vino_abi::page_view,
        [STATE_MASK, STATE_REFERENCED, STATE_MODIFIED]
    );
    section(&mut out, "The state word of an entry.", &flags, "u");
    out.push_str("#endif\n");
    out
}

fn section(out: &mut String, title: &str, constants: &[(&str, i64)], suffix: &str) {
    let _ = writeln!(out, "/* {title} */");
    for (name, value) in constants {
        let _ = writeln!(out, "#define {name} {value}{suffix}");
    }
    out.push('\n');
}
