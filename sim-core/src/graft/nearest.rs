//! Names a user may have meant.
use super::{CALLABLES, POINTS};

/// Longest name that is compared, in bytes; longer ones are cut.
const NAME_BYTES_MAX: usize = 256;

/// The graft point whose name is most like `name`.
pub(crate) fn nearest_point(name: &str) -> &'static str {
    nearest(name, POINTS.iter().map(|info| info.name)).unwrap_or(POINTS[0].name)
}

/// The graft-callable function whose name is most like `name`, unless none is.
pub(super) fn nearest_callable(name: &str) -> Option<&'static str> {
    let close = nearest(name, CALLABLES.iter().map(|info| info.name))?;
    let distance = edit_distance(name, close);
    (distance <= name.len().max(close.len()) / 2).then_some(close)
}

fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known.min_by_key(|known| edit_distance(name, known))
}

/// Insertions, deletions and substitutions that lead from one name to the other.
fn edit_distance(one: &str, other: &str) -> usize {
    let start = |name: &str| name.bytes().take(NAME_BYTES_MAX).collect::<Vec<u8>>();
    strsim::generic_levenshtein(&start(one), &start(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn a_slip_of_the_pen_finds_the_name_that_was_meant() {
        assert_eq!(nearest_point("vas_o::pickvictim"), "vas_o::pick_victim");
        let near = nearest_callable("coremap_entry_o::get_pagestat");
        assert_eq!(near, Some("coremap_entry_o::get_pagestate"));
        assert_eq!(nearest_callable("printf"), None);
    }
}
