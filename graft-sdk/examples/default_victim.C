// The kernel's own choice as a graft: VINO manual, section 2.
//
// A run with this graft evicts exactly what a run without any graft evicts. It is the place to
// begin a graft from.
#include "graft-support.H"

status_t vas_o::pick_victim(list_o<coremap_entry_o *> *, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    *my_choice = proposed_victim;
    return SUCCESS;
}
