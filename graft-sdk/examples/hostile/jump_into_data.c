/*
 * Tries to run code that the verifier never saw: it writes instructions to its own data, the
 * label of a legal target before them, and calls them.
 *
 * The label is there, so the check passes; data is never executable: a fault.
 */
#include "graft-support.h"

typedef status_t chooser(coremap_entry_o *page, coremap_entry_o **my_choice);

static uint8_t code[64];

status_t vas_o__pick_victim(vas_o *self, list_o *opt_pages, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    /* The label of an indirect target, assembled here since text may not hold it. */
    static const uint8_t label[8] = {0x0f, 0x1f, 0x84, 0x6e, 0, 0, 0, 0};
    /* xor %eax,%eax; syscall */
    static const uint8_t instructions[4] = {0x31, 0xc0, 0x0f, 0x05};
    (void)self;
    (void)opt_pages;
    for (uint32_t i = 0; i < sizeof label; i++)
        ((volatile uint8_t *)code)[i] = label[i];
    for (uint32_t i = 0; i < sizeof instructions; i++)
        ((volatile uint8_t *)code)[sizeof label + i] = instructions[i];
    chooser *volatile choose = (chooser *)(uintptr_t)code;
    return choose(proposed_victim, my_choice);
}
