/*
 * Tries to change kernel memory: it marks every page of the list as wired, in place.
 *
 * The list is the kernel's own, mapped read-only into the sandbox: the first store is a fault.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    for (link_o *link = list_o__first(opt_pages); link != NULL; link = link_o__get_next(link))
        ((volatile coremap_entry_o *)link_o__get_data(link))->state = PAGE_WIRED;
    *my_choice = proposed_victim;
    return SUCCESS;
}
