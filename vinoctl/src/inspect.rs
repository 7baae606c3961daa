//! An object as the verifier sees it, whatever it calls and whether or not it is a graft.
//!
//! The daemon resolves only functions that grafts may call; here every undefined name gets a gate,
//! so that a plug-in of another program can be looked at, too.

use std::ops::Range;

use vino_sandbox::{
    DecodedImage, IMPORTS_MAX, Inspection, Limits, LinkedImage, Policy, SegmentKind, Text, demangle,
};

use crate::failure::{Exit, Failure};

/// Names that a message about a missing one lists.
const NAMES_LISTED_MAX: usize = 8;

/// A linked object and the final bytes of its code.
#[derive(Debug)]
pub(crate) struct Subject {
    object: String,
    image: LinkedImage,
    text: Vec<u8>,
    imports: Vec<String>,
}

impl Subject {
    /// Decodes and links an object.
    pub(crate) fn read(object: &str, bytes: &[u8]) -> Result<Subject, Failure> {
        let refuse = |error: &dyn std::error::Error| {
            Failure::new(Exit::GraftRejected, format!("{object}: {error}"))
        };
        let decoded = DecodedImage::decode(bytes, &Limits::default());
        let decoded = decoded.map_err(|error| refuse(&error))?;
        let mut imports: Vec<String> = Vec::new();
        let linked = decoded.link(&mut |name| {
            let index = u32::try_from(imports.len()).ok();
            let index = index.filter(|index| *index < IMPORTS_MAX)?;
            imports.push(name.to_string());
            Some(index)
        });
        let image = linked.map_err(|error| refuse(&error))?;
        let mut segments = image.segments().iter();
        let index = segments.position(|segment| segment.kind == SegmentKind::Text);
        let index = index.ok_or_else(|| {
            Failure::new(Exit::GraftRejected, format!("{object}: it has no code"))
        })?;
        let mut text = vec![0; image.segments()[index].bytes_len as usize];
        image.place(0, index, &mut text);
        Ok(Subject {
            object: object.to_string(),
            image,
            text,
            imports,
        })
    }

    /// What the verifier makes of its code.
    pub(crate) fn inspect(&self, read_protection: bool) -> Inspection<'_> {
        Inspection::new(&self.text(), &Policy { read_protection })
    }

    fn text(&self) -> Text<'_> {
        Text::of(&self.image, &self.text).expect("an object without code is refused when read")
    }

    /// The image.
    pub(crate) fn image(&self) -> &LinkedImage {
        &self.image
    }

    /// The undefined names, by import.
    pub(crate) fn imports(&self) -> &[String] {
        &self.imports
    }

    /// All offsets of its code.
    pub(crate) fn code(&self) -> Range<u32> {
        let text = self.text();
        let len = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        text.offset..text.offset.saturating_add(len)
    }

    /// The offsets of one function, named as in the object or as people read it.
    pub(crate) fn function(&self, name: &str) -> Result<Range<u32>, Failure> {
        let code = self.code();
        let symbols = self.image.symbols();
        let in_code: Vec<(&str, u32)> = symbols
            .iter()
            .filter(|(_, offset)| code.contains(offset))
            .collect();
        let is_named = |symbol: &str| symbol == name || demangle(symbol).as_deref() == Some(name);
        match in_code.iter().find(|(symbol, _)| is_named(symbol)) {
            Some(&(_, offset)) => Ok(symbols.extent(offset)),
            None => {
                let names = in_code.iter().take(NAMES_LISTED_MAX);
                let names = names
                    .map(|(symbol, _)| demangle(symbol).unwrap_or_else(|| (*symbol).to_string()));
                let names: Vec<String> = names.collect();
                let message = format!("{}: no code is named {name}", self.object);
                let failure = Failure::new(Exit::NotFound, message);
                Err(match names.is_empty() {
                    true => failure.with_advice("its code has no names: leave out the function"),
                    false => failure.with_advice(format!("it has {}", names.join(", "))),
                })
            }
        }
    }
}
