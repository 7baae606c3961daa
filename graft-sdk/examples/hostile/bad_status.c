/*
 * Tries to confuse the kernel with a status that no graft function has.
 *
 * Only SUCCESS and ENOTFOUND are answers: the transaction is aborted and the kernel's proposal
 * evicted.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    return 0x5ca1ab1e;
}
