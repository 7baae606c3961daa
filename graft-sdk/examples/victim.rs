//! The example of the VINO manual, section 2, corrected and in Rust: never evict the user's buffers
//! while there is anything else to evict.
#![no_std]

use vino_graft::{List, Page, Vas};

/// The buffers, as page numbers. An application sets them to its own before it builds the graft.
const BUFFERS: core::ops::Range<u64> = 0x670_0000..0x670_0100;

vino_graft::graft!("vas_o::pick_victim", pick);

fn is_buffer(page: &Page) -> bool {
    BUFFERS.contains(&page.vpn())
}

fn pick<'k>(_: &'k Vas, pages: &'k List, proposed: &'k Page) -> Option<&'k Page> {
    // Check if the proposed victim is not one of the user's database buffers.
    if !is_buffer(proposed) {
        return Some(proposed);
    }
    // Look through the list for an alternative.
    pages.iter().find(|page| !is_buffer(page))
}
