/*
 * What the glue of a library has on both sides: in a sandbox the host provides it, in the native
 * program `native.c` does.
 */
#ifndef GLUE_HOST_H
#define GLUE_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Appends to what the two runs are compared by. */
void write_output(const void *from, size_t bytes);
/* Reads the next part of the input; returns how many bytes there were. */
size_t read_input(void *to, size_t bytes);

/* What the glue defines. Returns 0, or the number of the step that failed. */
int library_run(uint32_t seed);

/* Fails the run at the step that says so. */
#define REQUIRE(step, condition) \
    do { \
        if (!(condition)) \
            return (step); \
    } while (0)

/* The next number of a sequence that looks random (xorshift, Marsaglia 2003). */
static inline uint32_t next_number(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Fills a buffer with what resembles text: words of a small vocabulary, runs, and some noise. */
static inline void make_text(uint8_t *to, size_t bytes, uint32_t seed) {
    uint32_t state = seed | 1;
    size_t at = 0;
    while (at < bytes) {
        uint32_t word = next_number(&state) % 500;
        uint32_t kind = next_number(&state) % 100;
        uint32_t length = kind < 2 ? 40 : 2 + word % 9;
        for (uint32_t i = 0; i < length && at < bytes; i++) {
            if (kind < 2)
                to[at++] = (uint8_t)('a' + word % 26);
            else if (kind < 4)
                to[at++] = (uint8_t)next_number(&state);
            else
                to[at++] = (uint8_t)('a' + (word * 7 + i * (word % 5 + 1)) % 26);
        }
        if (at < bytes)
            to[at++] = word % 17 ? ' ' : '\n';
    }
}

#endif
