/* Reads a page view through the C headers; answers the line of the first check that fails. */
#include "graft-support.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__; \
    } while (0)

/* A view of three frames, aligned so that it crosses no 4 GiB boundary. */
static struct {
    union {
        struct vas_o vas;
        uint8_t bytes[VINO_PAGE_VIEW_HEADER_BYTES];
    } header;
    struct coremap_entry_o entries[3];
} view __attribute__((aligned(4096)));

/* What the kernel answers when a graft calls it: an accessor that was not inlined ends here. */
extern page_state_t coremap_entry_o__get_pagestate(coremap_entry_o *self);
extern vm_offset_t coremap_entry_o__get_pa(coremap_entry_o *self);
extern link_o *coremap_entry_o__get_statelink(coremap_entry_o *self);

static uint32_t link_to(int entry) {
    return (uint32_t)(uintptr_t)&view.entries[entry];
}

/* The list is entry 2, then entry 0; entry 1 is wired and not in it. */
static void fill(void) {
    view.header.vas.evictable.first_link = link_to(2);
    view.header.vas.evictable.last_link = link_to(0);
    view.header.vas.evictable.n_links = 2;
    view.header.vas.inactive = 1;
    view.header.vas.vas_id = 7;
    view.entries[2].statelink.next = link_to(0);
    view.entries[0].statelink.prev = link_to(2);
    for (uint32_t i = 0; i < 3; i++) {
        view.entries[i].page_number = (uint64_t)0x100000000u + i;
        view.entries[i].frame = 0x100000u + i;
    }
    view.entries[0].state = PAGE_ACTIVE | VINO_PAGE_VIEW_STATE_REFERENCED;
    view.entries[1].state = PAGE_WIRED;
    view.entries[2].state = PAGE_INACTIVE | VINO_PAGE_VIEW_STATE_MODIFIED;
}

static int check_list(list_o *list) {
    coremap_entry_o *entries = view.entries;
    link_o *found = NULL;
    uint32_t n_pages = 0;
    CHECK(list_o__size(list) == 2);
    CHECK(link_o__get_data(list_o__first(list)) == &entries[2]);
    CHECK(link_o__get_data(list_o__last(list)) == &entries[0]);
    CHECK(link_o__get_next(list_o__first(list)) == list_o__last(list));
    CHECK(link_o__get_prev(list_o__last(list)) == list_o__first(list));
    CHECK(link_o__get_prev(list_o__first(list)) == NULL);
    CHECK(link_o__get_next(list_o__last(list)) == NULL);
    for (link_o *link = list_o__first(list); link != NULL; link = link_o__get_next(link))
        n_pages++;
    CHECK(n_pages == 2);
    CHECK(list_o__find(list, &entries[0], &found) == SUCCESS);
    CHECK(found == coremap_entry_o__get_statelink(&entries[0]));
    CHECK(list_o__find(list, &entries[1], &found) == ENOTFOUND);
    CHECK(list_o__find(list, NULL, &found) == ENOTFOUND);
    return 0;
}

/* The routines that compilers call by themselves, around their word size and with overlap. */
static int check_library(void) {
    uint8_t left[40], right[40];
    for (uint32_t bytes = 0; bytes <= 32; bytes++) {
        for (uint32_t i = 0; i < 40; i++)
            left[i] = (uint8_t)(i + 1);
        CHECK(memset(right, 0x5a5, 40) == right && right[0] == 0xa5 && right[39] == 0xa5);
        CHECK(memcpy(right + 1, left, bytes) == right + 1);
        CHECK(memcmp(right + 1, left, bytes) == 0 && right[0] == 0xa5);
        CHECK(right[bytes + 1] == 0xa5);
        CHECK(memmove(left + 3, left, bytes) == left + 3);
        CHECK(memcmp(left + 3, right + 1, bytes) == 0);
        CHECK(memmove(left, left + 3, bytes) == left);
        CHECK(memcmp(left, right + 1, bytes) == 0);
    }
    CHECK(memcmp("ab\377", "ab\001", 3) > 0 && memcmp("a", "b", 1) < 0);
    return 0;
}

int main(void) {
    vas_o *vas = (vas_o *)(void *)&view;
    coremap_entry_o *entries = view.entries;
    int line;
    fill();
    line = check_list((list_o *)(void *)&view);
    if (line == 0)
        line = check_library();
    if (line != 0)
        return line;
    CHECK(vas_o__id(vas) == 7 && vas_o__size(vas) == 2 && vas_o__n_inactive(vas) == 1);
    CHECK(coremap_entry_o__get_pagestate(&entries[0]) == PAGE_ACTIVE);
    CHECK(coremap_entry_o__is_referenced(&entries[0]));
    CHECK(!coremap_entry_o__is_modified(&entries[0]));
    CHECK(coremap_entry_o__get_pagestate(&entries[2]) == PAGE_INACTIVE);
    CHECK(coremap_entry_o__is_modified(&entries[2]));
    CHECK(coremap_entry_o__get_pagestate(&entries[1]) == PAGE_WIRED);
    CHECK(coremap_entry_o__vpn(&entries[1]) == 0x100000001u);
    CHECK(coremap_entry_o__get_pa(&entries[2]) == 0x100002000u);
    view.header.vas.evictable.first_link = 0;
    CHECK(list_o__first((list_o *)(void *)&view) == NULL);
    return 0;
}
