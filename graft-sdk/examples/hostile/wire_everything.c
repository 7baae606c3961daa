/*
 * Tries to take memory for itself: it wires every page it has, and answers a wired one.
 *
 * Wired pages are limited, and a wired page is no answer: the transaction is aborted, the pages
 * are as they were and the kernel's proposal is evicted.
 */
#include "graft-support.h"

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    *my_choice = proposed_victim;
    coremap_entry_o__set_pagestate(proposed_victim, PAGE_WIRED);
    for (link_o *link = list_o__first(opt_pages); link != NULL; link = list_o__first(opt_pages)) {
        if (coremap_entry_o__set_pagestate(link_o__get_data(link), PAGE_WIRED) != SUCCESS)
            break;
    }
    return SUCCESS;
}
