/*
 * Strings that are allocated: free them with free.
 */
#include "runtime.h"
#include <stdlib.h>
#include <string.h>

char *strndup(const char *text, size_t bytes_max) {
    const size_t length = strnlen(text, bytes_max);
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *strdup(const char *text) {
    return strndup(text, SIZE_MAX - 1);
}
