//! `graft build|verify|disasm|load|list|get|unload`.

use std::path::Path;

use serde::Serialize;
use sim_core::graft::{GraftRejected, inspect_graft};
use vino_client::GraftUpload;

use super::{read_file, suggest};
use crate::args::{BuildArgs, DisasmArgs, Globals, GraftVerb, LoadArgs, VerifyArgs};
use crate::failure::{Exit, Failure};
use crate::inspect::Subject;
use crate::output::{Column, Output, Printable, grouped, number, text};
use crate::render::listing::{self, Composition, Listing};
use crate::render::rejection::Refused;
use crate::{remote, toolchain};

pub(super) async fn execute(
    verb: GraftVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    match verb {
        GraftVerb::Build(args) => build(&args, globals, output).await,
        GraftVerb::Verify(args) => verify(&args, output),
        GraftVerb::Disasm(args) => disasm(&args, output),
        GraftVerb::Load(args) => load(args, globals, output).await,
        GraftVerb::List(args) => {
            let client = remote::connect(globals).await?;
            output.list(&client.grafts(args.kernel.as_deref()).await?)
        }
        GraftVerb::Get(args) => {
            let client = remote::connect(globals).await?;
            let kernel = remote::kernel_name(&client, args.kernel.kernel).await?;
            output.item(&client.graft(&kernel, &args.graft).await?)
        }
        GraftVerb::Unload(args) => {
            let client = remote::connect(globals).await?;
            let kernel = remote::kernel_name(&client, args.kernel.kernel).await?;
            output.item(&client.unload_graft(&kernel, &args.graft).await?)
        }
    }
}

/// What `graft build` prints.
#[derive(Debug, Serialize)]
struct BuiltObject {
    object: String,
    size_bytes: u64,
    compiler: Option<String>,
    protections: String,
    runtime: Vec<&'static str>,
}

impl Printable for BuiltObject {
    const COLUMNS: &'static [Column] = &[
        text("OBJECT"),
        number("BYTES"),
        text("COMPILER"),
        text("PROTECTIONS"),
        text("RUNTIME"),
    ];

    fn name(&self) -> String {
        self.object.clone()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.object.clone(),
            grouped(self.size_bytes),
            self.compiler.clone().unwrap_or_else(|| "none".to_string()),
            self.protections.clone(),
            match self.runtime.as_slice() {
                [] => "-".to_string(),
                parts => parts.join(","),
            },
        ]
    }
}

async fn build(args: &BuildArgs, globals: &Globals, output: &mut Output) -> Result<(), Failure> {
    let protections = toolchain::parse_protections(&args.protect)?;
    let path = globals.file().cloned();
    let path = path.unwrap_or_else(|| toolchain::default_object(&args.sources[0]));
    if args
        .sources
        .iter()
        .any(|source| toolchain::is_same_file(source, &path))
    {
        let message = format!(
            "{} is the source: name another file with -o",
            path.display()
        );
        return Err(Failure::usage(message));
    }
    let folders = args.include.iter();
    let folders = folders.map(|folder| format!("-I{}", folder.display()));
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let built = toolchain::build(toolchain::Recipe {
        sources: args.sources.clone(),
        compiler: args.compiler.clone(),
        compiler_flags: folders.chain(args.compiler_flags.clone()).collect(),
        protections,
        temps_folder: args.save_temps.then_some(folder),
    })
    .await?;
    check_undefined(&built.object)?;
    toolchain::write_file(&path, &built.object)?;
    let object = path.display().to_string();
    output.item(&BuiltObject {
        object: object.clone(),
        size_bytes: built.object.len() as u64,
        compiler: (!built.compilers.is_empty()).then(|| built.compilers.join(", ")),
        protections: args.protect.clone(),
        runtime: built.runtime_parts,
    })?;
    suggest(output, &format!("vinoctl graft verify {object}"));
    Ok(())
}

/// Fails with the names that neither the object, the runtime nor the kernel has, if the object is
/// for the kernel; another host may provide whatever it likes.
fn check_undefined(object: &[u8]) -> Result<(), Failure> {
    match inspect_graft(object, None, false) {
        Err(rejected @ GraftRejected::Undefined { .. }) => {
            let failure = Failure::new(Exit::Error, rejected.to_string());
            Err(failure.with_advice(
                "`vinoctl point list` names what the kernel offers; graft-sdk/README.md lists \
                 the functions of the runtime",
            ))
        }
        // Whether it is safe is for `graft verify` to say.
        _ => Ok(()),
    }
}

/// What `graft verify` prints of an accepted object.
#[derive(Debug, Serialize)]
struct Verified {
    object: String,
    accepted: bool,
    points: Vec<&'static str>,
    calls: Vec<&'static str>,
    text_bytes: u64,
    read_protection_demanded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    composition: Option<Composition>,
}

impl Printable for Verified {
    const COLUMNS: &'static [Column] = &[
        text("OBJECT"),
        text("VERDICT"),
        text("POINTS"),
        text("CALLS"),
        number("TEXT BYTES"),
    ];

    fn name(&self) -> String {
        self.object.clone()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.object.clone(),
            "accepted".to_string(),
            self.points.join(","),
            if self.calls.is_empty() {
                "-".to_string()
            } else {
                self.calls.join(",")
            },
            grouped(self.text_bytes),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        self.composition
            .as_ref()
            .map(Composition::details)
            .unwrap_or_default()
    }
}

fn verify(args: &VerifyArgs, output: &mut Output) -> Result<(), Failure> {
    let object = read_file(&args.object)?;
    let name = args.object.display().to_string();
    let read_protection = !args.without_read_protection;
    match inspect_graft(&object, args.point.as_deref(), read_protection) {
        Ok(report) => {
            let points: Vec<&str> = report
                .points
                .iter()
                .map(|point| point.info().name)
                .collect();
            let next = format!("vinoctl graft load {} {name}", points.join(" "));
            let subject = Subject::read(&name, &object)?;
            let composition = Composition::new(&subject, &subject.inspect(read_protection));
            output.item(&Verified {
                object: name,
                accepted: true,
                points,
                calls: report.imports,
                text_bytes: composition.code_bytes(),
                read_protection_demanded: read_protection,
                composition: args.explain.then_some(composition),
            })?;
            suggest(output, &next);
            Ok(())
        }
        Err(rejected @ GraftRejected::UnknownPoint { .. }) => {
            Err(Failure::new(Exit::NotFound, rejected.to_string())
                .with_advice("vinoctl point list"))
        }
        Err(rejected @ GraftRejected::Verify(_)) if args.explain && output.is_table() => {
            let subject = Subject::read(&name, &object)?;
            listing::explain(&subject.inspect(read_protection), &subject, output)?;
            Err(Refused::here(name, &rejected).failure())
        }
        Err(rejected) => Err(Refused::here(name, &rejected).print(output)),
    }
}

fn disasm(args: &DisasmArgs, output: &mut Output) -> Result<(), Failure> {
    let object = read_file(&args.object)?;
    let name = args.object.display().to_string();
    let subject = Subject::read(&name, &object)?;
    let inspection = subject.inspect(!args.without_read_protection);
    let range = match &args.symbol {
        Some(symbol) => subject.function(symbol)?,
        None => subject.code(),
    };
    let listing = Listing::new(&name, &subject, &inspection, range);
    listing.print(output)
}

async fn load(args: LoadArgs, globals: &Globals, output: &mut Output) -> Result<(), Failure> {
    let object = read_file(&args.object)?;
    let name = args.object.display().to_string();
    let client = remote::connect(globals).await?;
    let stem = args
        .object
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let upload = GraftUpload {
        kernel: remote::kernel_name(&client, args.kernel.kernel).await?,
        process: args.process.unwrap_or_default(),
        point: args.point,
        name: args.name.or(stem).unwrap_or_default(),
    };
    let graft = match client.load_graft(upload, &object).await {
        Ok(graft) => graft,
        Err(error) => {
            let rejection = error.rejection();
            let failure = Failure::from(error);
            return Err(match rejection {
                Some(rejection) => Refused::by_daemon(name, rejection).print(output),
                None => failure,
            });
        }
    };
    output.item(&graft)?;
    suggest(output, "vinoctl run submit --watch --trace TRACE");
    Ok(())
}
