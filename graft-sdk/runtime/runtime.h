/*
 * What the sources of the runtime share: words that may alias and be unaligned, and vectors.
 *
 * The runtime is graft code: `misfit` instruments it and the verifier judges it like the graft
 * that it is linked to. It is written so that any of the compilers builds it.
 */
#ifndef VINO_RUNTIME_H
#define VINO_RUNTIME_H

/* The headers' inline forms are for the runtime's users. */
#define VINO_RUNTIME_SOURCE

#include <stddef.h>
#include <stdint.h>

/* No loop here may become a call of the very function that the loop implements. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

/* Sixteen bytes in a register. */
typedef char vector __attribute__((vector_size(16)));
typedef char __attribute__((vector_size(16), may_alias, aligned(1))) unaligned_vector;
typedef char __attribute__((vector_size(16), may_alias)) aligned_vector;

static inline __attribute__((always_inline, unused)) vector load_vector(const uint8_t *from) {
    return (vector) * (const unaligned_vector *)from;
}

static inline __attribute__((always_inline, unused)) void store_vector(uint8_t *to, vector value) {
    *(unaligned_vector *)to = (unaligned_vector)value;
}

/* Sixteen copies of a byte. */
static inline __attribute__((always_inline, unused)) vector splat(char byte) {
    return (vector){byte, byte, byte, byte, byte, byte, byte, byte,
                    byte, byte, byte, byte, byte, byte, byte, byte};
}

/* A bit for each byte in which the vectors are equal, the first byte in bit 0. */
static inline __attribute__((always_inline, unused)) uint32_t equal_bytes(vector a, vector b) {
    return (uint32_t)__builtin_ia32_pmovmskb128((vector)(a == b));
}

#endif
