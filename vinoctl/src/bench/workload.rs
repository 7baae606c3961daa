//! The traces that the run suite follows.

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sim_core::workload::{Trace, TraceFormat, TraceLimits, generate, read_trace};

use crate::failure::{Exit, Failure};

/// The recorded trace of the bars: ARC P6.
const RECORDED: &str = "traces/third-party/arc-p6.pages.txt.zst";
/// Shape of the generated stand-in for it.
const GENERATED_REQUESTS: usize = 12_672_123;
const GENERATED_PAGES: u64 = 773_770;
const GENERATED_WINDOW: usize = 40_000;
const GENERATED_SEED: u64 = 6;

/// Compression of a generated trace for its upload: as fast as it gets.
const UPLOAD_ZSTD_LEVEL: i32 = 1;

/// A trace and how it is called.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) name: String,
    pub(super) trace: Arc<Trace>,
    file: Option<PathBuf>,
}

impl Workload {
    /// The trace in `file`, else the recorded one where it is present, else a generated one.
    pub(super) fn choose(file: Option<&Path>) -> Result<Workload, Failure> {
        if let Some(file) = file {
            return Workload::read(file);
        }
        let shared = std::env::var_os("VINO_SHARED").map_or("../shared".into(), PathBuf::from);
        let recorded = shared.join(RECORDED);
        if recorded.is_file() {
            return Workload::read(&recorded);
        }
        let trace = generate::disk_like(
            GENERATED_REQUESTS,
            GENERATED_PAGES,
            GENERATED_WINDOW,
            GENERATED_SEED,
        );
        let trace =
            trace.map_err(|error| Failure::from_error("cannot generate a trace", &error))?;
        let name = "generated, shaped like ARC P6".to_string();
        Ok(Workload {
            name,
            trace: Arc::new(trace),
            file: None,
        })
    }

    /// How many references the trace makes.
    pub(super) fn references(&self) -> u64 {
        self.trace.references().len() as u64
    }

    /// The name and the bytes of a file that holds the trace, for the daemon.
    pub(super) fn upload(&self) -> Result<(String, Vec<u8>), Failure> {
        let failed = |error| Failure::from_error("cannot prepare the trace", &error);
        if let Some(path) = &self.file {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            return Ok((name, std::fs::read(path).map_err(failed)?));
        }
        let mut file = zstd::Encoder::new(Vec::new(), UPLOAD_ZSTD_LEVEL).map_err(failed)?;
        let mut line = String::new();
        for reference in self.trace.references() {
            let Some(id) = self.trace.page_id(reference.page()) else {
                continue;
            };
            line.clear();
            line.push_str(&id.to_string());
            line.push('\n');
            file.write_all(line.as_bytes()).map_err(failed)?;
        }
        Ok((
            "generated.pages.txt.zst".to_string(),
            file.finish().map_err(failed)?,
        ))
    }

    fn read(path: &Path) -> Result<Workload, Failure> {
        let shown = path.display();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = std::fs::File::open(path).map_err(|error| {
            Failure::new(Exit::NotFound, format!("cannot read {shown}: {error}"))
        })?;
        let format = TraceFormat::from_file_name(&name);
        let limits = TraceLimits::default();
        let failed = |error: &dyn std::error::Error| {
            Failure::from_error(&format!("cannot read {shown}"), error)
        };
        let trace = if name.to_ascii_lowercase().ends_with(".zst") {
            let decoder = zstd::Decoder::new(file).map_err(|error| failed(&error))?;
            read_trace(BufReader::new(decoder), format, limits)
        } else {
            read_trace(BufReader::new(file), format, limits)
        };
        let trace = Arc::new(trace.map_err(|error| failed(&error))?);
        Ok(Workload {
            name,
            trace,
            file: Some(path.to_path_buf()),
        })
    }
}
