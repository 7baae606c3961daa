//! Line breaking and spelling that the backends share.

use crate::model::{Callable, Point};

/// The longest line of generated text, in characters.
pub(super) const LINE_CHARS_MAX: usize = 100;

/// Breaks text into lines, the prefix of each included, at most [`LINE_CHARS_MAX`] wide.
pub(super) fn wrap(prefix: &str, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = prefix.to_owned();
    for word in text.split_whitespace() {
        let is_first = line.len() == prefix.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > LINE_CHARS_MAX {
            lines.push(std::mem::replace(&mut line, prefix.to_owned()));
            line.push_str(word);
            continue;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// `coremap_entry_o` as a part of Rust names: `coremap_entry`.
fn stem(class: &str) -> &str {
    let class = class.strip_suffix("_o").unwrap_or(class);
    class.strip_suffix("_t").unwrap_or(class)
}

/// `vas_o`, `pick_victim` as `vas_pick_victim`.
pub(super) fn snake_name(class: &str, function: &str) -> String {
    format!("{}_{function}", stem(class))
}

/// `vas_o`, `pick_victim` as `VasPickVictim`.
pub(super) fn camel_name(class: &str, function: &str) -> String {
    let snake = snake_name(class, function);
    let mut name = String::new();
    for word in snake.split('_') {
        let mut chars = word.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    name
}

/// The names that one declaration has.
pub(super) trait Named {
    /// The class and the function.
    fn parts(&self) -> (&str, &str);

    /// `vas_o::pick_victim`.
    fn full_name(&self) -> String {
        let (class, function) = self.parts();
        format!("{class}::{function}")
    }

    /// `vas_o__pick_victim`, the symbol in C and Rust.
    fn c_name(&self) -> String {
        let (class, function) = self.parts();
        format!("{class}__{function}")
    }

    /// `VasPickVictim`, the variant in the kernel.
    fn variant(&self) -> String {
        let (class, function) = self.parts();
        camel_name(class, function)
    }
}

impl Named for Point {
    fn parts(&self) -> (&str, &str) {
        (&self.class, &self.function)
    }
}

impl Named for Callable {
    fn parts(&self) -> (&str, &str) {
        (&self.class, &self.function)
    }
}
