/*
 * Types, status codes and the few library routines that compilers call by themselves.
 *
 * For C and C++ grafts alike; included by graft-support.h and graft-support.H. A graft links
 * against no C library, so nothing here needs one.
 */
#ifndef VINO_TYPES_H
#define VINO_TYPES_H

#include "abi.h"

typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;

#ifndef NULL
#ifdef __cplusplus
#define NULL __null
#else
#define NULL ((void *)0)
#endif
#endif

/* What every graft function returns. */
typedef int32_t status_t;

#define SUCCESS VINO_SUCCESS
#define ENOTFOUND VINO_ENOTFOUND
#ifndef EINVAL
#define EINVAL VINO_EINVAL
#endif
#ifndef EPERM
#define EPERM VINO_EPERM
#endif
#ifndef ENOSPC
#define ENOSPC VINO_ENOSPC
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Compilers turn copies and comparisons into calls of these four. They are weak, so a graft of
 * several files has one of each, and a graft may bring its own. The empty asm statements keep a
 * compiler from recognising the loop and replacing it with a call to the function it is in.
 */
typedef uint64_t __attribute__((may_alias, aligned(1))) vino_word;

__attribute__((weak)) void *memcpy(void *to, const void *from, size_t bytes) {
    uint8_t *out = (uint8_t *)to;
    const uint8_t *in = (const uint8_t *)from;
    for (; bytes >= sizeof(vino_word); bytes -= sizeof(vino_word)) {
        *(vino_word *)out = *(const vino_word *)in;
        out += sizeof(vino_word);
        in += sizeof(vino_word);
        __asm__("" : "+r"(out), "+r"(in));
    }
    for (; bytes != 0; bytes--) {
        *out++ = *in++;
        __asm__("" : "+r"(out), "+r"(in));
    }
    return to;
}

__attribute__((weak)) void *memmove(void *to, const void *from, size_t bytes) {
    uint8_t *out = (uint8_t *)to;
    const uint8_t *in = (const uint8_t *)from;
    if ((uintptr_t)out - (uintptr_t)in >= bytes)
        return memcpy(to, from, bytes);
    while (bytes != 0) {
        bytes--;
        out[bytes] = in[bytes];
        __asm__("" : "+r"(out), "+r"(in));
    }
    return to;
}

__attribute__((weak)) void *memset(void *to, int value, size_t bytes) {
    uint8_t *out = (uint8_t *)to;
    const uint64_t word = (uint8_t)value * (uint64_t)0x0101010101010101;
    for (; bytes >= sizeof(vino_word); bytes -= sizeof(vino_word)) {
        *(vino_word *)out = word;
        out += sizeof(vino_word);
        __asm__("" : "+r"(out));
    }
    for (; bytes != 0; bytes--) {
        *out++ = (uint8_t)value;
        __asm__("" : "+r"(out));
    }
    return to;
}

__attribute__((weak)) int memcmp(const void *left, const void *right, size_t bytes) {
    const uint8_t *a = (const uint8_t *)left;
    const uint8_t *b = (const uint8_t *)right;
    for (; bytes != 0; bytes--, a++, b++) {
        if (*a != *b)
            return *a < *b ? -1 : 1;
        __asm__("" : "+r"(a), "+r"(b));
    }
    return 0;
}

#ifdef __cplusplus
}
#endif

#endif
