/* Asks the kernel about its pages again and again. */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    for (int i = 0; i < 1000; i++)
        (void)coremap_entry_o__get_owner_vas(proposed_victim);
    *my_choice = proposed_victim;
    return SUCCESS;
}
