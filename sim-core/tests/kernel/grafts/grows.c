/* Uses up its heap, a few pages at a time, and finds its limit and nothing else. */
#include "graft-support.h"

/* What an allocator calls for more heap. */
void *vino_heap_grow(size_t bytes);

#define CHECK(number, condition) \
    do { \
        if (!(condition)) \
            return 1000 + (number); \
    } while (0)

/* The test's limit is 64 pages. */
#define LIMIT_PAGES 64

static char *start;
static uint32_t pages;

static status_t grow(void) {
    char *const fresh = vino_heap_grow(VINO_PAGE_BYTES + 1);
    CHECK(1, fresh != NULL);
    if (start == NULL)
        start = fresh;
    CHECK(2, fresh == start + pages * VINO_PAGE_BYTES);
    CHECK(3, fresh[0] == 0 && fresh[2 * VINO_PAGE_BYTES - 1] == 0);
    fresh[0] = (char)(pages + 1);
    pages += 2;
    return SUCCESS;
}

static status_t check_limit(void) {
    CHECK(11, vino_heap_grow(1) == NULL);
    CHECK(12, vino_heap_grow(~(size_t)0) == NULL);
    CHECK(13, vino_heap_grow((size_t)1 << 32) == NULL);
    CHECK(14, vino_heap_grow(0) == start + LIMIT_PAGES * VINO_PAGE_BYTES);
    for (uint32_t page = 0; page < LIMIT_PAGES; page += 2)
        CHECK(15, start[page * VINO_PAGE_BYTES] == (char)(page + 1));
    return SUCCESS;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    const status_t status = pages < LIMIT_PAGES ? grow() : check_limit();
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    return status;
}
