/* Gives up its newest page the first time it is asked, and what is proposed from then on. */
#include "graft-support.h"

static uint32_t invocations;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    *my_choice = proposed_victim;
    if (invocations++ == 0)
        *my_choice = link_o__get_data(list_o__last(opt_pages));
    return SUCCESS;
}
