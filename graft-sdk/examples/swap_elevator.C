// Writes the pages of a cluster to swap in the order of their addresses, so that neighbours in
// memory become neighbours on the disk and can be read back together.
#include "graft-support.H"

status_t pm_mgr::swap_pageout_order(coremap_entry_o **pages, uint32_t n_pages) {
    // A cluster is a few pages, for which insertion is the fastest sort.
    for (uint32_t sorted = 1; sorted < n_pages; sorted++) {
        coremap_entry_o *page = pages[sorted];
        const uint64_t vpn = page->vpn();
        uint32_t place = sorted;
        for (; place > 0 && pages[place - 1]->vpn() > vpn; place--)
            pages[place] = pages[place - 1];
        pages[place] = page;
    }
    return SUCCESS;
}
