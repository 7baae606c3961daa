//! Tests of the event log: written, read back, damaged.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::store::{LogError, LogReader, Space};

/// Events of each chunk that [`write_log`] writes.
const EVENTS: u32 = 100;

fn open(dir: &Path) -> Result<RunLog, StoreError> {
    let space = Space::measure(dir, None).expect("the directory is readable");
    RunLog::open(&dir.join("7"), Arc::new(space))
}

fn chunk(index: u64) -> Chunk {
    Chunk {
        first_seq: index * u64::from(EVENTS),
        count: EVENTS,
        bytes: format!("events of chunk {index}").into_bytes(),
    }
}

fn write_log(dir: &Path, chunks: u64) -> LogFooter {
    let log = open(dir).expect("the log opens");
    let writer = LogWriter::spawn(log, |_| {}).expect("the thread starts");
    for index in 0..chunks {
        writer.append(chunk(index)).expect("the writer takes it");
    }
    writer.finish().expect("the log is completed")
}

/// Reads a whole log and checks everything about it.
fn read_all(log: &RunLog) -> Result<(Vec<Chunk>, LogFooter), LogError> {
    let mut reader = log.reader(0)?;
    let chunks = read_chunks(&mut reader)?;
    Ok((chunks, reader.check_end()?))
}

fn read_chunks(reader: &mut LogReader) -> Result<Vec<Chunk>, LogError> {
    std::iter::from_fn(|| reader.read_chunk().transpose()).collect()
}

#[test]
fn a_log_is_read_back_as_written_even_after_reopening() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let written = write_log(dir.path(), 50);
    // Reopening at once, again and again, shows that a dropped log has let go of its files.
    for _ in 0..20 {
        let log = open(dir.path()).expect("it reopens");
        let (chunks, footer) = read_all(&log).expect("it is intact");
        assert_eq!(chunks, (0..50).map(chunk).collect::<Vec<_>>());
        assert_eq!(footer, written);
    }
}

#[test]
fn reading_starts_at_the_chunk_that_holds_the_event() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 3);
    let log = open(dir.path()).expect("it reopens");
    let mut reader = log.reader(299).expect("it is readable");
    assert_eq!(reader.read_chunk().expect("intact"), Some(chunk(2)));
    assert_eq!(reader.read_chunk().expect("intact"), None);
    reader
        .check_end()
        .expect("the end is where the footer says");
}

#[test]
fn events_are_durable_before_they_are_acknowledged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = open(dir.path()).expect("the log opens");
    let acknowledged = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&acknowledged);
    let reading = log.clone();
    let writer = LogWriter::spawn(log, move |seq| {
        let last = reading
            .reader(seq - 1)
            .and_then(|mut reader| reader.read_chunk());
        let last = last
            .expect("intact")
            .expect("an acknowledged chunk is there");
        assert_eq!(last.next_seq(), seq);
        seen.store(seq, Ordering::Relaxed);
    });
    let writer = writer.expect("the thread starts");
    for index in 0..40 {
        writer.append(chunk(index)).expect("the writer takes it");
    }
    writer.finish().expect("the log is completed");
    assert_eq!(acknowledged.load(Ordering::Relaxed), 40 * u64::from(EVENTS));
}

#[test]
fn a_changed_value_is_found() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 3);
    let log = open(dir.path()).expect("it reopens");
    let (key, value) = log.db.iter().nth(2).expect("a chunk").expect("readable");
    let mut value = value.to_vec();
    let last = value.len() - 1;
    value[last] ^= 0x80;
    log.db.insert(key, value).expect("writable");
    let error = read_all(&log).expect_err("a bit is flipped");
    let expected = "event log damaged at event 100: the checksum differs";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_replaced_value_breaks_the_chain() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 3);
    let log = open(dir.path()).expect("it reopens");
    let (key, _) = log.db.iter().nth(2).expect("a chunk").expect("readable");
    let other = Chunk {
        bytes: b"other events".to_vec(),
        ..chunk(1)
    };
    let value = chunk::encode(&other, ChainHash::START).expect("it encodes");
    log.db.insert(key, value).expect("writable");
    let error = read_all(&log).expect_err("the chain is broken");
    let expected = "event log damaged at event 100: the hash chain is broken";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_missing_value_is_found_in_the_middle_and_at_the_end() {
    for (nth, expected) in [
        (2, "event log damaged: events 100 to 200 are missing"),
        (3, "event log damaged: events 200 to 300 are missing"),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_log(dir.path(), 3);
        let log = open(dir.path()).expect("it reopens");
        let (key, _) = log.db.iter().nth(nth).expect("a chunk").expect("readable");
        log.db.remove(key).expect("writable");
        let error = read_all(&log).expect_err("a chunk is missing");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_malformed_footer_is_damage() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 1);
    let log = open(dir.path()).expect("it reopens");
    let (key, value) = log.db.iter().last().expect("a footer").expect("readable");
    log.db.insert(key, &value[..20]).expect("writable");
    let error = read_all(&log).expect_err("the footer is cut off");
    assert!(
        error.to_string().contains("the footer is malformed"),
        "{error}"
    );
}

#[test]
fn a_log_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_log(dir.path(), 1);
    let log = open(dir.path()).expect("it reopens");
    let (key, _) = log.db.first().expect("readable").expect("the version");
    log.db.insert(key, &9_u32.to_be_bytes()).expect("writable");
    drop(log);
    let error = open(dir.path()).expect_err("it is from the future");
    assert!(
        error
            .to_string()
            .contains("has schema 9 and this vinod knows up to 1"),
        "{error}"
    );
}

#[test]
fn a_full_disk_stops_the_writer_and_leaves_the_log_readable() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let space = Arc::new(Space::measure(dir.path(), Some(20_000)).expect("readable"));
    let log = RunLog::open(&dir.path().join("7"), space).expect("the log opens");
    let writer = LogWriter::spawn(log.clone(), |_| {}).expect("the thread starts");
    let mut index = 0;
    // Random bytes do not compress, so 100 chunks of 1 KiB cannot fit.
    while index < 100 {
        let bytes =
            (0..32_u64).flat_map(|i| *blake3::hash(&(index * 99 + i).to_be_bytes()).as_bytes());
        let chunk = Chunk {
            bytes: bytes.collect(),
            ..chunk(index)
        };
        if writer.append(chunk).is_err() {
            break;
        }
        index += 1;
    }
    let error = writer.finish().expect_err("the disk is full");
    assert!(error.to_string().starts_with("disk full: "), "{error}");
    let mut reader = log.reader(0).expect("it is readable");
    let chunks = read_chunks(&mut reader).expect("what was written is intact");
    assert!(chunks.len() < 100);
    let error = reader.check_end().expect_err("it was never completed");
    assert_eq!(
        error.to_string(),
        "event log damaged: its footer is missing or names another last chunk"
    );
}
