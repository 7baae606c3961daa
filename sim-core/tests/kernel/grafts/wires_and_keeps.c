/*
 * Wires a page, unwires the one before, and gives up its newest page: changes and an override in
 * each transaction. Which page it wires depends on how often it was asked.
 *
 * It tries what only grafts of the kernel's owner may, and answers with no status if it succeeds.
 */
#include "graft-support.h"

static coremap_entry_o *wired;
static uint32_t invocations;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    uint32_t free_frames;
    if (pm_mgr__pageout((pm_mgr *)self, 1, &free_frames) != EPERM)
        return 101;
    if (wired != NULL && coremap_entry_o__get_pagestate(wired) == PAGE_WIRED)
        coremap_entry_o__set_pagestate(wired, PAGE_INACTIVE);
    *my_choice = link_o__get_data(list_o__last(opt_pages));
    if (*my_choice == proposed_victim || ++invocations % 3 == 0) {
        *my_choice = proposed_victim;
        return SUCCESS;
    }
    wired = proposed_victim;
    coremap_entry_o__set_pagestate(wired, PAGE_WIRED);
    return SUCCESS;
}
