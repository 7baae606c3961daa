//! `trace import|list|info|optimum|delete|generate`.

use std::path::Path;

use serde::Serialize;
use sim_core::workload::generate;
use vino_proto::v1::TraceFormat;

use super::{read_file, suggest, tell};
use crate::args::{GenerateArgs, Globals, Pattern, TraceFormatArg, TraceVerb};
use crate::failure::Failure;
use crate::output::{Column, Output, Printable, grouped, number, text};
use crate::{remote, toolchain};

pub(super) async fn execute(
    verb: TraceVerb,
    globals: &Globals,
    output: &mut Output,
) -> Result<(), Failure> {
    match verb {
        TraceVerb::Import { file, name, format } => {
            let bytes = read_file(&file)?;
            let client = remote::connect(globals).await?;
            let file_name = file_name(&file)?;
            let name = name.unwrap_or_else(|| default_name(&file_name));
            let format = format.map_or(TraceFormat::Unspecified, proto_format);
            let trace = client
                .import_trace(&name, &file_name, format, &bytes)
                .await?;
            output.item(&trace)?;
            suggest(
                output,
                &format!("vinoctl run submit --watch --trace {name}"),
            );
            Ok(())
        }
        TraceVerb::List => {
            let client = remote::connect(globals).await?;
            output.list(&client.traces().await?)
        }
        TraceVerb::Info { trace } => {
            let client = remote::connect(globals).await?;
            output.item(&client.trace(&trace).await?)
        }
        TraceVerb::Optimum { trace, frames } => {
            let client = remote::connect(globals).await?;
            let faults = client.optimum(&trace, frames).await?;
            output.item(&Optimum {
                trace,
                frames,
                faults,
            })
        }
        TraceVerb::Delete { trace } => {
            let client = remote::connect(globals).await?;
            client.delete_trace(&trace).await?;
            tell(output, &format!("trace {trace} deleted"));
            Ok(())
        }
        TraceVerb::Generate(args) => generate(&args, globals, output),
    }
}

/// What `trace optimum` prints.
#[derive(Debug, Serialize)]
struct Optimum {
    trace: String,
    frames: u32,
    faults: u64,
}

impl Printable for Optimum {
    const COLUMNS: &'static [Column] = &[text("TRACE"), number("FRAMES"), number("FAULTS")];

    fn name(&self) -> String {
        self.trace.clone()
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.trace.clone(),
            grouped(self.frames.into()),
            grouped(self.faults),
        ]
    }
}

/// The last part of a path.
fn file_name(path: &Path) -> Result<String, Failure> {
    match path.file_name() {
        Some(name) => Ok(name.to_string_lossy().into_owned()),
        None => Err(Failure::usage(format!("{} names no file", path.display()))),
    }
}

/// The name up to its first dot: `db.pages.txt.zst` is `db`.
fn default_name(file_name: &str) -> String {
    file_name
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or(file_name)
        .to_string()
}

fn proto_format(format: TraceFormatArg) -> TraceFormat {
    match format {
        TraceFormatArg::Pages => TraceFormat::Pages,
        TraceFormatArg::ArcLis => TraceFormat::ArcLis,
        TraceFormatArg::OracleGeneral => TraceFormat::OracleGeneral,
    }
}

/// Writes a synthetic trace as page ids, one a line, whatever `-o` says of formats.
fn generate(args: &GenerateArgs, globals: &Globals, output: &mut Output) -> Result<(), Failure> {
    let references = args.requests as usize;
    let pages = u64::from(args.pages);
    let trace = match args.pattern {
        Pattern::Loop => generate::cyclic(references, pages),
        Pattern::Uniform => generate::uniform(references, pages, args.seed),
        Pattern::Disk => {
            // As far back as a tenth of the pages, so that memory of a tenth is worth having.
            let window = (args.pages / 10).max(1) as usize;
            generate::disk_like(references, pages, window, args.seed)
        }
    };
    let trace = trace.map_err(|error| Failure::from_error("cannot generate", &error))?;
    let ids = trace
        .references()
        .iter()
        .filter_map(|reference| trace.page_id(reference.page()));
    let Some(path) = globals.file() else {
        ids.into_iter()
            .try_for_each(|id| output.line(&id.to_string()))?;
        return output.flush();
    };
    let mut text = String::with_capacity(references * 8);
    for id in ids {
        text.push_str(&id.to_string());
        text.push('\n');
    }
    toolchain::write_file(path, text.as_bytes())?;
    suggest(output, &format!("vinoctl trace import {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_named_after_its_file_up_to_the_first_dot() {
        assert_eq!(
            default_name("self-ftrace-sqlite.pages.txt.zst"),
            "self-ftrace-sqlite"
        );
        assert_eq!(default_name(".hidden.txt"), "hidden");
        assert_eq!(default_name("..."), "...");
    }
}
