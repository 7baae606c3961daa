/* Sorting through a comparator, linked lists, hashing: what policies do. */
#include "runtime.h"

typedef int (*comparator)(const void *, const void *);

struct node { u64 key; struct node *next; u32 hits; };

static struct node pool[512];
static struct node *buckets[64];
static u32 pool_used;
static u64 comparisons;

static void swap(u8 *a, u8 *b, u64 size)
{
    for (u64 i = 0; i < size; i++) {
        u8 t = a[i]; a[i] = b[i]; b[i] = t;
    }
}

static NOINLINE void sort(u8 *base, u64 count, u64 size, comparator compare)
{
    while (count > 1) {
        u64 last = 0;
        swap(base, base + count / 2 * size, size);
        for (u64 i = 1; i < count; i++)
            if (compare(base + i * size, base) < 0)
                swap(base + ++last * size, base + i * size, size);
        swap(base, base + last * size, size);
        sort(base, last, size, compare);
        base += (last + 1) * size;
        count -= last + 1;
    }
}

static int by_key(const void *a, const void *b)
{
    u64 x = ((const struct node *)a)->key, y = ((const struct node *)b)->key;
    comparisons++;
    return x < y ? -1 : x > y;
}

static int by_word(const void *a, const void *b) { return *(const i32 *)a - *(const i32 *)b; }

static NOINLINE struct node *find(u64 key)
{
    struct node **link = &buckets[key * 0x9e3779b97f4a7c15ul >> 58];
    __builtin_prefetch(&pool[key % 512]);
    for (struct node *node = *link; node != 0; node = node->next)
        if (node->key == key)
            return node;
    if (pool_used == 512)
        return 0;
    struct node *node = &pool[pool_used++];
    node->key = key;
    node->next = *link;
    *link = node;
    return node;
}

u64 corpus_run(u64 seed)
{
    struct node nodes[100];
    i32 words[200];
    u64 sum = 0;
    for (u32 i = 0; i < 5000; i++) {
        struct node *node = find(next_random(&seed) % 700);
        if (node != 0)
            sum = mix(sum, ++node->hits);
    }
    for (u32 i = 0; i < 100; i++) {
        nodes[i] = pool[i * 5];
        nodes[i].next = 0;
    }
    sort((u8 *)nodes, 100, sizeof nodes[0], by_key);
    for (u32 i = 0; i < 200; i++)
        words[i] = (i32)(next_random(&seed) & 0xffff) - 30000;
    sort((u8 *)words, 200, sizeof words[0], by_word);
    for (u32 i = 0; i < 100; i++)
        sum = mix(sum, nodes[i].key ^ (u64)words[i * 2]);
    return mix(sum, comparisons);
}
