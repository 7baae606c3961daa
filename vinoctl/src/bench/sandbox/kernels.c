/*
 * Nine small programs that compilers and sandboxes are judged by.
 *
 * One source for every contestant: gcc with and without instrumentation, and clang for WebAssembly.
 * Each function does an amount of work that its argument tells and returns a checksum of it, so
 * that contestants can be seen to do the same. Nothing here calls a library.
 */
#include <stdint.h>

#define EXPORT __attribute__((visibility("default"), noinline))
/* Keeps a kernel apart from its entry point, so that what it works on stays a variable. */
#define KERNEL static __attribute__((noinline))

#define MEMORY_BYTES (1u << 20)
static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(64)));
/* Volatile, so that a kernel works through a pointer, as it would for a caller it does not know. */
static uint8_t *volatile work_area = memory;

static uint32_t rotate_left(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }
static uint32_t rotate_right(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

/* A linear congruential generator: Numerical Recipes' constants. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state;
}

static void fill_random(uint8_t *bytes, uint32_t count)
{
    uint32_t state = 42;

    for (uint32_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(next_random(&state) >> 24);
}

/* --- md5: RFC 1321, the compression function over whole blocks ------------------------------ */

#define MESSAGE_BYTES 65536u

static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint8_t md5_turns[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21},
};

static void md5_block(uint32_t state[4], const uint32_t *words)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

    for (unsigned step = 0; step < 64; step++) {
        unsigned round = step / 16, word;
        uint32_t mixed, sum;

        switch (round) {
        case 0:
            mixed = (b & c) | (~b & d);
            word = step;
            break;
        case 1:
            mixed = (d & b) | (~d & c);
            word = (5 * step + 1) % 16;
            break;
        case 2:
            mixed = b ^ c ^ d;
            word = (3 * step + 5) % 16;
            break;
        default:
            mixed = c ^ (b | ~d);
            word = 7 * step % 16;
            break;
        }
        sum = a + mixed + md5_sines[step] + words[word];
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, md5_turns[round][step % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

KERNEL uint64_t md5(const uint8_t *message, uint64_t blocks)
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

    for (uint64_t block = 0; block < blocks; block++)
        md5_block(state, (const uint32_t *)(message + block * 64 % MESSAGE_BYTES));
    return ((uint64_t)(state[0] ^ state[2]) << 32) + (state[1] ^ state[3]);
}

EXPORT uint64_t bench_md5(uint64_t blocks)
{
    uint8_t *message = work_area;

    fill_random(message, MESSAGE_BYTES);
    return md5(message, blocks);
}

/* --- sha256: FIPS 180-4, the compression function over whole blocks ------------------------- */

static const uint32_t sha256_roots[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_schedule(uint32_t words[64], const uint32_t *block)
{
    for (unsigned i = 0; i < 16; i++)
        words[i] = __builtin_bswap32(block[i]);
    for (unsigned i = 16; i < 64; i++) {
        uint32_t x = words[i - 15], y = words[i - 2];
        uint32_t s0 = rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
        uint32_t s1 = rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10;

        words[i] = words[i - 16] + s0 + words[i - 7] + s1;
    }
}

static void sha256_block(uint32_t state[8], const uint32_t *block)
{
    uint32_t words[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    sha256_schedule(words, block);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t t1 = h + s1 + choice + sha256_roots[i] + words[i];
        uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);

        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + s0 + majority;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

KERNEL uint64_t sha256(const uint8_t *message, uint64_t blocks)
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint64_t sum = 0;

    for (uint64_t block = 0; block < blocks; block++)
        sha256_block(state, (const uint32_t *)(message + block * 64 % MESSAGE_BYTES));
    for (unsigned i = 0; i < 8; i++)
        sum = sum * 31 + state[i];
    return sum;
}

EXPORT uint64_t bench_sha256(uint64_t blocks)
{
    uint8_t *message = work_area;

    fill_random(message, MESSAGE_BYTES);
    return sha256(message, blocks);
}

/* --- qsort: sorting with a comparison function behind a pointer ------------------------------ */

typedef int compare_fn(const void *, const void *);

static int by_value(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

    return (a > b) - (a < b);
}

/* Volatile, so that no compiler sees through the pointer. */
static compare_fn *volatile comparison = by_value;

static void swap(uint32_t *x, uint32_t *y)
{
    uint32_t held = *x;

    *x = *y;
    *y = held;
}

static void sort_by(uint32_t *items, int64_t low, int64_t high, compare_fn *compare)
{
    while (low < high) {
        uint32_t pivot = items[low + (high - low) / 2];
        int64_t i = low, j = high;

        while (i <= j) {
            while (compare(&items[i], &pivot) < 0)
                i++;
            while (compare(&items[j], &pivot) > 0)
                j--;
            if (i <= j)
                swap(&items[i++], &items[j--]);
        }
        /* The smaller part by recursion: the stack stays logarithmic. */
        if (j - low < high - i) {
            sort_by(items, low, j, compare);
            low = i;
        } else {
            sort_by(items, i, high, compare);
            high = j;
        }
    }
}

static uint64_t checksum_of(const uint32_t *items, uint64_t count)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < count; i += 97)
        sum = sum * 31 + items[i];
    return sum;
}

static void shuffle(uint32_t *items, uint64_t count)
{
    uint32_t state = 12345;

    for (uint64_t i = 0; i < count; i++)
        items[i] = next_random(&state);
}

EXPORT uint64_t bench_qsort(uint64_t count)
{
    uint32_t *items = (uint32_t *)work_area;

    shuffle(items, count);
    sort_by(items, 0, (int64_t)count - 1, comparison);
    return checksum_of(items, count);
}

/* --- quicksort: the same with the comparison inline ------------------------------------------ */

static void sort_inline(uint32_t *items, int64_t low, int64_t high)
{
    while (low < high) {
        uint32_t pivot = items[low + (high - low) / 2];
        int64_t i = low, j = high;

        while (i <= j) {
            while (items[i] < pivot)
                i++;
            while (items[j] > pivot)
                j--;
            if (i <= j)
                swap(&items[i++], &items[j--]);
        }
        if (j - low < high - i) {
            sort_inline(items, low, j);
            low = i;
        } else {
            sort_inline(items, i, high);
            high = j;
        }
    }
}

EXPORT uint64_t bench_quicksort(uint64_t count)
{
    uint32_t *items = (uint32_t *)work_area;

    shuffle(items, count);
    sort_inline(items, 0, (int64_t)count - 1);
    return checksum_of(items, count);
}

/* --- matmul: double-precision matrices ------------------------------------------------------- */

#define SIDE 128

KERNEL void multiply(double *product, const double *left, const double *right)
{
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            double sum = 0;

            for (int k = 0; k < SIDE; k++)
                sum += left[row * SIDE + k] * right[k * SIDE + column];
            product[row * SIDE + column] = sum + product[row * SIDE + column] * 0.5;
        }
}

EXPORT uint64_t bench_matmul(uint64_t rounds)
{
    double *left = (double *)work_area, *right = left + SIDE * SIDE, *product = right + SIDE * SIDE;
    double sum = 0;

    for (int i = 0; i < SIDE * SIDE; i++) {
        left[i] = i % 7;
        right[i] = i % 5;
        product[i] = 1;
    }
    for (uint64_t round = 0; round < rounds; round++)
        multiply(product, left, right);
    for (int i = 0; i < SIDE * SIDE; i++)
        sum += product[i];
    return (uint64_t)sum;
}

/* --- chase: a linked list in the order that prefetchers like least --------------------------- */

#define LINKS 4096u
#define LINK_BYTES 64

struct link {
    union {
        struct link *next;
        uint64_t room;
    };
    uint64_t value;
    uint8_t rest[LINK_BYTES - 16];
};

KERNEL uint64_t chase(const struct link *link, uint64_t steps)
{
    uint64_t sum = 0;

    for (; steps != 0; steps--) {
        sum += link->value;
        link = link->next;
    }
    return sum;
}

EXPORT uint64_t bench_chase(uint64_t steps)
{
    struct link *links = (struct link *)work_area;

    for (uint32_t i = 0; i < LINKS; i++) {
        links[i].next = &links[(i * 1597 + 1) % LINKS];
        links[i].value = i;
    }
    return chase(links, steps);
}

/* --- crc32: a byte at a time through a table ------------------------------------------------- */

static uint32_t crc_table[256];

KERNEL uint32_t crc32(const uint8_t *bytes, uint64_t count)
{
    uint32_t crc = ~0u;

    for (uint64_t i = 0; i < count; i++)
        crc = crc_table[(crc ^ bytes[i % MESSAGE_BYTES]) & 255] ^ crc >> 8;
    return ~crc;
}

EXPORT uint64_t bench_crc32(uint64_t count)
{
    uint8_t *message = work_area;

    fill_random(message, MESSAGE_BYTES);
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? 0xedb88320u ^ crc >> 1 : crc >> 1;
        crc_table[byte] = crc;
    }
    return crc32(message, count);
}

/* --- fib: calls and returns and little else -------------------------------------------------- */

KERNEL uint64_t fibonacci(uint64_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

EXPORT uint64_t bench_fib(uint64_t n) { return fibonacci(n); }

/* --- hash: an open-addressed table ----------------------------------------------------------- */

#define SLOTS_LOG2 14
#define SLOTS (1u << SLOTS_LOG2)
#define KEYS 10000u

KERNEL uint64_t count_repeats(uint64_t *table, uint64_t operations)
{
    uint64_t state = 88172645463325252u, repeats = 0;

    for (; operations != 0; operations--) {
        uint64_t key, slot;

        /* Marsaglia's xorshift64. */
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        key = state % KEYS + 1;
        slot = key * 0x9e3779b97f4a7c15u >> (64 - SLOTS_LOG2);
        while (table[slot] != 0 && table[slot] != key)
            slot = (slot + 1) % SLOTS;
        repeats += table[slot] == key;
        table[slot] = key;
    }
    return repeats;
}

EXPORT uint64_t bench_hash(uint64_t operations)
{
    uint64_t *table = (uint64_t *)work_area;

    /* Volatile stores, or the loop becomes a call of memset. */
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        *(volatile uint64_t *)&table[slot] = 0;
    return count_repeats(table, operations);
}

/* --- the cost of crossing -------------------------------------------------------------------- */

EXPORT uint64_t bench_empty(void) { return 0; }
