//! What the demo carries with it: a real trace, and the machine that it runs on.

/// A trace file and what the demo says about it.
#[derive(Debug)]
pub(super) struct TraceFile {
    pub(super) name: &'static str,
    pub(super) file_name: &'static str,
    pub(super) what: &'static str,
    pub(super) bytes: &'static [u8],
}

/// Frames of the demo's machine: a tenth of the trace's pages.
pub(super) const FRAMES: u32 = 1_128;
/// The process that is the database.
pub(super) const PROCESS: &str = "database";

/// The workload.
pub(super) const TRACE: TraceFile = TraceFile {
    name: "self-ftrace-sqlite",
    file_name: "self-ftrace-sqlite.pages.txt.zst",
    what: "A real sqlite3 database at work, recorded on Linux: look-ups through an index, and a \
           full table\nscan after every 3,000 of them, which pushes the hot pages out of memory.",
    bytes: include_bytes!("../../../traces/self-ftrace-sqlite.pages.txt.zst"),
};
