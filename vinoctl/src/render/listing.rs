//! Instructions of an object for people and programs: `graft disasm`, `graft verify --explain`.

use std::ops::Range;

use serde::Serialize;
use vino_sandbox::{
    Inspection, ListedInstruction, Rejection, Role, Rule, SegmentKind, Target, Violation,
};

use super::NOTHING;
use crate::failure::Failure;
use crate::inspect::Subject;
use crate::output::{Output, grouped};

/// Violations that an explanation shows.
const EXPLAINED_MAX: usize = 16;
/// Bytes of code that an explanation shows before and after an instruction.
const CONTEXT_BYTES: u32 = 12;
/// Columns of the bytes of an instruction.
const BYTES_COLUMNS: usize = 24;
/// Columns of the text of an instruction.
const TEXT_COLUMNS: usize = 38;
/// Columns of the name of a role.
const ROLE_COLUMNS: usize = 9;

const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// The instructions of a range of code.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    object: String,
    accepted: bool,
    violations: u64,
    instructions: Vec<Line>,
}

/// One instruction, or a run of fill.
#[derive(Debug, Serialize)]
struct Line {
    offset: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    bytes: String,
    instruction: String,
    #[serde(skip_serializing_if = "is_one")]
    repeated: usize,
    role: &'static str,
    rules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Broken>,
    #[serde(skip)]
    is_instrumentation: bool,
    #[serde(skip)]
    is_fill: bool,
}

/// A broken rule.
#[derive(Debug, Serialize)]
struct Broken {
    rule: String,
    rule_text: &'static str,
    advice: &'static str,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_one(repeated: &usize) -> bool {
    *repeated == 1
}

impl Listing {
    /// Collects the instructions that start in a range.
    pub(crate) fn new(
        object: &str,
        subject: &Subject,
        inspection: &Inspection<'_>,
        range: Range<u32>,
    ) -> Listing {
        let lines = inspection.listing(range);
        Listing {
            object: object.to_string(),
            accepted: inspection.rejection().is_none(),
            violations: inspection.rejection().map_or(0, |found| found.total),
            instructions: lines.map(|line| Line::new(&line, subject)).collect(),
        }
    }

    /// Prints the listing in the format that was asked for.
    pub(crate) fn print(&self, output: &mut Output) -> Result<(), Failure> {
        if !output.is_table() {
            return output.document(self);
        }
        let coloured = output.is_coloured();
        for line in &self.instructions {
            line.print(coloured, output)?;
        }
        output.flush()
    }
}

impl Line {
    fn new(line: &ListedInstruction<'_>, subject: &Subject) -> Line {
        let one = line.bytes.len() / line.repeated;
        let bytes = line.bytes[..one].iter();
        Line {
            offset: line.offset,
            label: line.label.clone(),
            bytes: bytes.map(|byte| format!("{byte:02x}")).collect(),
            instruction: line.text.clone(),
            repeated: line.repeated,
            role: line.role.name(),
            rules: line.rules.iter().map(|rule| format!("{rule:?}")).collect(),
            target: line
                .target
                .as_ref()
                .and_then(|target| target_name(target, subject)),
            violations: line.violations.iter().copied().map(Broken::new).collect(),
            is_instrumentation: line.role.is_instrumentation(),
            is_fill: line.role == Role::Fill,
        }
    }

    fn print(&self, coloured: bool, output: &mut Output) -> Result<(), Failure> {
        if let Some(label) = &self.label {
            output.line(&format!("{label}:"))?;
        }
        let colour = match self {
            _ if !coloured => "",
            _ if !self.violations.is_empty() => RED,
            _ if self.is_instrumentation => CYAN,
            _ if self.is_fill => DIM,
            _ => "",
        };
        let end = if colour.is_empty() { "" } else { PLAIN };
        let text = self.text();
        let line = format!(
            "  {:#08x}  {:<ROLE_COLUMNS$}  {:<BYTES_COLUMNS$}  {text:<TEXT_COLUMNS$}  {}",
            self.offset,
            self.role,
            self.bytes,
            self.rules.join(" ")
        );
        output.line(&format!("{colour}{}{end}", line.trim_end()))?;
        for broken in &self.violations {
            let line = format!(
                "  ^^^^^^^^ breaks {}: {}: {}",
                broken.rule, broken.rule_text, broken.advice
            );
            output.line(&format!("{colour}{line}{end}"))?;
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = self.instruction.clone();
        if let Some(target) = &self.target {
            text.push_str(&format!(" <{target}>"));
        }
        if self.repeated > 1 {
            text.push_str(&format!(" ({} times)", grouped(self.repeated as u64)));
        }
        text
    }
}

impl Broken {
    fn new(violation: &Violation) -> Broken {
        Broken {
            rule: format!("{:?}", violation.rule),
            rule_text: violation.rule.sentence(),
            advice: violation.advice,
        }
    }
}

fn target_name(target: &Target, subject: &Subject) -> Option<String> {
    let import = target.import.and_then(|import| {
        let import = usize::try_from(import).ok()?;
        subject.imports().get(import).cloned()
    });
    import.or_else(|| target.symbol.clone())
}

/// Explains why an object is rejected: each violation with the code around it, then each rule.
pub(crate) fn explain(
    inspection: &Inspection<'_>,
    subject: &Subject,
    output: &mut Output,
) -> Result<(), Failure> {
    let Some(rejection) = inspection.rejection() else {
        return Ok(());
    };
    let shown = &rejection.violations[..rejection.violations.len().min(EXPLAINED_MAX)];
    let coloured = output.is_coloured();
    let mut offsets: Vec<u32> = shown.iter().map(|violation| violation.offset).collect();
    offsets.dedup();
    for offset in offsets {
        let here = shown.iter().filter(|violation| violation.offset == offset);
        let symbol = here.clone().find_map(|violation| violation.symbol.clone());
        let symbol = symbol.unwrap_or_else(|| NOTHING.to_string());
        output.line(&format!("{offset:#x} in {symbol}"))?;
        let function = inspection.function_range(offset);
        let start = offset.saturating_sub(CONTEXT_BYTES).max(function.start);
        let lines = inspection.listing(start..offset.saturating_add(CONTEXT_BYTES));
        for line in lines {
            Line::new(&line, subject).print(coloured, output)?;
        }
        output.line("")?;
    }
    explain_rules(rejection, shown, output)?;
    output.flush()
}

/// Says of each rule that is broken what it demands, and why.
fn explain_rules(
    rejection: &Rejection,
    shown: &[Violation],
    output: &mut Output,
) -> Result<(), Failure> {
    match rejection.total.saturating_sub(shown.len() as u64) {
        0 => {}
        more => output.line(&format!("and {} more violations\n", grouped(more)))?,
    }
    for rule in Rule::ALL {
        let mut advices: Vec<&str> = Vec::new();
        for violation in shown.iter().filter(|violation| violation.rule == rule) {
            if !advices.contains(&violation.advice) {
                advices.push(violation.advice);
            }
        }
        if advices.is_empty() {
            continue;
        }
        output.line(&format!("{rule:?}  {}", rule.sentence()))?;
        output.line(&format!("    why: {}", rule.reason()))?;
        for advice in advices {
            output.line(&format!("    do:  {advice}"))?;
        }
    }
    Ok(())
}

/// What an accepted object consists of.
#[derive(Debug, Serialize)]
pub(crate) struct Composition {
    segments: Vec<SegmentShape>,
    code_bytes: u64,
    roles: Vec<RoleShare>,
    prefix_bytes: u64,
    instrumentation_bytes: u64,
    entry_points: usize,
}

/// A segment of the image.
#[derive(Debug, Serialize)]
struct SegmentShape {
    kind: &'static str,
    offset: u32,
    mapped_bytes: u32,
}

/// How much of the code has a role.
#[derive(Debug, Serialize)]
struct RoleShare {
    role: &'static str,
    instructions: u64,
    bytes: u64,
}

impl Composition {
    /// Counts what an object consists of.
    pub(crate) fn new(subject: &Subject, inspection: &Inspection<'_>) -> Composition {
        let summary = inspection.summary();
        let segments = subject.image().segments().iter();
        let segments = segments.map(|segment| SegmentShape {
            kind: match segment.kind {
                SegmentKind::Text => "text",
                SegmentKind::ReadOnly => "read-only data",
                SegmentKind::Data => "data",
            },
            offset: segment.offset,
            mapped_bytes: segment.bytes_len,
        });
        let roles = Role::ALL.into_iter().map(|role| RoleShare {
            role: role.name(),
            instructions: summary.count(role).instructions,
            bytes: summary.count(role).bytes,
        });
        Composition {
            segments: segments.collect(),
            code_bytes: summary.code_bytes(),
            roles: roles.collect(),
            prefix_bytes: summary.prefix_bytes(),
            instrumentation_bytes: summary.instrumentation_bytes(),
            entry_points: subject.image().entry_offsets().len(),
        }
    }

    /// Bytes of code, without fill.
    pub(crate) fn code_bytes(&self) -> u64 {
        self.code_bytes
    }

    /// The same for people, as (label, value).
    pub(crate) fn details(&self) -> Vec<(&'static str, String)> {
        let segments = self.segments.iter().map(|segment| {
            let bytes = grouped(u64::from(segment.mapped_bytes));
            format!(
                "{} at {:#x}, {bytes} bytes mapped",
                segment.kind, segment.offset
            )
        });
        let roles = self.roles.iter().map(|share| {
            let (instructions, bytes) = (grouped(share.instructions), grouped(share.bytes));
            format!("{:<9} {instructions} in {bytes} bytes", share.role)
        });
        let share = match self.code_bytes {
            0 => 0,
            code => self.instrumentation_bytes * 100 / code,
        };
        let instrumentation = format!(
            "{} of {} bytes of code ({share} %), {} of them prefixes",
            grouped(self.instrumentation_bytes),
            grouped(self.code_bytes),
            grouped(self.prefix_bytes)
        );
        vec![
            ("segments", segments.collect::<Vec<_>>().join("\n")),
            ("instructions", roles.collect::<Vec<_>>().join("\n")),
            ("instrumentation", instrumentation),
            ("entry points", grouped(self.entry_points as u64)),
        ]
    }
}
