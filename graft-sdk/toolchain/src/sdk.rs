//! The graft SDK, carried in the program: headers, the sources of the runtime, the Rust crates.
//!
//! Building works from any folder, without an installed SDK: the tree is written to a temporary
//! folder in the layout of `graft-sdk/`, because its files include each other by relative paths.

use std::io;
use std::path::Path;

/// The folder of the tree that a C compiler searches for headers.
pub const INCLUDE_FOLDER: &str = "include";
/// The folder of the tree with the sources of the runtime.
pub const RUNTIME_FOLDER: &str = "runtime";
/// The Rust crates of the tree, each after those that it uses, with where their sources begin.
pub(crate) const RUST_CRATES: &[(&str, &str)] = &[
    ("vino_abi", "abi/src/lib.rs"),
    ("vino_graft", "rust/src/lib.rs"),
];

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Every file as (path below `graft-sdk/`, text).
        const FILES: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../../", $path)))),*];
    };
}

files![
    "abi/src/lib.rs",
    "include/assert.h",
    "include/ctype.h",
    "include/errno.h",
    "include/graft-support.H",
    "include/graft-support.h",
    "include/math.h",
    "include/setjmp.h",
    "include/stdio.h",
    "include/stdlib.h",
    "include/string.h",
    "include/vino/abi.h",
    "include/vino/begin.h",
    "include/vino/end.h",
    "include/vino/heap.h",
    "include/vino/types.h",
    "include/vino/vm.h",
    "interface/base.H",
    "interface/vm.H",
    "runtime/abort.c",
    "runtime/ctype.c",
    "runtime/errno.c",
    "runtime/int128.c",
    "runtime/malloc.c",
    "runtime/math.c",
    "runtime/memchr.c",
    "runtime/memcmp.c",
    "runtime/memcpy.c",
    "runtime/memset.c",
    "runtime/runtime.h",
    "runtime/setjmp.s",
    "runtime/snprintf.c",
    "runtime/sort.c",
    "runtime/strdup.c",
    "runtime/string.c",
    "runtime/strlen.c",
    "runtime/strtod.c",
    "runtime/strtol.c",
    "rust/src/lib.rs",
    "rust/src/points.rs",
    "rust/src/view.rs",
];

/// Writes the whole tree below `folder`.
///
/// # Errors
///
/// If a folder or file cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Paths of all sources and headers below a folder, relative to `root`.
    fn files_in_tree(folder: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder of the SDK") {
            let path = entry.expect("an entry of the SDK's folder").path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                files_in_tree(&path, root, found);
            } else if extension.is_some_and(|known| ["h", "H", "c", "s", "rs"].contains(&known)) {
                let below = path.strip_prefix(root).expect("below the root");
                found.push(below.to_path_buf());
            }
        }
    }

    #[test]
    fn every_file_of_the_sdk_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut in_tree = Vec::new();
        for folder in ["abi", INCLUDE_FOLDER, "interface", RUNTIME_FOLDER, "rust"] {
            files_in_tree(&root.join(folder), &root, &mut in_tree);
        }
        in_tree.sort();
        let mut carried: Vec<PathBuf> = FILES.iter().map(|(path, _)| path.into()).collect();
        carried.sort();
        assert_eq!(carried, in_tree);
    }
}
