/* Compares what it reads in place with what the kernel answers, for every page it has. */
#include "graft-support.h"

#define CHECK(number, condition) \
    do { \
        if (!(condition)) \
            return 1000 + (number); \
    } while (0)

/* Called through pointers, these are calls of the kernel and not reads in place. */
static vm_offset_t (*volatile get_pa)(coremap_entry_o *) = coremap_entry_o__get_pa;
static page_state_t (*volatile get_pagestate)(coremap_entry_o *) = coremap_entry_o__get_pagestate;
static link_o *(*volatile get_statelink)(coremap_entry_o *) = coremap_entry_o__get_statelink;

static status_t check_page(vas_o *self, coremap_entry_o *page) {
    const vm_offset_t pa = (vm_offset_t)page->frame * VINO_PAGE_BYTES;
    const vm_offset_t va = page->page_number * VINO_PAGE_BYTES;
    vm_offset_t answer = 0;
    uint32_t flag = 7;
    coremap_entry_o *entry = NULL;
    CHECK(1, get_pa(page) == pa);
    CHECK(2, get_pagestate(page) == coremap_entry_o__get_pagestate(page));
    CHECK(3, get_statelink(page) == &page->statelink);
    CHECK(4, coremap_entry_o__get_owner_vas(page) == self);
    CHECK(5, vm_offset_t__bsd_pmap_extract(va + 5, &answer) == SUCCESS && answer == pa + 5);
    CHECK(6, vm_offset_t__bsd_pmap_rev_lookup(pa + 9, &answer) == SUCCESS && answer == va + 9);
    CHECK(7, vm_offset_t__bsd_pmap_is_referenced(pa, &flag) == SUCCESS);
    CHECK(8, (int)flag == coremap_entry_o__is_referenced(page));
    CHECK(9, vm_offset_t__bsd_pmap_is_modified(pa, &flag) == SUCCESS);
    CHECK(10, (int)flag == coremap_entry_o__is_modified(page));
    CHECK(11, as_o__deref((as_o *)self, va, &entry) == SUCCESS && entry == page);
    CHECK(12, as_o__deref_all((as_o *)self, va, 1, &entry) == SUCCESS && entry == page);
    CHECK(13, page->generation > 0);
    return SUCCESS;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    uint32_t n_pages = 0, n_inactive = 0;
    int found = 0;
    for (link_o *link = list_o__first(opt_pages); link != NULL; link = link_o__get_next(link)) {
        coremap_entry_o *page = link_o__get_data(link);
        const status_t status = check_page(self, page);
        if (status != SUCCESS)
            return status;
        n_pages++;
        n_inactive += coremap_entry_o__get_pagestate(page) == PAGE_INACTIVE;
        found |= page == proposed_victim;
    }
    CHECK(20, found);
    CHECK(21, n_pages == list_o__size(opt_pages) && n_inactive == vas_o__n_inactive(self));
    CHECK(22, vas_o__id(self) == 0 && (void *)self == (void *)opt_pages);
    *my_choice = proposed_victim;
    return SUCCESS;
}
