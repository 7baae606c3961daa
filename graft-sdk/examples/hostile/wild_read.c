/*
 * Tries to read memory that was never given to it, and to leak it through its answer.
 *
 * Only the low 32 bits of an address count, so the load stays in the sandbox, where nothing is
 * mapped at that place: a fault.
 */
#include "graft-support.h"

static volatile uintptr_t secret_address = 0x00007fffc0000000u;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    const uint64_t secret = *(volatile uint64_t *)secret_address;
    link_o *last = list_o__last(opt_pages);
    *my_choice = (secret & 1) != 0 && last != NULL ? link_o__get_data(last) : proposed_victim;
    return SUCCESS;
}
