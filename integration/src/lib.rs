//! Helpers for the end-to-end tests and the repository checks under `tests/`.
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
///
/// # Panics
///
/// Panics if this crate is no longer one folder below the root.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("integration/ has a parent")
        .to_path_buf()
}

/// The files that belong to the project: tracked, or new and not ignored; paths from the root.
///
/// # Panics
///
/// Panics if `git` cannot list the checkout.
pub fn project_files() -> Vec<PathBuf> {
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(repository_root())
        .output()
        .expect("git lists the checkout");
    assert!(
        listing.status.success(),
        "git ls-files failed in {}",
        repository_root().display()
    );
    let names = String::from_utf8(listing.stdout).expect("file names are UTF-8");
    names
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|path| repository_root().join(path).is_file())
        .collect()
}
