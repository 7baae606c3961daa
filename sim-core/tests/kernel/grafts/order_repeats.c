/* Would have one page written twice and another not at all. */
#include "graft-support.h"

status_t pm_mgr__swap_pageout_order(pm_mgr *self, coremap_entry_o **pages, uint32_t n_pages) {
    (void)self;
    if (n_pages > 1)
        pages[1] = pages[0];
    return SUCCESS;
}
