/*
 * Tries to keep all its pages for ever: it says that there is no victim, every time.
 *
 * ENOTFOUND is a legal answer and costs nobody anything: the kernel evicts its own proposal and
 * counts the answer. The process keeps no page that the clock would not have kept.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    (void)proposed_victim;
    (void)my_choice;
    return ENOTFOUND;
}
