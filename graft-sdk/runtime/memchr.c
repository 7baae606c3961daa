/*
 * memchr and memrchr.
 */
#include "runtime.h"

void *memchr(const void *in, int value, size_t bytes) {
    const uint8_t *at = in;
    const vector wanted = splat((char)value);
    for (; bytes >= 16; bytes -= 16, at += 16) {
        const uint32_t found = equal_bytes(load_vector(at), wanted);
        if (found != 0)
            return (void *)(at + __builtin_ctz(found));
    }
    for (; bytes != 0; bytes--, at++)
        if (*at == (uint8_t)value)
            return (void *)at;
    return NULL;
}

void *memrchr(const void *in, int value, size_t bytes) {
    const uint8_t *at = in;
    while (bytes != 0)
        if (at[--bytes] == (uint8_t)value)
            return (void *)(at + bytes);
    return NULL;
}
