/* Tail calls: direct, conditional, through pointers, mutual; frames wound up before them. */
#include "runtime.h"

static NOINLINE u64 odd(u64 n, u64 sum);
static NOINLINE u64 even(u64 n, u64 sum) { return n == 0 ? sum : odd(n - 1, sum * 3 + 1); }
static NOINLINE u64 odd(u64 n, u64 sum) { return n == 0 ? ~sum : even(n - 1, sum ^ 0x5555); }

u64 corpus_sink(u64 a);
NOINLINE u64 corpus_sink(u64 a) { return a * 7; }

static NOINLINE u64 early(u64 a, u64 b)
{
    if (a & 1)
        return corpus_sink(b);
    return a + b;
}

static NOINLINE u64 framed(u64 a, u64 (*next)(u64))
{
    volatile u64 local[40];
    local[a % 40] = a;
    u64 value = corpus_sink(local[a % 40]);
    return next(value + a);
}

static NOINLINE u64 saved(u64 a, u64 b, u64 c)
{
    u64 x = corpus_sink(a), y = corpus_sink(b), z = corpus_sink(c);
    return early(x + y, z ^ y);
}

u64 corpus_run(u64 seed)
{
    u64 sum = 0;
    for (u64 i = 0; i < 500; i++) {
        u64 random = next_random(&seed);
        sum = mix(sum, even(i % 17, random));
        sum = mix(sum, early(random, i));
        sum = mix(sum, framed(random, corpus_sink));
        sum = mix(sum, saved(random, i, sum));
    }
    return sum;
}
