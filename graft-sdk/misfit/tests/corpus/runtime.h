/* What every program of the corpus shares: the functions compilers call by themselves, a random
 * number generator and a checksum. Loops carry a barrier, or the compiler would replace the body
 * of memcpy by a call of memcpy. */
#ifndef VINO_CORPUS_RUNTIME_H
#define VINO_CORPUS_RUNTIME_H

#ifdef __cplusplus
#define CORPUS_C extern "C"
#else
#define CORPUS_C
#endif

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int i32;
typedef long i64;
typedef unsigned long corpus_size;

#define BARRIER() __asm__ volatile("" ::: "memory")
#define NOINLINE __attribute__((noinline))

CORPUS_C void *memcpy(void *to, const void *from, corpus_size bytes)
{
    for (corpus_size i = 0; i < bytes; i++) {
        ((u8 *)to)[i] = ((const u8 *)from)[i];
        BARRIER();
    }
    return to;
}

CORPUS_C void *memmove(void *to, const void *from, corpus_size bytes)
{
    if (to <= from)
        return memcpy(to, from, bytes);
    while (bytes-- > 0) {
        ((u8 *)to)[bytes] = ((const u8 *)from)[bytes];
        BARRIER();
    }
    return to;
}

CORPUS_C void *memset(void *to, int value, corpus_size bytes)
{
    for (corpus_size i = 0; i < bytes; i++) {
        ((u8 *)to)[i] = (u8)value;
        BARRIER();
    }
    return to;
}

CORPUS_C int memcmp(const void *a, const void *b, corpus_size bytes)
{
    for (corpus_size i = 0; i < bytes; i++) {
        int difference = ((const u8 *)a)[i] - ((const u8 *)b)[i];
        BARRIER();
        if (difference != 0)
            return difference;
    }
    return 0;
}

CORPUS_C int bcmp(const void *a, const void *b, corpus_size bytes) { return memcmp(a, b, bytes); }

/* libgcc's, which gcc calls at -Os. */
CORPUS_C int __popcountdi2(i64 value)
{
    int bits = 0;
    for (u64 rest = (u64)value; rest != 0; rest &= rest - 1)
        bits++;
    return bits;
}

CORPUS_C corpus_size strlen(const char *text)
{
    corpus_size length = 0;
    while (text[length] != 0) {
        length++;
        BARRIER();
    }
    return length;
}

static inline u64 next_random(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline u64 mix(u64 sum, u64 value)
{
    sum ^= value + 0x9e3779b97f4a7c15ul + (sum << 6) + (sum >> 2);
    return sum * 0xff51afd7ed558ccdul;
}

/* Each program defines it; the same seed must give the same sum natively and in a sandbox. */
CORPUS_C u64 corpus_run(u64 seed);

#endif
