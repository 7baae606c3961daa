/*
 * Asks about pages of a write-out after it: their frames may hold pages of anybody by then.
 *
 * Every answer but a refusal is bad for the graft: its status is none of the point's.
 */
#include "graft-support.h"

static coremap_entry_o *kept;
static vm_offset_t kept_pa;
static page_state_t (*volatile get_pagestate)(coremap_entry_o *) = coremap_entry_o__get_pagestate;
static vm_offset_t (*volatile get_pa)(coremap_entry_o *) = coremap_entry_o__get_pa;

status_t pm_mgr__swap_pageout_order(pm_mgr *self, coremap_entry_o **pages, uint32_t n_pages) {
    (void)self;
    kept = pages[n_pages - 1];
    kept_pa = get_pa(kept);
    return get_pagestate(kept) == PAGE_FREE ? 100 : SUCCESS;
}

status_t pm_mgr__awake_pagedaemon(pm_mgr *self, uint32_t free_frames, uint32_t free_min,
                                  uint32_t *awake) {
    vm_offset_t va;
    uint32_t flag;
    (void)self;
    *awake = free_frames < free_min;
    if (kept == NULL)
        return SUCCESS;
    if (vm_offset_t__bsd_pmap_rev_lookup(kept_pa, &va) != EPERM)
        return 101;
    if (vm_offset_t__bsd_pmap_is_modified(kept_pa, &flag) != EPERM)
        return 102;
    if (get_pa(kept) != 0)
        return 103;
    if (get_pagestate(kept) != PAGE_FREE)
        return 104;
    return SUCCESS;
}
