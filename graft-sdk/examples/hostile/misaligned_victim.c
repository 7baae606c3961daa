/*
 * Tries to confuse the kernel with a pointer between two entries of the page view.
 *
 * An answer must be the start of an entry; the transaction is aborted and the kernel's proposal
 * evicted.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = (coremap_entry_o *)((uintptr_t)proposed_victim + 8);
    return SUCCESS;
}
