/* Moves pages between the lists and looks whether they are where they should be. */
#include "graft-support.h"

#define CHECK(number, condition) \
    do { \
        if (!(condition)) \
            return 1000 + (number); \
    } while (0)

static coremap_entry_o *kept;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    const uint32_t n_pages = list_o__size(opt_pages);
    const uint32_t n_inactive = vas_o__n_inactive(self);
    link_o *const last = list_o__last(opt_pages);
    coremap_entry_o *const page = link_o__get_data(last);
    /* What was deactivated last time is still the first of the list, or was evicted. */
    if (kept != NULL && coremap_entry_o__get_pagestate(kept) == PAGE_INACTIVE)
        CHECK(1, link_o__get_data(list_o__first(opt_pages)) == kept);
    CHECK(2, coremap_entry_o__get_pagestate(page) == PAGE_ACTIVE);
    CHECK(3, coremap_entry_o__set_pagestate(page, PAGE_WIRED) == SUCCESS);
    CHECK(4, coremap_entry_o__get_pagestate(page) == PAGE_WIRED);
    CHECK(5, list_o__size(opt_pages) == n_pages - 1 && list_o__last(opt_pages) != last);
    CHECK(6, coremap_entry_o__set_pagestate(page, PAGE_INACTIVE) == SUCCESS);
    CHECK(7, list_o__size(opt_pages) == n_pages && vas_o__n_inactive(self) == n_inactive + 1);
    CHECK(8, !coremap_entry_o__is_referenced(page));
    CHECK(9, coremap_entry_o__set_pagestate(page, PAGE_ACTIVE) == SUCCESS);
    CHECK(10, coremap_entry_o__is_referenced(page) && list_o__last(opt_pages) == last);
    CHECK(11, vas_o__n_inactive(self) == n_inactive);
    if (n_inactive == 0) {
        CHECK(12, coremap_entry_o__set_pagestate(page, PAGE_INACTIVE) == SUCCESS);
        CHECK(13, list_o__first(opt_pages) == last);
        kept = page;
    }
    *my_choice = proposed_victim;
    return SUCCESS;
}
