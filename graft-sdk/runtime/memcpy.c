/*
 * memcpy and memmove.
 *
 * Up to 64 bytes are loaded whole before any is stored, in pieces that overlap in the middle, so
 * direction does not matter. Longer copies go by 64 bytes, and long ones are left to the processor.
 */
#include "runtime.h"

/* From how many bytes on `rep movsb` is faster than a loop of vectors. */
#define REP_MOVSB_BYTES_MIN 1024

static inline __attribute__((always_inline)) void copy_small(uint8_t *to, const uint8_t *from,
                                                             size_t bytes) {
    if (bytes > 32) {
        const vector a = load_vector(from), b = load_vector(from + 16);
        const vector c = load_vector(from + bytes - 32), d = load_vector(from + bytes - 16);
        store_vector(to, a);
        store_vector(to + 16, b);
        store_vector(to + bytes - 32, c);
        store_vector(to + bytes - 16, d);
    } else if (bytes >= 16) {
        const vector a = load_vector(from), b = load_vector(from + bytes - 16);
        store_vector(to, a);
        store_vector(to + bytes - 16, b);
    } else if (bytes >= 8) {
        const uint64_t a = *(const word64 *)from, b = *(const word64 *)(from + bytes - 8);
        *(word64 *)to = a;
        *(word64 *)(to + bytes - 8) = b;
    } else if (bytes >= 4) {
        const uint32_t a = *(const word32 *)from, b = *(const word32 *)(from + bytes - 4);
        *(word32 *)to = a;
        *(word32 *)(to + bytes - 4) = b;
    } else if (bytes >= 2) {
        const uint16_t a = *(const word16 *)from, b = *(const word16 *)(from + bytes - 2);
        *(word16 *)to = a;
        *(word16 *)(to + bytes - 2) = b;
    } else if (bytes == 1) {
        *to = *from;
    }
}

/* More than 64 bytes, from the front. The last 64 are loaded first: they may be overwritten. */
static inline __attribute__((always_inline)) void copy_forward(uint8_t *to, const uint8_t *from,
                                                               size_t bytes) {
    const uint8_t *const last = from + bytes - 64;
    uint8_t *const last_to = to + bytes - 64;
    const vector e = load_vector(last), f = load_vector(last + 16);
    const vector g = load_vector(last + 32), h = load_vector(last + 48);
    do {
        const vector a = load_vector(from), b = load_vector(from + 16);
        const vector c = load_vector(from + 32), d = load_vector(from + 48);
        store_vector(to, a);
        store_vector(to + 16, b);
        store_vector(to + 32, c);
        store_vector(to + 48, d);
        from += 64;
        to += 64;
    } while (to < last_to);
    store_vector(last_to, e);
    store_vector(last_to + 16, f);
    store_vector(last_to + 32, g);
    store_vector(last_to + 48, h);
}

/* More than 64 bytes, from the back. The first 64 are loaded first. */
static void copy_backward(uint8_t *to, const uint8_t *from, size_t bytes) {
    const vector e = load_vector(from), f = load_vector(from + 16);
    const vector g = load_vector(from + 32), h = load_vector(from + 48);
    while (bytes > 64) {
        bytes -= 64;
        const vector a = load_vector(from + bytes), b = load_vector(from + bytes + 16);
        const vector c = load_vector(from + bytes + 32), d = load_vector(from + bytes + 48);
        store_vector(to + bytes, a);
        store_vector(to + bytes + 16, b);
        store_vector(to + bytes + 32, c);
        store_vector(to + bytes + 48, d);
    }
    store_vector(to, e);
    store_vector(to + 16, f);
    store_vector(to + 32, g);
    store_vector(to + 48, h);
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    if (bytes <= 64) {
        copy_small(to, from, bytes);
    } else if (bytes < REP_MOVSB_BYTES_MIN) {
        copy_forward(to, from, bytes);
    } else {
        void *out = to;
        __asm__ volatile("rep movsb" : "+D"(out), "+S"(from), "+c"(bytes) : : "memory");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    if (bytes <= 64)
        copy_small(to, from, bytes);
    else if ((uintptr_t)to - (uintptr_t)from >= bytes)
        /* The target's first byte lies outside the source: nothing is overwritten unread. */
        copy_forward(to, from, bytes);
    else
        copy_backward(to, from, bytes);
    return to;
}
