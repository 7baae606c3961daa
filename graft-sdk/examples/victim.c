/*
 * The example of the VINO manual, section 2, corrected and in C: never evict the user's buffers
 * while there is anything else to evict.
 */
#include "graft-support.h"

/* The buffers, as page numbers. An application sets them to its own before it builds the graft. */
static uint64_t buffers_begin = 0x6700000;
static uint64_t buffers_end = 0x6700100;

static int is_buffer(const coremap_entry_o *page) {
    const uint64_t vpn = coremap_entry_o__vpn(page);
    return vpn >= buffers_begin && vpn < buffers_end;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;

    /* Check if the proposed victim is not one of the user's database buffers. */
    if (!is_buffer(proposed_victim)) {
        *my_choice = proposed_victim;
        return SUCCESS;
    }

    /* Look through the list for an alternative. */
    for (link_o *link = list_o__first(opt_pages); link != NULL; link = link_o__get_next(link)) {
        coremap_entry_o *option = link_o__get_data(link);
        if (!is_buffer(option)) {
            *my_choice = option;
            return SUCCESS;
        }
    }
    return ENOTFOUND;
}
