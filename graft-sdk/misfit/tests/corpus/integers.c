/* Integers of every width: 128 bits, bit counting, rotation, overflow checks, division. */
#include "runtime.h"

typedef unsigned __int128 u128;
typedef __int128 i128;

static NOINLINE u128 multiply(u64 a, u64 b) { return (u128)a * b; }
static NOINLINE u128 wide(u128 a, u128 b) { return a * b + (a >> 17) - (b << 9); }
static NOINLINE int less(i128 a, i128 b) { return a < b; }
static NOINLINE u64 rotate(u64 x, u32 by) { return x << (by & 63) | x >> (-by & 63); }

static NOINLINE u64 count(u64 x)
{
    u64 sum = (u64)__builtin_popcountl(x) + (u64)__builtin_clzl(x | 1) * 64;
    sum += (u64)__builtin_ctzl(x | 1ul << 63) * 4096 + (u64)__builtin_parityl(x);
    return sum + __builtin_bswap64(x) + __builtin_bswap32((u32)x) + __builtin_bswap16((u16)x);
}

static NOINLINE u64 overflow(i64 a, i64 b)
{
    i64 sum = 0, product = 0;
    i32 narrow = 0;
    u64 flags = __builtin_add_overflow(a, b, &sum);
    flags |= (u64)__builtin_mul_overflow(a, b, &product) << 1;
    flags |= (u64)__builtin_sub_overflow((i32)a, (i32)b, &narrow) << 2;
    return mix(flags, (u64)sum ^ (u64)product ^ (u64)narrow);
}

static NOINLINE i64 divide(i64 a, i64 b)
{
    i64 sum = a / b + a % b + a / 7 + a % 10 + (i32)a / 3 + (short)a / ((short)b | 1);
    return sum + (i64)((u64)a / ((u64)b | 1)) + (signed char)a * (signed char)b;
}

static NOINLINE u64 bits(u64 *set, u32 at)
{
    set[at >> 6 & 3] |= 1ul << (at & 63);
    set[(at >> 6) + 1 & 3] &= ~(1ul << (at & 63));
    set[(at >> 6) + 2 & 3] ^= 1ul << (at & 63);
    return (set[at >> 7 & 3] >> (at & 63)) & 1;
}

u64 corpus_run(u64 seed)
{
    u64 set[4] = {0}, sum = 0;
    for (u32 i = 0; i < 1000; i++) {
        u64 a = next_random(&seed), b = next_random(&seed) >> (i & 63);
        u128 product = multiply(a, b);
        u128 more = wide(product, (u128)a << 64 | b);
        sum = mix(sum, (u64)product ^ (u64)(product >> 64));
        sum = mix(sum, (u64)more ^ (u64)(more >> 64) ^ (u64)less((i128)product, (i128)more));
        sum = mix(sum, rotate(a, i) + count(b) + overflow((i64)a, (i64)b));
        sum = mix(sum, (u64)divide((i64)a >> 1, (i64)(b | 2)));
        sum = mix(sum, bits(set, (u32)a & 255) + (a < b ? a : b) + (u64)(i32)(u8)a);
    }
    return mix(sum, set[0] ^ set[1] ^ set[2] ^ set[3]);
}
