//! Names of the kernel's objects: frames, pages, address spaces, grafts, transactions.
//!
//! Each is a newtype, so that a frame number is never taken for a page number. They are handed out
//! by the table that owns the object and are plain numbers to everyone else.
use std::fmt;
use std::num::NonZeroU64;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The number itself.
            pub fn number(self) -> u32 {
                self.0
            }

            /// The number as an index into the table that owns the object.
            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// A physical page of memory, counted from 0.
    FrameNo,
    "frame "
);
number!(
    /// A page of one address space: its rank among the pages that the trace names.
    ///
    /// [`Trace::page_id`](crate::workload::Trace::page_id) gives the number the trace uses.
    PageNo,
    "page "
);
number!(
    /// An address space, numbered as its process is in the kernel's configuration.
    VasId,
    "vas "
);
number!(
    /// A graft of one kernel; never reused.
    GraftId,
    "graft "
);

number!(
    /// A simulated thread of the kernel.
    ThreadId,
    "thread "
);
number!(
    /// A lock of one kernel; never reused.
    LockId,
    "lock "
);

/// An instant of the kernel's time, which the references of all processes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub(crate) u64);

/// A span of the kernel's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub(crate) u64);

impl Tick {
    /// The instant a span later.
    pub(crate) fn after(self, span: Ticks) -> Tick {
        Tick(self.0.saturating_add(span.0))
    }
}

/// A transaction of one kernel, numbered from 1 in the order of invocations; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnId(NonZeroU64);

impl TxnId {
    /// Names the transaction with `number`, which is `None` for 0.
    pub fn new(number: u64) -> Option<TxnId> {
        NonZeroU64::new(number).map(TxnId)
    }

    /// The number itself, from 1.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for TxnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "txn {}", self.0)
    }
}

/// The bytes of a 32-byte hash in hexadecimal.
pub fn to_hex(digest: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}
