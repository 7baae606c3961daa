/*
 * Tries to run its stack into whatever lies below it.
 *
 * Below a graft's stack lies a guard: a fault.
 */
#include "graft-support.h"

static volatile uint32_t endless = 1;

static uint64_t __attribute__((noinline)) descend(uint64_t depth) {
    volatile uint64_t frame[32];
    frame[depth % 32] = depth;
    return endless != 0 ? descend(depth + 1) + frame[depth % 32] : depth;
}

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = descend(0) != 0 ? proposed_victim : NULL;
    return SUCCESS;
}
