/* Always gives up its newest page, which it will most likely want next. */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)proposed_victim;
    *my_choice = link_o__get_data(list_o__last(opt_pages));
    return SUCCESS;
}
