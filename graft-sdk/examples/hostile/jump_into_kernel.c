/*
 * Tries to run kernel code: it calls an address where operating systems keep theirs.
 *
 * Only the low 32 bits count, and what is there in the sandbox is no labelled target.
 */
#include "graft-support.h"

typedef status_t chooser(coremap_entry_o *page, coremap_entry_o **my_choice);

static chooser *volatile choose = (chooser *)(uintptr_t)0xffffffff80000010u;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    return choose(proposed_victim, my_choice);
}
