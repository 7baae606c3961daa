//! The programs that are measured: each as a graft, and as native code of the same compiler.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::process::Command;

use crate::failure::{Exit, Failure};
use crate::toolchain::{self, Recipe};

/// Copies of `body.c` that make some 100 KiB of instrumented text.
const BODY_COPIES: u32 = 19;

const KERNELS: &str = include_str!("kernels.c");
/// Functions that cross the border.
pub(super) const CALLS: &str = include_str!("calls.c");
const BODY: &str = include_str!("body.c");
const NATIVE: &str = include_str!("native.c");

/// Everything that was built.
#[derive(Debug)]
pub(super) struct Programs {
    /// The nine kernels.
    pub(super) kernels: Arc<[u8]>,
    /// Functions that cross the border of the sandbox.
    pub(super) calls: Arc<[u8]>,
    /// Many functions, for the verifier.
    pub(super) body: Arc<[u8]>,
    /// The kernels as a native program.
    pub(super) native: PathBuf,
    /// The body as a native shared object.
    pub(super) shared_object: PathBuf,
    /// Sizes of text.
    pub(super) sizes: Vec<TextSizes>,
    /// Holds the files.
    _folder: TempDir,
}

/// What instrumenting adds to the text of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextSizes {
    pub(super) name: &'static str,
    pub(super) native_bytes: u64,
    pub(super) graft_bytes: u64,
}

/// Where the files of the benchmark are.
struct Workshop {
    folder: TempDir,
}

impl Programs {
    /// Compiles everything.
    pub(super) async fn build() -> Result<Programs, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("vinoctl-bench-")
            .tempdir()
            .map_err(|error| Failure::from_error("cannot create a temporary folder", &error))?;
        let shop = Workshop { folder };
        let copies: String = (0..BODY_COPIES)
            .map(|copy| format!("#define COPY {copy}\n#include \"body.c\"\n#undef COPY\n"))
            .collect();
        for (name, text) in [
            ("kernels.c", KERNELS),
            ("calls.c", CALLS),
            ("body.c", BODY),
            ("bodies.c", &copies),
            ("native.c", NATIVE),
        ] {
            toolchain::write_file(&shop.path(name), text.as_bytes())?;
        }
        let (kernels, kernel_sizes) = shop.graft("the nine kernels", "kernels").await?;
        let (body, body_sizes) = shop.graft("a larger body of code", "bodies").await?;
        let (calls, _) = shop.graft("calls", "calls").await?;
        let native = shop.path("native");
        shop.link(&["native.c", "kernels.native.o"], &["-ldl"], &native)?;
        let shared_object = shop.path("bodies.so");
        shop.link(&["bodies.native.o"], &["-shared"], &shared_object)?;
        Ok(Programs {
            kernels,
            calls,
            body,
            native,
            shared_object,
            sizes: vec![kernel_sizes, body_sizes],
            _folder: shop.folder,
        })
    }
}

impl Workshop {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Compiles `stem.c` twice: to a graft, and to `stem.native.o`.
    async fn graft(
        &self,
        name: &'static str,
        stem: &str,
    ) -> Result<(Arc<[u8]>, TextSizes), Failure> {
        let source = self.path(&format!("{stem}.c"));
        let recipe = Recipe {
            sources: vec![source.clone()],
            compiler: None,
            compiler_flags: Vec::new(),
            protections: misfit::Options::ALL,
            temps_folder: None,
        };
        let object = toolchain::build(recipe).await?.object;
        let graft = self.path(&format!("{stem}.o"));
        toolchain::write_file(&graft, &object)?;
        let native = self.path(&format!("{stem}.native.o"));
        toolchain::compile_natively(&[
            "-c".as_ref(),
            source.as_os_str(),
            "-o".as_ref(),
            native.as_os_str(),
        ])?;
        let sizes = TextSizes {
            name,
            native_bytes: text_bytes(&native).await?,
            graft_bytes: text_bytes(&graft).await?,
        };
        Ok((object.into(), sizes))
    }

    fn link(&self, inputs: &[&str], flags: &[&str], output: &Path) -> Result<(), Failure> {
        let inputs: Vec<PathBuf> = inputs.iter().map(|name| self.path(name)).collect();
        let mut arguments: Vec<_> = inputs.iter().map(|path| path.as_os_str()).collect();
        arguments.extend(["-o".as_ref(), output.as_os_str()]);
        arguments.extend(flags.iter().map(OsStr::new));
        toolchain::compile_natively(&arguments)
    }
}

/// The bytes of all sections of code in an object, as binutils count them.
async fn text_bytes(object: &Path) -> Result<u64, Failure> {
    let output = Command::new("size")
        .args(["-A", "-d"])
        .arg(object)
        .output()
        .await;
    let output = output.map_err(|error| Failure::from_error("cannot run size", &error))?;
    let listing = String::from_utf8_lossy(&output.stdout);
    let sizes = listing.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let bytes: u64 = words.next()?.parse().ok()?;
        name.starts_with(".text").then_some(bytes)
    });
    match sizes.sum() {
        0 => Err(Failure::new(
            Exit::Error,
            format!("size tells no text in {}", object.display()),
        )),
        bytes => Ok(bytes),
    }
}
