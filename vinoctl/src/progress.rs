//! A progress bar on standard error, when that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::progress_wanted;

/// Between two redraws of a bar that does not move.
const TICK: Duration = Duration::from_millis(200);

/// A progress bar that is not there unless a person would see it.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts a bar that counts `unit`.
    pub(crate) fn new(unit: &str) -> Progress {
        if !progress_wanted() {
            return Progress {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = format!("{{msg}} [{{bar:40}}] {{human_pos}}/{{human_len}} {unit}");
        // The template is ours; were it malformed, the default style would do.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(TICK);
        Progress { bar }
    }

    /// Starts a bar that only says what is being done.
    pub(crate) fn spinner() -> Progress {
        if !progress_wanted() {
            return Progress {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Progress { bar }
    }

    /// Says what is being done.
    pub(crate) fn message(&self, message: &str) {
        self.bar.set_message(message.to_string());
    }

    /// Moves the bar.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Does something that prints, with the bar out of the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
