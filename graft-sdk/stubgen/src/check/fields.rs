//! Takes a `///` comment apart into a description and named fields.

use std::collections::BTreeMap;

use crate::model::Documentation;
use crate::syntax::DocLines;

/// The text of a `///` comment, taken apart.
pub(super) struct Fields {
    pub(super) documentation: Documentation,
    /// The paragraphs that begin with one of [`Fields::NAMES`] and a colon.
    pub(super) named: BTreeMap<&'static str, String>,
}

impl Fields {
    const NAMES: [&'static str; 6] = [
        "Privilege",
        "Default",
        "Threat",
        "Defence",
        "Invariant",
        "Checks",
    ];

    /// Takes the lines of one comment apart.
    pub(super) fn of(lines: &DocLines) -> Fields {
        let mut named: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut paragraphs: Vec<String> = Vec::new();
        let mut current = None;
        let mut is_new_paragraph = true;
        for (line, _) in lines {
            let line = line.trim();
            let field = Fields::NAMES.into_iter().find_map(|name| {
                let text = line.strip_prefix(name)?.strip_prefix(':')?;
                Some((name, text.trim()))
            });
            if let Some((name, text)) = field {
                named.insert(name, text.to_owned());
                current = Some(name);
            } else if line.is_empty() {
                current = None;
                is_new_paragraph = true;
            } else if let Some(name) = current {
                append(named.entry(name).or_default(), line);
            } else if let Some(paragraph) = paragraphs.last_mut().filter(|_| !is_new_paragraph) {
                append(paragraph, line);
            } else {
                paragraphs.push(line.to_owned());
                is_new_paragraph = false;
            }
        }
        let mut paragraphs = paragraphs.into_iter();
        Fields {
            documentation: Documentation {
                summary: paragraphs.next().unwrap_or_default(),
                details: paragraphs.collect(),
            },
            named,
        }
    }
}

fn append(paragraph: &mut String, line: &str) {
    paragraph.push(' ');
    paragraph.push_str(line);
}
