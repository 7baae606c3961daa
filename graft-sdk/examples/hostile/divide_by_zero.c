/*
 * Divides by zero, as a broken graft would.
 *
 * The processor's exception ends the invocation, not the kernel.
 */
#include "graft-support.h"

static volatile uint32_t zero;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    volatile uint32_t share = list_o__size(opt_pages) / zero;
    *my_choice = share != 0 ? proposed_victim : NULL;
    return SUCCESS;
}
