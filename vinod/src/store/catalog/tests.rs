//! Tests of the catalog: read back, listed, damaged, newer.

use super::*;
use crate::store::{Digest, TraceKind, TraceRecord};

fn open(dir: &Path) -> Result<Catalog, StoreError> {
    let space = Space::measure(dir, None).expect("the directory is readable");
    Catalog::open(&dir.join("catalog"), Arc::new(space))
}

fn trace(name: &str) -> TraceRecord {
    TraceRecord {
        name: name.to_owned(),
        kind: TraceKind::Pages,
        references: 3,
        pages: 2,
        blob: Digest::of(name.as_bytes()),
        size_bytes: 40,
        created_ms: 1,
    }
}

fn put(catalog: &Catalog, names: &[&str]) {
    let mut batch = catalog.write().expect("there is room");
    for name in names {
        batch.put(&trace(name)).expect("readable");
    }
    batch.commit().expect("writable");
}

fn names(traces: Vec<TraceRecord>) -> Vec<String> {
    traces.into_iter().map(|trace| trace.name).collect()
}

#[test]
fn records_survive_reopening_and_each_opening_is_an_epoch() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    assert_eq!(catalog.boot_epoch(), 1);
    put(&catalog, &["a", "b"]);
    put(&catalog, &["a"]);
    let mut batch = catalog.write().expect("there is room");
    batch.delete::<TraceRecord>(b"b").expect("readable");
    batch.delete::<TraceRecord>(b"c").expect("readable");
    assert_eq!(batch.next_run(), 1);
    batch.commit().expect("writable");
    drop(catalog);
    let catalog = open(dir.path()).expect("it reopens");
    assert_eq!(catalog.boot_epoch(), 2);
    assert_eq!(catalog.get(b"a").expect("intact"), Some(trace("a")));
    assert_eq!(catalog.get::<TraceRecord>(b"b").expect("intact"), None);
    assert_eq!(catalog.write().expect("there is room").next_run(), 2);
}

#[test]
fn a_dropped_batch_changes_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    let mut batch = catalog.write().expect("there is room");
    batch.put(&trace("a")).expect("readable");
    assert_eq!(batch.next_run(), 1);
    drop(batch);
    assert_eq!(catalog.get::<TraceRecord>(b"a").expect("intact"), None);
    assert_eq!(catalog.write().expect("there is room").next_run(), 1);
}

#[test]
fn listing_goes_on_after_a_key_in_both_directions() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    put(&catalog, &["a", "ab", "b", "c"]);
    let page = catalog.scan(b"", None, 2).expect("intact");
    assert_eq!(names(page), ["a", "ab"]);
    let page = catalog.scan(b"", Some(b"ab"), 9).expect("intact");
    assert_eq!(names(page), ["b", "c"]);
    let page = catalog.scan(b"a", None, 9).expect("intact");
    assert_eq!(names(page), ["a", "ab"]);
    let mut seen = Vec::new();
    let visit = |trace: TraceRecord| {
        seen.push(trace.name);
        seen.len() < 2
    };
    catalog.scan_backwards(Some(b"c"), visit).expect("intact");
    assert_eq!(seen, ["b", "ab"]);
}

#[test]
fn a_catalog_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    let newer = serde_json::json!({"schema": 7, "shape": "unknown"});
    catalog
        .db
        .insert(HEAD_KEY, sealed(&newer))
        .expect("writable");
    drop(catalog);
    let error = open(dir.path()).expect_err("it is from the future");
    let expected = "has schema 7 and this vinod knows up to 1: use the vinod that wrote it";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn damage_is_found_when_the_catalog_is_opened() {
    type Damage = fn(&sled::Db);
    let cases: [(Damage, &str); 4] = [
        (
            |db| drop(db.remove(HEAD_KEY).expect("writable")),
            "its head is missing",
        ),
        (
            |db| drop(db.insert(HEAD_KEY, "nonsense").expect("writable")),
            "its head is malformed",
        ),
        (
            |db| drop(db.remove(b"tb").expect("writable")),
            "1 records where 2 were written",
        ),
        (
            |db| drop(db.insert(b"ta", "nonsense").expect("writable")),
            "the record ta does not match its checksum",
        ),
    ];
    for (damage, expected) in cases {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let catalog = open(dir.path()).expect("a new one opens");
        put(&catalog, &["a", "b"]);
        damage(&catalog.db);
        drop(catalog);
        let error = open(dir.path()).expect_err("it is damaged").to_string();
        assert!(
            error.contains(&format!("is damaged: {expected}")),
            "{error}"
        );
    }
}

#[test]
fn a_catalog_whose_first_write_was_never_made_is_new() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("catalog");
    drop(database::open(&path, CACHE_BYTES).expect("it is created"));
    assert!(path.join("db").exists(), "a killed daemon leaves it so");
    let catalog = open(dir.path()).expect("nothing is lost");
    assert_eq!(catalog.boot_epoch(), 1);
}

#[test]
fn an_emptied_database_is_damage() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    put(&catalog, &["a"]);
    drop(catalog);
    std::fs::remove_file(dir.path().join("catalog/db")).expect("it is there");
    let error = open(dir.path()).expect_err("it is damaged").to_string();
    let expected = "is damaged: 2 writes were made and it knows of 0";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_truncated_database_file_is_damage() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let catalog = open(dir.path()).expect("a new one opens");
    for round in 0..64 {
        let name = format!("{round}").repeat(50);
        put(&catalog, &[&name]);
    }
    drop(catalog);
    let file = dir.path().join("catalog/db");
    let file = File::options().write(true).open(file).expect("it is there");
    file.set_len(20_000).expect("it can be cut");
    drop(file);
    let error = open(dir.path())
        .expect_err("records are missing")
        .to_string();
    let expected = "is damaged: 65 writes were made and it knows of ";
    assert!(error.contains(expected), "{error}");
}
