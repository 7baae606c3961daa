/*
 * What a careless graft does to its heap.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Keeps the compiler from knowing that a pointer came from malloc. */
static void *hide(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

uint64_t free_twice(void) {
    void *block = hide(malloc(100));
    void *next = hide(malloc(100));
    free(block);
    free(hide(block));
    return next != NULL;
}

uint64_t free_twice_merged(void) {
    void *first = hide(malloc(100)), *second = hide(malloc(100)), *third = hide(malloc(100));
    free(first);
    free(second);
    free(hide(second));
    return third != NULL;
}

uint64_t free_the_middle(void) {
    char *block = hide(malloc(1000));
    memset(block, 0, 1000);
    free(hide(block + 512));
    return 0;
}

uint64_t overrun_then_free(void) {
    char *block = hide(malloc(24)), *next = hide(malloc(24));
    memset(hide(block), 0x41, 40);
    free(hide(block));
    return next != NULL;
}

uint64_t give_up(void) {
    abort();
}

uint64_t fail_an_assertion(void) {
    uint64_t *word = hide(calloc(1, sizeof *word));
    assert(*word == 1);
    return 0;
}

/* Blocks of all magnitudes, each of which needs the heap to grow first. */
uint64_t grow_by_large_blocks(void) {
    for (size_t bytes = 1000; bytes < (size_t)16 << 20; bytes += bytes / 2 + 1) {
        char *block = hide(malloc(bytes));
        if (block == NULL)
            return bytes;
        memset(block, 1, bytes);
        free(block);
    }
    return 0;
}

/* Ten times 64 MiB through one heap of 64 MiB. */
uint64_t reuse(void) {
    uint64_t left = UINT64_C(640) << 20;
    for (uint32_t round = 1; left != 0; round++) {
        const size_t bytes = 1 + round * 7919u % 1000000;
        char *block = hide(malloc(bytes));
        if (block == NULL)
            return 0;
        block[0] = block[bytes - 1] = 1;
        free(block);
        left -= left < bytes ? left : bytes;
    }
    return 1;
}

/* How many bytes can be had in pieces of 4000. */
uint64_t exhaust(void) {
    uint64_t got = 0;
    while (hide(malloc(4000)) != NULL)
        got += 4000;
    return got;
}
