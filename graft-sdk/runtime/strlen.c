/*
 * strlen and strnlen.
 *
 * strlen reads aligned vectors, which never cross into a page that the string does not touch.
 */
#include "runtime.h"

size_t strlen(const char *text) {
    const uintptr_t misaligned = (uintptr_t)text & 15;
    const uint8_t *at = (const uint8_t *)text - misaligned;
    const vector zero = splat(0);
    /* What stands before the string in its first vector does not count. */
    uint32_t found = equal_bytes((vector) * (const aligned_vector *)at, zero) >> misaligned;
    if (found != 0)
        return (size_t)__builtin_ctz(found);
    do {
        at += 16;
        found = equal_bytes((vector) * (const aligned_vector *)at, zero);
    } while (found == 0);
    return (size_t)(at - (const uint8_t *)text) + (size_t)__builtin_ctz(found);
}

size_t strnlen(const char *text, size_t bytes_max) {
    size_t length = 0;
    while (length < bytes_max && text[length] != '\0')
        length++;
    return length;
}
