/*
 * Calls a function through a null pointer, as a broken graft would.
 *
 * The target of an indirect call must carry a label; nothing is mapped at 0, so the check faults.
 */
#include "graft-support.h"

typedef status_t chooser(coremap_entry_o *page, coremap_entry_o **my_choice);

static chooser *volatile choose;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    return choose(proposed_victim, my_choice);
}
