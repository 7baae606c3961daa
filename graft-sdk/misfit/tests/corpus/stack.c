/* Stack shapes: alloca, variable-length arrays, big frames, aligned locals, deep recursion. */
#include "runtime.h"

static NOINLINE u64 fold(const u64 *words, u64 count)
{
    u64 sum = 1;
    for (u64 i = 0; i < count; i++)
        sum = mix(sum, words[i]);
    return sum;
}

static NOINLINE u64 dynamic(u64 count, u64 seed)
{
    u64 *words = (u64 *)__builtin_alloca(count * sizeof(u64));
    for (u64 i = 0; i < count; i++)
        words[i] = next_random(&seed);
    return fold(words, count);
}

static NOINLINE u64 variable(int rows, int columns, u64 seed)
{
    u64 sum = 0;
    for (int pass = 1; pass <= rows; pass++) {
        u64 grid[pass][columns];
        for (int i = 0; i < pass; i++)
            for (int j = 0; j < columns; j++)
                grid[i][j] = next_random(&seed) + (u64)(i * j);
        sum = mix(sum, fold(&grid[0][0], (u64)(pass * columns)));
    }
    return sum;
}

/* Larger than the drift that needs no re-base. */
static NOINLINE u64 big(u64 seed)
{
    volatile u64 words[20000];
    for (u32 i = 0; i < 20000; i += 97)
        words[i] = next_random(&seed);
    u64 sum = 0;
    for (u32 i = 0; i < 20000; i += 97)
        sum = mix(sum, words[i]);
    return sum;
}

static NOINLINE u64 medium(u64 seed, int depth)
{
    volatile u8 bytes[6000];
    bytes[0] = (u8)seed;
    bytes[5999] = (u8)depth;
    u64 below = depth > 0 ? medium(seed * 5 + 1, depth - 1) : 3;
    return mix(below, bytes[0] + bytes[5999]);
}

static NOINLINE u64 aligned(u64 seed)
{
    u64 words[8] __attribute__((aligned(64)));
    u8 odd[3];
    for (int i = 0; i < 8; i++)
        words[i] = next_random(&seed);
    odd[seed % 3] = (u8)seed;
    BARRIER();
    return fold(words, 8) + ((u64)words & 63) + odd[seed % 3];
}

static NOINLINE u64 aligned_dynamic(u64 count, u64 seed)
{
    u64 first[4] __attribute__((aligned(32)));
    u64 *words = (u64 *)__builtin_alloca(count * 8 + 8);
    first[seed & 3] = seed;
    words[count] = seed;
    BARRIER();
    return dynamic(count, first[seed & 3] + words[count]) + ((u64)first & 31);
}

static NOINLINE u64 recurse(u64 n)
{
    return n < 2 ? n : recurse(n - 1) + recurse(n - 2) * 3;
}

static NOINLINE u64 many(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j)
{
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

static NOINLINE u64 many_tail(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j)
{
    return many(j, i, h, g, f, e, d, c, b, a);
}

u64 corpus_run(u64 seed)
{
    u64 sum = 0;
    for (u64 i = 1; i < 40; i++) {
        sum = mix(sum, dynamic(i * 7, seed + i));
        sum = mix(sum, variable((int)(i % 7), (int)(i % 5) + 1, seed));
        sum = mix(sum, aligned(seed ^ i));
        sum = mix(sum, aligned_dynamic(i, seed ^ (i << 7)));
        sum = mix(sum, many_tail(i, sum, 3, seed, 5, i * i, 7, 8, 9, i));
    }
    sum = mix(sum, big(seed));
    sum = mix(sum, medium(seed, 12));
    return mix(sum, recurse(16));
}
