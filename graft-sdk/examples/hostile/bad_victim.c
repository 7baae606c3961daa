/*
 * Tries to have a page evicted that does not exist: it answers a forgery in its own memory.
 *
 * An answer must be an entry of the page view that holds a page of the caller's address space;
 * the transaction is aborted and the kernel's proposal evicted.
 */
#include "graft-support.h"

static struct coremap_entry_o forgery;

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    forgery = *proposed_victim;
    *my_choice = &forgery;
    return SUCCESS;
}
