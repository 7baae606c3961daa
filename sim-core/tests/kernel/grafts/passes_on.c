/*
 * Wires what it is offered, lets go of what it wired before, and says that it found no victim: were
 * that accepted, its process would never lose a page and the others would lose all of theirs.
 */
#include "graft-support.h"

static coremap_entry_o *kept;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    (void)my_choice;
    if (kept != NULL)
        coremap_entry_o__set_pagestate(kept, PAGE_ACTIVE);
    kept = proposed_victim;
    coremap_entry_o__set_pagestate(proposed_victim, PAGE_WIRED);
    return ENOTFOUND;
}
