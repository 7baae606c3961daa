/*
 * memset: pieces that overlap in the middle up to 64 bytes, then 64 at a time, then the processor.
 */
#include "runtime.h"

/* From how many bytes on `rep stosb` is faster than a loop of vectors. */
#define REP_STOSB_BYTES_MIN 1024

static inline __attribute__((always_inline)) void set_small(uint8_t *to, int value, size_t bytes) {
    const uint64_t word = (uint8_t)value * UINT64_C(0x0101010101010101);
    const vector wide = splat((char)value);
    if (bytes >= 16) {
        store_vector(to, wide);
        store_vector(to + bytes - 16, wide);
        if (bytes > 32) {
            store_vector(to + 16, wide);
            store_vector(to + bytes - 32, wide);
        }
    } else if (bytes >= 8) {
        *(word64 *)to = word;
        *(word64 *)(to + bytes - 8) = word;
    } else if (bytes >= 4) {
        *(word32 *)to = (uint32_t)word;
        *(word32 *)(to + bytes - 4) = (uint32_t)word;
    } else if (bytes >= 2) {
        *(word16 *)to = (uint16_t)word;
        *(word16 *)(to + bytes - 2) = (uint16_t)word;
    } else if (bytes == 1) {
        *to = (uint8_t)value;
    }
}

void *memset(void *to, int value, size_t bytes) {
    if (bytes <= 64) {
        set_small(to, value, bytes);
    } else if (bytes < REP_STOSB_BYTES_MIN) {
        const vector wide = splat((char)value);
        uint8_t *out = to;
        uint8_t *const last = out + bytes - 64;
        do {
            store_vector(out, wide);
            store_vector(out + 16, wide);
            store_vector(out + 32, wide);
            store_vector(out + 48, wide);
            out += 64;
        } while (out < last);
        store_vector(last, wide);
        store_vector(last + 16, wide);
        store_vector(last + 32, wide);
        store_vector(last + 48, wide);
    } else {
        void *out = to;
        __asm__ volatile("rep stosb" : "+D"(out), "+c"(bytes) : "a"(value) : "memory");
    }
    return to;
}
