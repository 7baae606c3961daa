/* Calls functions that the kernel does not offer. */
#include "graft-support.h"

char *getenv(const char *name);
int coremap_entry_o__get_pagestates(coremap_entry_o *page);

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    (void)self;
    (void)opt_pages;
    *my_choice = proposed_victim;
    return getenv("HOME") == NULL ? SUCCESS : coremap_entry_o__get_pagestates(proposed_victim);
}
