/*
 * memcmp, and bcmp, into which clang and rustc turn a memcmp that is only compared with zero.
 */
#include "runtime.h"

static inline __attribute__((always_inline)) int compare_words(uint64_t a, uint64_t b) {
    a = __builtin_bswap64(a);
    b = __builtin_bswap64(b);
    return a < b ? -1 : a > b;
}

static inline __attribute__((always_inline)) int compare_vectors(const uint8_t *a, const uint8_t *b,
                                                                 uint32_t unequal) {
    const unsigned first = (unsigned)__builtin_ctz(unequal);
    return (int)a[first] - (int)b[first];
}

int memcmp(const void *left, const void *right, size_t bytes) {
    const uint8_t *a = left, *b = right;
    if (bytes >= 16) {
        const size_t last = bytes - 16;
        for (size_t at = 0; at < last; at += 16) {
            const uint32_t equal = equal_bytes(load_vector(a + at), load_vector(b + at));
            if (equal != 0xffff)
                return compare_vectors(a + at, b + at, ~equal & 0xffff);
        }
        const uint32_t equal = equal_bytes(load_vector(a + last), load_vector(b + last));
        return equal == 0xffff ? 0 : compare_vectors(a + last, b + last, ~equal & 0xffff);
    }
    if (bytes >= 8) {
        const int first = compare_words(*(const word64 *)a, *(const word64 *)b);
        const size_t last = bytes - 8;
        return first != 0 ? first
                          : compare_words(*(const word64 *)(a + last), *(const word64 *)(b + last));
    }
    for (; bytes != 0; bytes--, a++, b++)
        if (*a != *b)
            return (int)*a - (int)*b;
    return 0;
}

int bcmp(const void *left, const void *right, size_t bytes) {
    return memcmp(left, right, bytes);
}
