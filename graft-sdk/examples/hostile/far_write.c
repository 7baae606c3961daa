/*
 * Tries to write where operating systems keep themselves, far outside its sandbox.
 *
 * Only the low 32 bits of an address count, so the store stays in the sandbox, where nothing is
 * mapped at that place: a fault.
 */
#include "graft-support.h"

static volatile uintptr_t kernel_address = 0xffffffffff600000u;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *(volatile uint64_t *)kernel_address = 0x6b6e6f7773u;
    *my_choice = proposed_victim;
    return SUCCESS;
}
