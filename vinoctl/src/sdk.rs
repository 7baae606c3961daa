//! The graft SDK's headers, carried in the binary.
//!
//! `graft build` and the demo work from any folder, without an installed SDK: the headers are
//! written to a temporary folder in the layout of `graft-sdk/`, because they include each other
//! by relative paths.

use std::io;
use std::path::Path;

/// Folders of the written tree that a compiler searches for headers.
pub(crate) const INCLUDE_FOLDERS: &[&str] = &["include"];

macro_rules! headers {
    ($($path:literal),* $(,)?) => {
        /// Every header as (path below `graft-sdk/`, text).
        const HEADERS: &[(&str, &str)] =
            &[$(($path, include_str!(concat!("../../graft-sdk/", $path)))),*];
    };
}

headers![
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
];

/// Writes all headers below `folder`.
pub(crate) fn write_headers(folder: &Path) -> io::Result<()> {
    for (path, text) in HEADERS {
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

    /// Paths of all headers in the source tree, below `graft-sdk/`.
    fn headers_in_tree(folder: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("the SDK's folder") {
            let path = entry.expect("an entry of the SDK's folder").path();
            let is_header = path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("h"));
            if path.is_dir() {
                headers_in_tree(&path, root, found);
            } else if is_header {
                found.push(
                    path.strip_prefix(root)
                        .expect("below the root")
                        .to_path_buf(),
                );
            }
        }
    }

    #[test]
    fn every_header_of_the_sdk_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graft-sdk");
        let mut in_tree = Vec::new();
        headers_in_tree(&root.join("include"), &root, &mut in_tree);
        headers_in_tree(&root.join("interface"), &root, &mut in_tree);
        in_tree.sort();
        let mut carried: Vec<PathBuf> = HEADERS.iter().map(|(path, _)| path.into()).collect();
        carried.sort();
        assert_eq!(carried, in_tree);
    }
}
