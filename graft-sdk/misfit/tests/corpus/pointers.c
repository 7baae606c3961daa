/* Function pointers in tables, structures, arguments and results; static data holding pointers. */
#include "runtime.h"

typedef u64 (*operation)(u64, u64);

static u64 add(u64 a, u64 b) { return a + b; }
static u64 sub(u64 a, u64 b) { return a - b; }
u64 corpus_public(u64 a, u64 b) { return a * 31 + b; }
__attribute__((weak)) u64 corpus_weak(u64 a, u64 b) { return a ^ (b << 3); }

struct entry {
    const char *name;
    operation run;
    const struct entry *next;
    int *counter;
};

static int counters[4];
static const struct entry entries[4] = {
    {"add", add, &entries[1], &counters[0]},
    {"sub", sub, &entries[2], &counters[1]},
    {"public", corpus_public, &entries[3], &counters[2]},
    {"weak", corpus_weak, &entries[0], &counters[3]},
};
operation corpus_hook = sub;
static operation *indirect = &corpus_hook;

static NOINLINE u64 apply(operation run, u64 a, u64 b) { return run(a, b) + 1; }
static NOINLINE operation choose(u64 which) { return entries[which & 3].run; }
static NOINLINE u64 tail(const struct entry *entry, u64 a, u64 b) { return entry->run(a, b); }
static NOINLINE u64 tail_through_memory(u64 a, u64 b) { return (*indirect)(a, b); }

u64 corpus_run(u64 seed)
{
    const struct entry *at = entries;
    u64 sum = 0;
    for (u64 i = 0; i < 2000; i++) {
        u64 random = next_random(&seed);
        at = at->next;
        ++*at->counter;
        sum = mix(sum, apply(at->run, random, i));
        sum = mix(sum, choose(random)(sum, i));
        sum = mix(sum, tail(at, sum, random));
        corpus_hook = choose(random >> 8);
        sum = mix(sum, tail_through_memory(i, sum));
        sum = mix(sum, (u64)at->name[0]);
    }
    for (int i = 0; i < 4; i++)
        sum = mix(sum, (u64)counters[i]);
    return sum;
}
