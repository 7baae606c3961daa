// Defines one graft point in C++ and again in C.
#include "graft-support.H"

status_t vas_o::pick_victim(list_o<coremap_entry_o *> *, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    *my_choice = proposed_victim;
    return SUCCESS;
}

extern "C" status_t vas_o__pick_victim(vas_o *, void *, coremap_entry_o *proposed_victim,
                                       coremap_entry_o **my_choice) {
    *my_choice = proposed_victim;
    return SUCCESS;
}
