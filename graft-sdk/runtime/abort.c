/*
 * Ways to give up. The invocation ends with an illegal instruction in the function that is named
 * in the fault, and its transaction is undone.
 */
#include "runtime.h"

_Noreturn void abort(void) {
    __builtin_trap();
}

_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
                             const char *function) {
    /* The four are in the registers that the fault reports. */
    __asm__ volatile("" : : "D"(condition), "S"(file), "d"(line), "c"(function));
    __builtin_trap();
}

_Noreturn void exit(int status) {
    __asm__ volatile("" : : "D"(status));
    __builtin_trap();
}
