//! A case: assembly, the verdict it expects, and the verdict it gets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use vino_sandbox::{
    DecodedImage, Limits, LinkedImage, Policy, Rejection, Rule, SegmentKind, Text, verify,
};

/// Where the sandbox of a case is; no verdict depends on it.
pub(crate) const BASE: u64 = 7 << 32;
const MARK: &str = "# error:";
/// Names the address of a line of the case.
const LINE_SYMBOL: &str = "vino_line_";

/// Line and rule of each violation, with how often it occurs.
type Verdicts = BTreeMap<(usize, Rule), usize>;

pub(crate) struct Case {
    path: PathBuf,
    lines: Vec<String>,
}

pub(crate) struct Outcome {
    verdicts: Verdicts,
    rejection: Option<Rejection>,
}

impl Case {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a case");
        Self {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
        }
    }

    /// What follows `# name:` on a line of its own.
    fn setting(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            line.strip_prefix("# ")?
                .strip_prefix(name)?
                .strip_prefix(": ")
        })
    }

    fn policy(&self) -> Policy {
        match self.setting("policy") {
            None => Policy::default(),
            Some("unprotected reads") => Policy {
                read_protection: false,
            },
            Some(other) => panic!("{}: unknown policy {other}", self.path.display()),
        }
    }

    /// The case with a symbol on each line that may hold code.
    fn source(&self) -> String {
        let mut source = String::from(include_str!("prelude.inc"));
        for (index, line) in self.lines.iter().enumerate() {
            let code = line.split('#').next().unwrap_or_default().trim();
            let words = [".byte", ".long"];
            let directive =
                code.starts_with('.') && !words.iter().any(|word| code.starts_with(word));
            if !code.is_empty() && !directive && !code.starts_with("function ") {
                source.push_str(&format!("{LINE_SYMBOL}{}: ", index + 1));
            }
            source.push_str(line);
            source.push('\n');
        }
        source
    }

    pub(crate) fn verify(&self) -> Outcome {
        let image = link(
            &assemble(&self.source()),
            self.setting("imports").unwrap_or_default(),
        );
        let lines = line_offsets(&image);
        let text = place_text(&image);
        let text = Text::of(&image, &text).expect("the case has code");
        let rejection = verify(&text, &self.policy()).err();
        let mut verdicts = Verdicts::new();
        for violation in rejection.iter().flat_map(|rejection| &rejection.violations) {
            let line = lines
                .range(..=violation.offset)
                .next_back()
                .map_or(0, |(_, line)| *line);
            *verdicts.entry((line, violation.rule)).or_default() += 1;
        }
        Outcome {
            verdicts,
            rejection,
        }
    }

    fn expected(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (index, line) in self.lines.iter().enumerate() {
            let Some((_, rules)) = line.split_once(MARK) else {
                continue;
            };
            for name in rules.split_whitespace() {
                let rule = Rule::ALL
                    .into_iter()
                    .find(|rule| format!("{rule:?}") == name);
                let rule =
                    rule.unwrap_or_else(|| panic!("{}: no rule {name}", self.path.display()));
                *verdicts.entry((index + 1, rule)).or_default() += 1;
            }
        }
        verdicts
    }

    /// Rewrites the comments to the verdicts that were found.
    pub(crate) fn bless(&self, outcome: &Outcome) {
        let mut text = String::new();
        for (index, line) in self.lines.iter().enumerate() {
            let code = line
                .split_once(MARK)
                .map_or(line.as_str(), |(code, _)| code)
                .trim_end();
            let found: Vec<String> = outcome
                .verdicts
                .iter()
                .filter(|((line, _), _)| *line == index + 1)
                .flat_map(|((_, rule), &count)| vec![format!("{rule:?}"); count])
                .collect();
            match found.as_slice() {
                [] => text.push_str(code),
                rules => text.push_str(&format!("{code:<48}{MARK} {}", rules.join(" "))),
            }
            text.push('\n');
        }
        std::fs::write(&self.path, text).expect("the case can be written");
    }
}

impl Outcome {
    pub(crate) fn expect_accepted(&self) -> Result<(), String> {
        self.rejection
            .as_ref()
            .map_or(Ok(()), |rejection| Err(rejection.to_string()))
    }

    pub(crate) fn expect_rejected(&self, case: &Case) -> Result<(), String> {
        let expected = case.expected();
        if expected.is_empty() {
            return Err("expects no error; add the comment, or move it to accept".to_owned());
        }
        if self.verdicts == expected {
            return Ok(());
        }
        let found = self
            .rejection
            .as_ref()
            .map_or("accepted".to_owned(), Rejection::to_string);
        Err(format!(
            "  expected {expected:?}\n  found    {:?}\n{found}",
            self.verdicts
        ))
    }
}

/// Runs the GNU assembler.
pub(crate) fn assemble(source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, output) = (folder.path().join("case.s"), folder.path().join("case.o"));
    std::fs::write(&input, source).expect("a temporary file");
    let run = Command::new("as")
        .arg("-o")
        .arg(&output)
        .arg(&input)
        .output()
        .expect("as runs");
    assert!(
        run.status.success(),
        "{}\n{source}",
        String::from_utf8_lossy(&run.stderr)
    );
    std::fs::read(&output).expect("as wrote its output")
}

/// Links an object whose imports are these names, by position.
pub(crate) fn link(object: &[u8], imports: &str) -> LinkedImage {
    let image = DecodedImage::decode(object, &Limits::default()).expect("the object is decoded");
    let mut resolve = |name: &str| {
        let index = imports
            .split_whitespace()
            .position(|import| import == name)?;
        u32::try_from(index).ok()
    };
    image.link(&mut resolve).expect("the object is linked")
}

/// The bytes of text as they would stand in a sandbox.
pub(crate) fn place_text(image: &LinkedImage) -> Vec<u8> {
    let text = image
        .segments()
        .iter()
        .position(|segment| segment.kind == SegmentKind::Text);
    let text = text.expect("the object has code");
    let mut bytes = vec![0; image.segments()[text].bytes_len as usize];
    image.place(BASE, text, &mut bytes);
    bytes
}

/// The lines of a case by the sandbox offset of their first byte.
fn line_offsets(image: &LinkedImage) -> BTreeMap<u32, usize> {
    let mut lines = BTreeMap::new();
    let symbols = image.symbols();
    for line in 1..=LINES_MAX {
        if let Some(offset) = symbols.offset_of(&format!("{LINE_SYMBOL}{line}")) {
            lines.insert(offset, line);
        }
    }
    lines
}

/// Lines that a case may have.
const LINES_MAX: usize = 200;
