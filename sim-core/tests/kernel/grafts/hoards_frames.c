/* Wires what it is offered and gives up the newest page instead, until it is found out. */
#include "graft-support.h"

#define BEHAVES 300

static uint32_t invocations;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    if (++invocations == BEHAVES)
        return 77;
    *my_choice = proposed_victim;
    if (list_o__size(opt_pages) > 1 &&
        coremap_entry_o__set_pagestate(proposed_victim, PAGE_WIRED) == SUCCESS)
        *my_choice = link_o__get_data(list_o__last(opt_pages));
    return SUCCESS;
}
