//! Proof that an abort put everything back, at a cost of nanoseconds a change.
//!
//! While a transaction is open, every word that a graft-safe function changes is reported here with
//! its old and its new value, and so is every word that undoing changes back. The sum below, taken
//! over all reports, is zero again exactly when each word has the value it had at the begin, but
//! for a chance of 2^-64 for each word; so nothing need be copied or compared, however large
//! memory is.
use crate::ids::VasId;
use crate::workload::generate::mix64;

/// Whoever wants to know about changes.
pub(crate) trait Watch {
    /// Whether it does want to know; if not, reporting costs nothing.
    const WATCHES: bool;

    /// A word of an address space's view, or of what the kernel keeps beside it, changes.
    fn changed(&mut self, vas: VasId, word: u32, old: u32, new: u32);
}

/// Watches nothing: changes outside transactions, and changes that are not undone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    const WATCHES: bool = false;

    #[inline]
    fn changed(&mut self, _vas: VasId, _word: u32, _old: u32, _new: u32) {}
}

/// The sum over all changes of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restoration {
    sum: u64,
}

impl Restoration {
    /// Whether every changed word has its first value again.
    pub(crate) fn is_complete(self) -> bool {
        self.sum == 0
    }

    /// Adds the changes of a child that committed, which its parent may still undo.
    pub(crate) fn merge(&mut self, child: Restoration) {
        self.sum = self.sum.wrapping_add(child.sum);
    }
}

impl Watch for Restoration {
    const WATCHES: bool = true;

    #[inline]
    fn changed(&mut self, vas: VasId, word: u32, old: u32, new: u32) {
        let place = mix64(u64::from(vas.0) << 32 | u64::from(word));
        let term = |value: u32| mix64(place ^ u64::from(value).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.sum = self.sum.wrapping_add(term(new)).wrapping_sub(term(old));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_zero_only_when_every_word_is_back() {
        let mut sum = Restoration::default();
        sum.changed(VasId(0), 7, 1, 2);
        sum.changed(VasId(1), 7, 1, 2);
        sum.changed(VasId(0), 7, 2, 3);
        assert!(!sum.is_complete());
        sum.changed(VasId(0), 7, 3, 1);
        assert!(!sum.is_complete());
        sum.changed(VasId(1), 7, 2, 1);
        assert!(sum.is_complete());
    }

    #[test]
    fn exchanged_values_are_not_restored_values() {
        let mut sum = Restoration::default();
        sum.changed(VasId(0), 1, 10, 20);
        sum.changed(VasId(0), 2, 20, 10);
        assert!(!sum.is_complete());
    }
}
