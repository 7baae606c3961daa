/*
 * errno: one word, because a sandbox runs one thread.
 */
#include "runtime.h"

static int last_error;

int *__errno_location(void) {
    return &last_error;
}
