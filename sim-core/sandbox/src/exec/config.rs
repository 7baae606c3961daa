//! What an instance may have, and which of it makes sense.

use std::time::Duration;

use vino_abi::{DATA_END, HEAP_END, PAGE_BYTES, STACK_END, STACK_LIMIT, VIEWS_END, VIEWS_OFFSET};

use super::shared::SharedRegion;

/// The smallest stack: a page for the graft and what the gates push.
pub const STACK_BYTES_MIN: u32 = 4096;
/// The largest stack: at most half the room below [`STACK_END`], so that its guard exceeds any one
/// frame.
pub const STACK_BYTES_MAX: u32 = 128 << 20;
/// The largest heap, which fits behind any image's data.
pub const HEAP_BYTES_MAX: u32 = HEAP_END - DATA_END;
/// The longest deadline.
pub const DEADLINE_MAX: Duration = Duration::from_secs(3600);

const PAGE: u32 = 4096;
const _: () = assert!(PAGE as u64 == PAGE_BYTES);
const _: () = assert!(STACK_BYTES_MAX <= (STACK_END - STACK_LIMIT) / 2);
const _: () = assert!(STACK_BYTES_MAX.is_multiple_of(PAGE) && HEAP_BYTES_MAX.is_multiple_of(PAGE));

const STACK_BYTES_DEFAULT: u32 = 256 * 1024;
const DEADLINE_DEFAULT: Duration = Duration::from_millis(100);

/// What one instance gets.
#[derive(Clone, Debug)]
pub struct InstanceConfig {
    /// Bytes of stack, rounded up to pages.
    pub stack_bytes: u32,
    /// Bytes of heap at the start, rounded up to pages.
    pub heap_bytes: u32,
    /// Bytes to which the heap may grow, rounded up to pages.
    pub heap_bytes_max: u32,
    /// How much processor time one invocation may take, with the host functions it calls.
    pub deadline: Duration,
    /// Memory of the host that the graft may read; each starts on the page after the one before.
    pub views: Vec<SharedRegion>,
    /// Where the sandbox should be, so that a repeated run sees the same pointers.
    ///
    /// A base that is taken or impossible is passed over: compare
    /// [`Instance::base`](super::Instance::base) where it matters.
    pub base_hint: Option<u64>,
}

impl Default for InstanceConfig {
    fn default() -> Self {
        Self {
            stack_bytes: STACK_BYTES_DEFAULT,
            heap_bytes: 0,
            heap_bytes_max: 0,
            deadline: DEADLINE_DEFAULT,
            views: Vec::new(),
            base_hint: None,
        }
    }
}

/// An instance was asked for that no sandbox can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The stack is too small to call anything or leaves no guard.
    #[error("stack of {bytes} bytes: choose {STACK_BYTES_MIN} to {STACK_BYTES_MAX}")]
    Stack {
        /// What was asked for.
        bytes: u32,
    },
    /// The heap is larger than any sandbox can hold.
    #[error("heap of {bytes} bytes: at most {HEAP_BYTES_MAX} fit")]
    Heap {
        /// What was asked for.
        bytes: u32,
    },
    /// The heap starts above its own limit.
    #[error("heap of {bytes} bytes at the start: its limit is {bytes_max}")]
    HeapStart {
        /// What was asked for.
        bytes: u32,
        /// The limit that was asked for.
        bytes_max: u32,
    },
    /// The deadline would end every invocation or none.
    #[error("deadline of {deadline:?}: choose 1 us to {DEADLINE_MAX:?}")]
    Deadline {
        /// What was asked for.
        deadline: Duration,
    },
    /// The views do not fit in their range.
    #[error("views of {bytes} bytes in all: at most {} fit", VIEWS_END - VIEWS_OFFSET)]
    Views {
        /// What was asked for, rounded up to pages.
        bytes: u64,
    },
}

/// A configuration that was checked, in the units that the executor uses.
pub(super) struct Checked {
    pub(super) stack_bytes: u32,
    pub(super) heap_bytes: u32,
    pub(super) heap_bytes_max: u32,
    pub(super) deadline_us: u32,
}

impl InstanceConfig {
    /// Checks every limit and rounds what is mapped up to pages.
    pub(super) fn check(&self) -> Result<Checked, ConfigError> {
        let stack_range = STACK_BYTES_MIN..=STACK_BYTES_MAX;
        if !stack_range.contains(&self.stack_bytes) {
            return Err(ConfigError::Stack {
                bytes: self.stack_bytes,
            });
        }
        if self.heap_bytes_max > HEAP_BYTES_MAX {
            return Err(ConfigError::Heap {
                bytes: self.heap_bytes_max,
            });
        }
        if self.heap_bytes > self.heap_bytes_max {
            return Err(ConfigError::HeapStart {
                bytes: self.heap_bytes,
                bytes_max: self.heap_bytes_max,
            });
        }
        let deadline_us = u32::try_from(self.deadline.as_micros()).unwrap_or(u32::MAX);
        if deadline_us == 0 || self.deadline > DEADLINE_MAX {
            return Err(ConfigError::Deadline {
                deadline: self.deadline,
            });
        }
        let views = self
            .views
            .iter()
            .map(|view| u64::from(view.mapped_bytes()))
            .sum();
        if views > u64::from(VIEWS_END - VIEWS_OFFSET) {
            return Err(ConfigError::Views { bytes: views });
        }
        // Both limits are whole pages, so rounding up stays within them.
        Ok(Checked {
            stack_bytes: self.stack_bytes.next_multiple_of(PAGE),
            heap_bytes: self.heap_bytes.next_multiple_of(PAGE),
            heap_bytes_max: self.heap_bytes_max.next_multiple_of(PAGE),
            deadline_us,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ConfigError, HEAP_BYTES_MAX, InstanceConfig, STACK_BYTES_MAX};

    fn check(change: impl FnOnce(&mut InstanceConfig)) -> Option<ConfigError> {
        let mut config = InstanceConfig::default();
        change(&mut config);
        config.check().err()
    }

    #[test]
    fn limits_are_inclusive_and_one_more_is_refused() {
        assert_eq!(check(|_| ()), None);
        assert_eq!(check(|c| c.stack_bytes = STACK_BYTES_MAX), None);
        let bytes = STACK_BYTES_MAX + 1;
        assert_eq!(
            check(|c| c.stack_bytes = bytes),
            Some(ConfigError::Stack { bytes })
        );
        assert_eq!(
            check(|c| c.stack_bytes = 0),
            Some(ConfigError::Stack { bytes: 0 })
        );
        let bytes = HEAP_BYTES_MAX + 1;
        assert_eq!(
            check(|c| c.heap_bytes_max = bytes),
            Some(ConfigError::Heap { bytes })
        );
        let (bytes, bytes_max) = (8193, 8192);
        let start = |c: &mut InstanceConfig| (c.heap_bytes, c.heap_bytes_max) = (bytes, bytes_max);
        assert_eq!(
            check(start),
            Some(ConfigError::HeapStart { bytes, bytes_max })
        );
        let deadline = Duration::from_nanos(999);
        assert_eq!(
            check(|c| c.deadline = deadline),
            Some(ConfigError::Deadline { deadline })
        );
    }
}
