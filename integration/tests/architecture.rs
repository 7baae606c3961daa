//! Dependency arrows of `ARCHITECTURE.md`, read from `cargo metadata`.
use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// What each crate of the workspace may depend on inside the workspace, outside of its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("vino-abi", &[]),
    ("misfit", &["vino-abi"]),
    ("stubgen", &["vino-abi"]),
    ("vino-sandbox", &["vino-abi"]),
    ("vino-sandbox-fuzz", &["vino-abi", "vino-sandbox"]),
    ("vino-graft", &["vino-abi"]),
    ("vino-toolchain", &["misfit"]),
    ("sim-core", &["vino-abi", "vino-sandbox"]),
    ("vino-proto", &[]),
    ("vino-client", &["vino-proto"]),
    ("vinod", &["sim-core", "vino-proto", "vino-sandbox"]),
    (
        "vinoctl",
        &[
            "misfit",
            "sim-core",
            "vino-client",
            "vino-proto",
            "vino-sandbox",
            "vino-toolchain",
            "vinod",
        ],
    ),
    ("integration", &[]),
    ("libraries", &[]),
];

/// Third-party crates that only the named crates may use.
const FENCES: &[(&str, &[&str])] = &[
    ("tonic", &["vino-proto", "vino-client", "vinod", "vinoctl"]),
    ("prost", &["vino-proto"]),
    ("sled", &["vinod"]),
    ("iced-x86", &["vino-sandbox", "vino-sandbox-fuzz"]),
    ("object", &["vino-sandbox"]),
    ("libc", &["vino-sandbox", "vinod", "vinoctl"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(integration::repository_root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata reads the workspace");
    metadata
        .packages
        .iter()
        .map(|package| {
            let normal = package.dependencies.iter();
            let normal = normal.filter(|dependency| dependency.kind != DependencyKind::Development);
            let names = normal.map(|dependency| dependency.name.clone()).collect();
            (package.name.to_string(), names)
        })
        .collect()
}

#[test]
fn workspace_crates_depend_only_along_the_arrows() {
    let all = dependencies();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let present: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(
        present, known,
        "a crate is missing from ARROWS, or ARROWS names one that is gone"
    );
    for (name, allowed) in ARROWS {
        for dependency in all[*name]
            .iter()
            .filter(|name| known.contains(name.as_str()))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}: see the arrows in ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn misfit_and_the_verifier_share_only_the_abi() {
    let all = dependencies();
    assert!(!all["misfit"].contains("vino-sandbox"));
    assert!(!all["vino-sandbox"].contains("misfit"));
    assert!(!all["vino-sandbox"].contains("stubgen"));
}

#[test]
fn fenced_libraries_stay_behind_their_fences() {
    for (name, dependencies) in dependencies() {
        for (library, users) in FENCES {
            assert!(
                !dependencies.contains(*library) || users.contains(&name.as_str()),
                "{name} must not use {library}: only {users:?} do"
            );
        }
    }
}
