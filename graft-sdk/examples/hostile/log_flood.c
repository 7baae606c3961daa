/*
 * Tries to exhaust kernel memory with undo records: it changes one page's state without end.
 *
 * The log of a transaction is bounded; reaching the bound aborts it, and the states are restored.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    for (;;) {
        coremap_entry_o__set_pagestate(proposed_victim, PAGE_ACTIVE);
        coremap_entry_o__set_pagestate(proposed_victim, PAGE_INACTIVE);
    }
}
