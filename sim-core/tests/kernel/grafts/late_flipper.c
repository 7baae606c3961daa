/* Changes page states in every invocation; in one of them it faults afterwards. */
#include "graft-support.h"

#define BEHAVES 500
#define PAGES 8

static uint32_t invocations;
static uint32_t *volatile nowhere;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    coremap_entry_o *pages[PAGES];
    uint32_t n_pages = 0;
    link_o *link = list_o__last(opt_pages);
    (void)self;
#ifdef FAULTS_FIRST
    if (invocations == BEHAVES)
        *nowhere = invocations;
#endif
    for (; link != NULL && n_pages < PAGES; link = link_o__get_prev(link))
        pages[n_pages++] = link_o__get_data(link);
    for (uint32_t i = 0; i < n_pages; i++) {
        const uint32_t dice = invocations * 7 + i * 3;
        coremap_entry_o__set_pagestate(pages[i], dice % 3 == 0 ? PAGE_ACTIVE : PAGE_INACTIVE);
        if (dice % 5 == 0) {
            coremap_entry_o__set_pagestate(pages[i], PAGE_WIRED);
            coremap_entry_o__set_pagestate(pages[i], PAGE_ACTIVE);
        }
    }
    if (++invocations > BEHAVES)
        *nowhere = invocations;
    *my_choice = proposed_victim;
    return SUCCESS;
}
