/* Structures by value, copies of many sizes, bit-fields, unions, clearing and comparing. */
#include "runtime.h"

struct small { u8 a; u16 b; u32 c; };
struct medium { u64 words[9]; };
struct huge { u64 words[150]; u8 tail[5]; };
struct bits { u32 a : 3, b : 9, c : 1; i32 d : 11; u64 e : 40; };
union both { double number; u64 bits; u8 bytes[8]; };

static struct huge global, other;

static NOINLINE struct small shrink(struct medium medium)
{
    struct small small = {(u8)medium.words[0], (u16)medium.words[8], (u32)medium.words[4]};
    return small;
}

static NOINLINE struct medium grow(struct small small, u64 seed)
{
    struct medium medium = {{small.a, small.b, small.c}};
    for (int i = 3; i < 9; i++)
        medium.words[i] = next_random(&seed);
    return medium;
}

static NOINLINE struct huge pass(struct huge huge, int at)
{
    huge.words[at] ^= (u64)at;
    huge.tail[at % 5]++;
    return huge;
}

static NOINLINE void clear(struct huge *huge) { *huge = (struct huge){{0}, {0}}; }
static NOINLINE int same(const char *a, const char *b) { return __builtin_memcmp(a, b, 24) == 0; }
static NOINLINE u64 length(const char *text) { return __builtin_strlen(text); }
static NOINLINE void copy(u8 *to, const u8 *from) { __builtin_memcpy(to, from, 111); }

u64 corpus_run(u64 seed)
{
    static char text[64] = "the quick brown fox jumps over the lazy dog";
    static const char same_text[64] = "the quick brown fox jumps over the lazy dog";
    u64 sum = 0;
    struct small small = {1, 2, 3};
    struct bits bits = {1, 2, 0, -4, 5};
    u8 from[128], to[128];
    for (int i = 0; i < 200; i++) {
        struct medium medium = grow(small, seed + (u64)i);
        small = shrink(medium);
        global = pass(global, i % 150);
        other = global;
        sum = mix(sum, other.words[(i * 7) % 150] + other.tail[i % 5]);
        if (i % 50 == 49)
            clear(&global);
        bits.a += 3;
        bits.b ^= (u32)i;
        bits.c = !bits.c;
        bits.d -= 17;
        bits.e += seed;
        sum = mix(sum, bits.a + bits.b * 8 + bits.c + (u64)bits.d + bits.e);
        union both both = {.bits = 0x3ff0000000000000ul + (u64)i * 0x10000000000ul};
        sum = mix(sum, (u64)(both.number * 1024.0) + both.bytes[5]);
        text[i % 24] ^= (char)(i % 3 == 0);
        sum = mix(sum, (u64)same(text, same_text));
        text[i % 24] ^= (char)(i % 3 == 0);
        text[20 + i % 20] = 0;
        sum = mix(sum, length(text));
        __builtin_memcpy(text, same_text, sizeof text);
        for (int j = 0; j < 128; j++)
            from[j] = (u8)(i * j);
        copy(to, from + i % 16);
        sum = mix(sum, mix(small.a + small.b, to[(u32)i % 111]));
    }
    return sum;
}
