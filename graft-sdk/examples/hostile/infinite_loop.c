/*
 * Tries to stop eviction for ever: it never answers.
 *
 * Ended by the deadline; the kernel's proposal is evicted.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    (void)proposed_victim;
    (void)my_choice;
    for (;;)
        __asm__ volatile("");
}
