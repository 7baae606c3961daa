/* Passes what is not its own, or is nothing at all, to every function that a graft may call. */
#include "graft-support.h"

#define CHECK(number, condition) \
    do { \
        if (!(condition)) \
            return 1000 + (number); \
    } while (0)

static vm_offset_t (*volatile get_pa)(coremap_entry_o *) = coremap_entry_o__get_pa;
static page_state_t (*volatile get_pagestate)(coremap_entry_o *) = coremap_entry_o__get_pagestate;
static link_o *(*volatile get_statelink)(coremap_entry_o *) = coremap_entry_o__get_statelink;

static status_t check_entry(coremap_entry_o *page) {
    CHECK(1, coremap_entry_o__get_owner_vas(page) == NULL);
    CHECK(2, get_pa(page) == 0);
    CHECK(3, get_pagestate(page) == PAGE_FREE);
    CHECK(4, get_statelink(page) == NULL);
    CHECK(5, coremap_entry_o__set_pagestate(page, PAGE_INACTIVE) == EPERM);
    return SUCCESS;
}

static status_t check_frame(vm_offset_t pa) {
    uint32_t flag = 7;
    vm_offset_t va = 7;
    CHECK(11, vm_offset_t__bsd_pmap_is_referenced(pa, &flag) == EPERM && flag == 7);
    CHECK(12, vm_offset_t__bsd_pmap_is_modified(pa, &flag) == EPERM && flag == 7);
    CHECK(13, vm_offset_t__bsd_pmap_rev_lookup(pa, &va) == EPERM && va == 7);
    return SUCCESS;
}

static status_t check_pointers(vas_o *self, coremap_entry_o *own) {
    const vm_offset_t va = own->page_number * VINO_PAGE_BYTES;
    vm_offset_t *const read_only = (vm_offset_t *)(void *)self;
    coremap_entry_o *entries[2] = {own, own};
    as_o *const space = (as_o *)self;
    CHECK(21, vm_offset_t__bsd_pmap_extract(va, read_only) == EINVAL);
    CHECK(22, vm_offset_t__bsd_pmap_extract(va, NULL) == EINVAL);
    CHECK(23, vm_offset_t__bsd_pmap_extract(~(vm_offset_t)0, (vm_offset_t *)entries) == ENOTFOUND);
    CHECK(24, as_o__deref((as_o *)own, va, entries) == EPERM);
    CHECK(25, as_o__deref(NULL, va, entries) == EPERM);
    CHECK(26, as_o__deref(space, (vm_offset_t)1 << 62, entries) == ENOTFOUND);
    CHECK(27, as_o__deref(space, va, (coremap_entry_o **)read_only) == EINVAL);
    CHECK(28, as_o__deref_all(space, va, 513, entries) == EINVAL);
    CHECK(29, as_o__deref_all(space, va, 0xffffffff, entries) == EINVAL);
    CHECK(30, as_o__deref_all((as_o *)entries, va, 1, entries) == EPERM);
    CHECK(31, as_o__deref_all(space, ~(vm_offset_t)0, 2, entries) == SUCCESS);
    CHECK(32, entries[0] == NULL && entries[1] == NULL);
    CHECK(33, coremap_entry_o__set_pagestate(own, PAGE_FREE) == EINVAL);
    CHECK(34, coremap_entry_o__set_pagestate(own, (page_state_t)77) == EINVAL);
    return SUCCESS;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    coremap_entry_o *frames = (coremap_entry_o *)((uintptr_t)self + VINO_PAGE_VIEW_HEADER_BYTES);
    status_t status;
    uint32_t foreign = 0;
    (void)opt_pages;
    for (uint32_t frame = 0; frame < self->n_slots; frame++) {
        if (coremap_entry_o__get_pagestate(&frames[frame]) != PAGE_FREE)
            continue;
        foreign++;
        if ((status = check_entry(&frames[frame])) != SUCCESS)
            return status;
        if ((status = check_frame((vm_offset_t)frame * VINO_PAGE_BYTES)) != SUCCESS)
            return status;
    }
    coremap_entry_o *const forged[] = {
        NULL,
        (coremap_entry_o *)((uintptr_t)proposed_victim + 1),
        (coremap_entry_o *)((uintptr_t)proposed_victim + 16),
        (coremap_entry_o *)(void *)self,
        &frames[self->n_slots],
        (coremap_entry_o *)(void *)&status,
    };
    for (uint32_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        if ((status = check_entry(forged[i])) != SUCCESS)
            return status + 100;
    }
    if ((status = check_frame((vm_offset_t)self->n_slots * VINO_PAGE_BYTES)) != SUCCESS)
        return status;
    if ((status = check_frame(~(vm_offset_t)0)) != SUCCESS)
        return status;
    if ((status = check_pointers(self, proposed_victim)) != SUCCESS)
        return status;
    *my_choice = proposed_victim;
    return SUCCESS;
}
