/* Keeps a list of the pages it was asked about, and once takes all the heap there is. */
#include "graft-support.h"
#include <stdlib.h>
#include <string.h>

#define CHECK(number, condition) \
    do { \
        if (!(condition)) \
            return 1000 + (number); \
    } while (0)

/* The kernel's default limit, and what of it may go to bookkeeping. */
#define LIMIT_BYTES (1 << 20)
#define OVERHEAD_BYTES (128 << 10)
#define BLOCK_BYTES 4096
#define BLOCKS_MAX (LIMIT_BYTES / BLOCK_BYTES)

struct seen {
    struct seen *next;
    uint64_t number;
    char text[24];
};

static struct seen *newest;
static uint64_t calls;

static status_t remember(void) {
    struct seen *const entry = calloc(1, sizeof *entry);
    CHECK(1, entry != NULL && entry->number == 0);
    entry->next = newest;
    entry->number = calls;
    strcpy(entry->text, "seen");
    newest = entry;
    uint64_t expected = calls;
    for (const struct seen *at = newest; at != NULL; at = at->next, expected--)
        CHECK(2, at->number == expected && strcmp(at->text, "seen") == 0);
    CHECK(3, expected == 0);
    return SUCCESS;
}

static status_t take_all(void) {
    void *blocks[BLOCKS_MAX];
    size_t n = 0;
    while (n < BLOCKS_MAX && (blocks[n] = malloc(BLOCK_BYTES)) != NULL)
        memset(blocks[n++], 0xa5, BLOCK_BYTES);
    CHECK(4, n < BLOCKS_MAX && n * BLOCK_BYTES >= LIMIT_BYTES - OVERHEAD_BYTES);
    while (n != 0)
        free(blocks[--n]);
    /* What was freed is one block again. */
    void *const large = malloc(LIMIT_BYTES - OVERHEAD_BYTES);
    CHECK(5, large != NULL);
    free(large);
    return SUCCESS;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    calls++;
    if (calls % 16 == 0) {
        const status_t status = take_all();
        if (status != SUCCESS)
            return status;
    }
    return calls <= 64 ? remember() : SUCCESS;
}
