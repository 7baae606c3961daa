// Reads a page view through the C++ headers; answers the line of the first check that fails.
#include "graft-support.H"

#define CHECK(condition) \
    do { \
        if (!(condition)) \
            return __LINE__; \
    } while (0)

// A view of three frames, as the kernel lays it out; aligned so that it crosses no 4 GiB boundary.
static struct {
    uint32_t header[VINO_PAGE_VIEW_HEADER_BYTES / 4];
    struct {
        uint32_t next, prev;
        uint64_t vpn;
        uint32_t frame, generation, state, reserved;
    } entries[3];
} view __attribute__((aligned(4096)));

static uint32_t link_to(int entry) {
    return (uint32_t)(uintptr_t)&view.entries[entry];
}

static void fill(void) {
    // The list is entry 2, then entry 0; entry 1 is wired and not in it.
    view.header[VINO_PAGE_VIEW_HEADER_FIRST / 4] = link_to(2);
    view.header[VINO_PAGE_VIEW_HEADER_LAST / 4] = link_to(0);
    view.header[VINO_PAGE_VIEW_HEADER_COUNT / 4] = 2;
    view.header[VINO_PAGE_VIEW_HEADER_INACTIVE_COUNT / 4] = 1;
    view.header[VINO_PAGE_VIEW_HEADER_VAS / 4] = 7;
    view.header[VINO_PAGE_VIEW_HEADER_SLOTS / 4] = 3;
    view.entries[2].next = link_to(0);
    view.entries[0].prev = link_to(2);
    for (uint32_t i = 0; i < 3; i++) {
        view.entries[i].vpn = 0x100000000u + i;
        view.entries[i].frame = 0x100000u + i;
    }
    view.entries[0].state = PAGE_ACTIVE | VINO_PAGE_VIEW_STATE_REFERENCED;
    view.entries[1].state = PAGE_WIRED;
    view.entries[2].state = PAGE_INACTIVE | VINO_PAGE_VIEW_STATE_MODIFIED;
}

int main() {
    fill();
    vas_o *vas = (vas_o *)(uintptr_t)&view;
    list_o<coremap_entry_o *> *list = (list_o<coremap_entry_o *> *)(uintptr_t)&view;
    coremap_entry_o *entries[3];
    for (int i = 0; i < 3; i++)
        entries[i] = (coremap_entry_o *)(uintptr_t)&view.entries[i];

    CHECK(vas->id() == 7 && vas->size() == 2 && vas->n_inactive() == 1);
    CHECK(list->size() == 2);
    CHECK(list->first()->get_data() == entries[2] && list->last()->get_data() == entries[0]);
    CHECK(list->first()->get_next() == list->last());
    CHECK(list->last()->get_prev() == list->first());
    CHECK(list->first()->get_prev() == NULL && list->last()->get_next() == NULL);
    uint32_t n_pages = 0;
    for (link_o<coremap_entry_o *> *link = list->first(); link; link = link->get_next())
        n_pages++;
    CHECK(n_pages == 2);

    link_o<coremap_entry_o *> *found = NULL;
    CHECK(list->find(entries[0], found) == SUCCESS && found == entries[0]->get_statelink());
    CHECK(list->find(entries[2], found) == SUCCESS && found == entries[2]->get_statelink());
    CHECK(list->find(entries[1], found) == ENOTFOUND && found == entries[2]->get_statelink());
    CHECK(list->find(NULL, found) == ENOTFOUND);

    CHECK(entries[0]->get_pagestate() == PAGE_ACTIVE && entries[0]->is_referenced());
    CHECK(!entries[0]->is_modified());
    CHECK(entries[2]->get_pagestate() == PAGE_INACTIVE && entries[2]->is_modified());
    CHECK(!entries[2]->is_referenced());
    CHECK(entries[1]->get_pagestate() == PAGE_WIRED);
    CHECK(entries[1]->vpn() == 0x100000001u);
    CHECK(entries[2]->get_pa() == 0x100002000u);
    vm_offset_t nowhere;
    CHECK(nowhere == 0 && vm_offset_t(0x1234) + 1 == 0x1235);

    view.header[VINO_PAGE_VIEW_HEADER_FIRST / 4] = 0;
    view.header[VINO_PAGE_VIEW_HEADER_LAST / 4] = 0;
    CHECK(list->first() == NULL && list->last() == NULL);
    return 0;
}
