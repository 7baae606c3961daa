//! How resources of the daemon look to a person.
//!
//! Each module makes the messages of one noun [`crate::output::Printable`]; their JSON is the
//! proto JSON mapping that `vino-proto` implements.

mod event;
mod graft;
mod kernel;
pub(crate) mod listing;
mod point;
pub(crate) mod rejection;
mod run;
mod trace;

pub(crate) use event::event_line;
pub(crate) use run::run_state;

use vino_proto::Timestamp;

/// Columns that text of several sentences is wrapped to.
const TEXT_COLUMNS: usize = 76;
/// What a table shows where there is nothing.
const NOTHING: &str = "-";

/// An enum's value as people write it: `RUN_STATE_QUEUED` without `RUN_STATE_` is `queued`.
fn enum_name(value: &str, prefix: &str) -> String {
    value
        .strip_prefix(prefix)
        .unwrap_or(value)
        .to_lowercase()
        .replace('_', "-")
}

/// A time to the second, in UTC.
fn time(timestamp: Option<&Timestamp>) -> String {
    let json = timestamp.and_then(|timestamp| serde_json::to_value(timestamp).ok());
    match json.as_ref().and_then(|value| value.as_str()) {
        Some(text) => match text.split_once(['.', '+', 'Z']) {
            Some((seconds, _)) => format!("{seconds}Z"),
            None => text.to_string(),
        },
        None => NOTHING.to_string(),
    }
}

/// Breaks sentences into lines of at most [`TEXT_COLUMNS`].
fn wrapped(sentences: &str) -> String {
    let mut text = String::with_capacity(sentences.len() + 8);
    let mut column = 0;
    for word in sentences.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > TEXT_COLUMNS {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += width;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enum_values_lose_their_prefix_and_their_shouting() {
        assert_eq!(
            enum_name("EVICTION_OUTCOME_NOT_FOUND", "EVICTION_OUTCOME_"),
            "not-found"
        );
    }

    #[test]
    fn sentences_are_wrapped_between_words() {
        let sentence = "word ".repeat(40);
        let text = wrapped(&sentence);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.len() <= TEXT_COLUMNS));
        assert_eq!(text.split_whitespace().count(), 40);
    }

    #[test]
    fn times_are_utc_to_the_second() {
        let timestamp = Timestamp {
            seconds: 0,
            nanos: 5_000_000,
        };
        assert_eq!(time(Some(&timestamp)), "1970-01-01T00:00:00Z");
        assert_eq!(time(None), "-");
    }
}
