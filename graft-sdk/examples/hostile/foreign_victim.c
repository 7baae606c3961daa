/*
 * Tries to have a page of another process evicted: it answers a frame in which it sees no page.
 *
 * To a graft, frames of other address spaces look free. The answer is refused like any page that
 * is not the caller's: the transaction is aborted and the kernel's proposal evicted.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    coremap_entry_o *frames = (coremap_entry_o *)((uintptr_t)self + VINO_PAGE_VIEW_HEADER_BYTES);
    (void)opt_pages;
    *my_choice = proposed_victim;
    for (uint32_t frame = 0; frame < self->n_slots; frame++) {
        if (coremap_entry_o__get_pagestate(&frames[frame]) == PAGE_FREE)
            *my_choice = &frames[frame];
    }
    return SUCCESS;
}
