//! The SDK's example grafts, carried in the binary for the demo and the benchmark.

use vino_client::GraftUpload;

use crate::failure::Failure;
use crate::toolchain;

/// The graft point that all samples but the benchmark's serve.
pub(crate) const POINT: &str = "vas_o::pick_victim";

/// The source of a graft.
#[derive(Debug)]
pub(crate) struct Sample {
    /// How the graft is called.
    pub(crate) name: &'static str,
    /// Its file name, which tells the language.
    pub(crate) file_name: &'static str,
    /// What it tries to do.
    pub(crate) tries: &'static str,
    /// The source itself.
    pub(crate) text: &'static str,
}

macro_rules! sample {
    ($name:literal, $file:literal, $tries:literal) => {
        Sample {
            name: $name,
            file_name: concat!($name, ".", $file),
            tries: $tries,
            text: include_str!(concat!("../../graft-sdk/examples/", $name, ".", $file)),
        }
    };
    (hostile $name:literal, $tries:literal) => {
        Sample {
            name: $name,
            file_name: concat!($name, ".c"),
            tries: $tries,
            text: include_str!(concat!("../../graft-sdk/examples/hostile/", $name, ".c")),
        }
    };
}

/// Agrees with every proposal.
pub(crate) const DEFAULT_VICTIM: Sample = sample!("default_victim", "c", "agrees");

/// The database author's graft.
pub(crate) const DATABASE_VICTIM: Sample =
    sample!("database_victim", "C", "protects hot pages from scans");

/// Grafts that mean harm.
pub(crate) const HOSTILE: &[Sample] = &[
    sample!(hostile "infinite_loop", "never to answer"),
    sample!(hostile "wild_read", "to read memory that it was not given"),
    sample!(hostile "wild_write", "to overwrite the kernel's own page list"),
    sample!(hostile "jump_into_kernel", "to run kernel code"),
    sample!(hostile "null_call", "to call a null pointer"),
    sample!(hostile "stack_overflow", "to run its stack into what lies below"),
    sample!(hostile "bad_victim", "to have a page evicted that it forged"),
    sample!(hostile "wire_everything", "to keep all memory for itself"),
    sample!(hostile "log_flood", "to exhaust kernel memory with undo records"),
    sample!(hostile "state_flipper", "to change page states all over, then crash"),
];

impl Sample {
    /// Builds the object as `graft build` does.
    pub(crate) async fn build(&self) -> Result<Vec<u8>, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("vinoctl-sample-")
            .tempdir()
            .map_err(|error| Failure::from_error("cannot create a temporary folder", &error))?;
        let source = folder.path().join(self.file_name);
        toolchain::write_file(&source, self.text.as_bytes())?;
        let recipe = toolchain::Recipe {
            sources: vec![source],
            compiler: None,
            compiler_flags: Vec::new(),
            protections: misfit::Options::ALL,
            temps_folder: None,
        };
        Ok(toolchain::build(recipe).await?.object)
    }
}

/// What to load a sample on [`POINT`] with.
pub(crate) fn upload(kernel: &str, process: &str, name: &str) -> GraftUpload {
    GraftUpload {
        kernel: kernel.to_string(),
        process: process.to_string(),
        point: POINT.to_string(),
        name: name.to_string(),
    }
}
