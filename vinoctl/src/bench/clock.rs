//! The floor that the kernel is measured against: CLOCK over flat arrays, and nothing else.
//!
//! No processes, no lists for grafts, no events: what any simulator of this policy has to do at
//! least. Its fault count must equal the kernel's, which makes it a check as well.

/// A page that is not in memory.
const ABSENT: u32 = u32::MAX;

/// Counts the faults of `references` (page numbers below `pages`) on `frames` frames.
pub(super) fn faults(references: &[u32], pages: u32, frames: u32) -> u64 {
    let mut frame_of_page = vec![ABSENT; pages as usize];
    let mut page_of_frame = vec![ABSENT; frames as usize];
    let mut referenced = vec![false; frames as usize];
    let mut hand = 0;
    let mut faults = 0;
    for &page in references {
        let frame = frame_of_page[page as usize];
        if frame != ABSENT {
            referenced[frame as usize] = true;
            continue;
        }
        faults += 1;
        while referenced[hand] {
            referenced[hand] = false;
            hand = if hand + 1 == referenced.len() {
                0
            } else {
                hand + 1
            };
        }
        let victim = page_of_frame[hand];
        if victim != ABSENT {
            frame_of_page[victim as usize] = ABSENT;
        }
        page_of_frame[hand] = page;
        frame_of_page[page as usize] = u32::try_from(hand).expect("below `frames`");
        hand = if hand + 1 == referenced.len() {
            0
        } else {
            hand + 1
        };
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_larger_than_memory_always_faults() {
        let references: Vec<u32> = (0..30).map(|n| n % 3).collect();
        assert_eq!(faults(&references, 3, 2), 30);
        assert_eq!(faults(&references, 3, 3), 3);
    }

    #[test]
    fn a_referenced_page_gets_a_second_chance() {
        assert_eq!(faults(&[0, 1, 0, 2, 0], 3, 2), 3);
    }
}
