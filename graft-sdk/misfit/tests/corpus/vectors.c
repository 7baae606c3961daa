/* Explicit vectors, and loops that compilers vectorise. */
#include "runtime.h"

typedef int v4 __attribute__((vector_size(16)));
typedef double d2 __attribute__((vector_size(16)));
typedef u8 b16 __attribute__((vector_size(16)));

static NOINLINE v4 blend(v4 a, v4 b)
{
    v4 greater = a > b;
    return ((a * b) & greater) | (((a << 3) - b) & ~greater);
}
static NOINLINE d2 spread(d2 a, double b) { return a * b + (d2){1, b}; }
static NOINLINE b16 bytes(b16 a, b16 b) { return (a ^ b) + (a & b); }

static NOINLINE u64 sum_bytes(const u8 *data, u32 count)
{
    u64 sum = 0;
    for (u32 i = 0; i < count; i++)
        sum += data[i] * (u64)(i & 7);
    return sum;
}

static NOINLINE void fold(i32 *restrict to, const short *restrict from, u32 count)
{
    for (u32 i = 0; i < count; i++)
        to[i] = to[i] * 3 + (from[i] > 5 ? from[i] : -from[i]);
}

static NOINLINE u32 largest(const u32 *data, u32 count)
{
    u32 best = 0;
    for (u32 i = 0; i < count; i++)
        best = data[i] > best ? data[i] : best;
    return best;
}

u64 corpus_run(u64 seed)
{
    static u8 data[1000];
    static short shorts[500];
    static i32 words[500];
    u64 sum = 0;
    v4 v = {1, -2, 3, -4};
    d2 d = {0.5, 2};
    b16 b = {1, 2, 3};
    for (u32 round = 0; round < 20; round++) {
        for (u32 i = 0; i < 1000; i++)
            data[i] = (u8)next_random(&seed);
        for (u32 i = 0; i < 500; i++)
            shorts[i] = (short)(data[i] * 3 - data[i + 400]);
        fold(words, shorts, 450 + round);
        sum = mix(sum, sum_bytes(data + round % 3, 900 + round));
        sum = mix(sum, largest((const u32 *)words, 480 + round));
        v = blend(v, (v4){words[round], 7, words[round + 1], (int)round});
        d = spread(d, 0.25) / 3.0;
        b = bytes(b, (b16){data[round], data[round + 7], 3, 4});
        sum = mix(sum, (u64)(v[0] ^ v[1] ^ v[2] ^ v[3]) + (u64)(d[0] * 1e6 + d[1]) + b[1]);
    }
    return sum;
}
