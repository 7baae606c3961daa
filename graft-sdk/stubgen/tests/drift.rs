//! The interface of this repository: complete, and in step with what was generated from it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use stubgen::{Interface, Source};

/// The graft points of virtual memory: VINO manual, appendix 1.
const POINTS: &[&str] = &[
    "pm_mgr::stop_pageout",
    "pm_mgr::awake_pagedaemon",
    "pm_mgr::swap_pageout_order",
    "vas_o::pick_victim",
];

/// The graft-callable entries of virtual memory: VINO manual, appendix 2, in its order, which
/// lists two of them twice.
const CALLABLES: &[&str] = &[
    "as_o::deref",
    "as_o::deref_all",
    "coremap_entry_o::get_owner_vas",
    "coremap_entry_o::get_pa",
    "coremap_entry_o::get_pagestate",
    "coremap_entry_o::set_pagestate",
    "coremap_entry_o::get_statelink",
    "coremap_entry_o::get_owner_vas",
    "coremap_entry_o::get_pa",
    "vm_offset_t::bsd_pmap_extract",
    "vm_offset_t::bsd_pmap_is_referenced",
    "vm_offset_t::bsd_pmap_is_modified",
    "vm_offset_t::bsd_pmap_rev_lookup",
];

/// Graft-callable entries that the manual does not have: through them a graft reaches other points.
const ADDED_CALLABLES: &[&str] = &["pm_mgr::pageout"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn repository_interface() -> Interface {
    let folder = root().join("graft-sdk/interface");
    let sources = ["base.H", "vm.H"].map(|name| Source {
        name: name.to_owned(),
        text: fs::read_to_string(folder.join(name)).expect("the header is readable"),
    });
    stubgen::compile(&sources).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn generated_files_are_up_to_date() {
    let mut stale = Vec::new();
    for file in stubgen::generate(&repository_interface()) {
        let text = fs::read_to_string(root().join(file.path)).unwrap_or_default();
        if text != file.text {
            stale.push(file.path);
        }
    }
    assert!(
        stale.is_empty(),
        "not what stubgen writes: {}; run `cargo run -p stubgen`",
        stale.join(", ")
    );
}

#[test]
fn the_command_finds_nothing_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_stubgen"))
        .arg("--check")
        .current_dir(root())
        .output()
        .expect("stubgen runs");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
}

#[test]
fn generated_rust_is_formatted() {
    let found = Command::new("rustfmt").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: rustfmt is not installed");
        return;
    }
    let generated = root().join("sim-core/src/graft/generated.rs");
    let fixture = root().join("graft-sdk/stubgen/tests/language/generated.rs");
    for path in [generated, fixture] {
        let output = Command::new("rustfmt")
            .args(["--edition", "2024", "--check"])
            .arg(&path)
            .output()
            .expect("rustfmt runs");
        let difference = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {difference}", path.display());
    }
}

#[test]
fn every_entry_of_the_appendices_for_virtual_memory_is_declared_and_nothing_else() {
    let interface = repository_interface();
    let points = interface.points.iter();
    let points: Vec<String> = points
        .map(|point| format!("{}::{}", point.class, point.function))
        .collect();
    assert_eq!(points, POINTS);
    let callables = interface.callables.iter();
    let mut callables: Vec<String> = callables
        .map(|callable| format!("{}::{}", callable.class, callable.function))
        .collect();
    let mut expected = [CALLABLES, ADDED_CALLABLES].concat();
    callables.sort_unstable();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(callables, expected);
}
