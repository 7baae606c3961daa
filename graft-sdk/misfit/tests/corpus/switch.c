/* Dense and sparse switches: jump tables, comparison trees, fall-through. */
#include "runtime.h"

static NOINLINE u64 step(u32 operation, u64 a, u64 b)
{
    switch (operation) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return b ? a / b : 7;
    case 4: return b ? a % b : 9;
    case 5: return a & b;
    case 6: return a | b;
    case 7: return a ^ b;
    case 8: return a << (b & 63);
    case 9: return a >> (b & 63);
    case 10: return a < b;
    case 11: a += 3; /* fall through */
    case 12: a ^= 0x55; /* fall through */
    case 13: return a + 1;
    case 14: return (u64)((i64)a >> (b & 63));
    case 15: return ~a;
    default: return b;
    }
}

static NOINLINE int sparse(i64 value)
{
    switch (value) {
    case -1000000: return 1;
    case -77: return 2;
    case 0: return 3;
    case 12345: return 4;
    case 1l << 40: return 5;
    case 99 ... 199: return 6;
    default: return 7;
    }
}

u64 corpus_run(u64 seed)
{
    static const i64 values[] = {-1000000, -77, 0, 12345, 1l << 40, 150, 4, -3};
    u64 sum = 0, a = seed, b = seed ^ 99;
    for (u32 i = 0; i < 3000; i++) {
        a = step((u32)(next_random(&seed) % 19), a, b);
        b = b * 3 + i;
        sum = mix(sum, a);
        sum = mix(sum, (u64)sparse(values[i % 8]));
    }
    return sum;
}
