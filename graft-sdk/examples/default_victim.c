/*
 * The kernel's own choice as a graft, in C: VINO manual, section 2.
 *
 * A run with this graft evicts exactly what a run without any graft evicts. It is the place to
 * begin a graft from.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    return SUCCESS;
}
