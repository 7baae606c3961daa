/*
 * Tries to leave the kernel in a mess: it changes the states of many pages, each of them several
 * times, and then faults.
 *
 * Every change pushed an undo record; the abort applies them newest first, and the page lists are
 * as they were, order included.
 */
#include "graft-support.h"

/* How many pages to change, few enough that the undo log holds the changes. */
#define PAGES_MAX 64

static coremap_entry_o *volatile nowhere;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    coremap_entry_o *pages[PAGES_MAX];
    uint32_t n_pages = 0;
    (void)self;
    /* Changing a state moves the page in the list, so the pages are gathered first. */
    link_o *link = list_o__first(opt_pages);
    for (; link != NULL && n_pages < PAGES_MAX; link = link_o__get_next(link))
        pages[n_pages++] = link_o__get_data(link);
    for (uint32_t i = 0; i < n_pages; i++) {
        coremap_entry_o__set_pagestate(pages[i], PAGE_ACTIVE);
        coremap_entry_o__set_pagestate(pages[n_pages - 1 - i], PAGE_INACTIVE);
        coremap_entry_o__set_pagestate(pages[i], i % 2 == 0 ? PAGE_INACTIVE : PAGE_ACTIVE);
    }
    *my_choice = proposed_victim;
    ((volatile coremap_entry_o *)nowhere)->state = PAGE_FREE;
    return SUCCESS;
}
