// The example of the VINO manual, section 2, corrected: never evict the user's buffers while
// there is anything else to evict.
//
// The manual's version assigns the candidate once and never advances, and does not compile.
#include "graft-support.H"

// The buffers, as page numbers. An application sets them to its own before it builds the graft.
static uint64_t buffers_begin = 0x6700000;
static uint64_t buffers_end = 0x6700100;

static bool is_buffer(coremap_entry_o *page) {
    return page->vpn() >= buffers_begin && page->vpn() < buffers_end;
}

status_t vas_o::pick_victim(list_o<coremap_entry_o *> *opt_pages,
                            coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    // Check if the proposed victim is not one of the user's database buffers.
    if (!is_buffer(proposed_victim)) {
        *my_choice = proposed_victim;
        return SUCCESS;
    }

    // Look through the list for an alternative.
    for (link_o<coremap_entry_o *> *link = opt_pages->first(); link; link = link->get_next()) {
        coremap_entry_o *option = link->get_data();
        if (!is_buffer(option)) {
            *my_choice = option;
            return SUCCESS;
        }
    }
    return ENOTFOUND;
}
