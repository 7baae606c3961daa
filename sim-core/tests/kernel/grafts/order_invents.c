/* Would have a page written that is not there. */
#include "graft-support.h"

status_t pm_mgr__swap_pageout_order(pm_mgr *self, coremap_entry_o **pages, uint32_t n_pages) {
    (void)self;
    pages[n_pages - 1] = (coremap_entry_o *)((uintptr_t)pages[n_pages - 1] + 4096);
    return SUCCESS;
}
