/*
 * Small functions that cross the border of the sandbox, or run into it; integers only, so that the
 * image has no vector code.
 */
#include <stdint.h>

uint64_t bench_host(void);

uint64_t bench_empty(void) { return 0; }

uint64_t bench_calls_out(uint64_t count)
{
    uint64_t sum = 0;

    while (count-- != 0)
        sum += bench_host();
    return sum;
}

/* Reads what a pointer from nowhere points to. */
uint64_t bench_wild_read(uint64_t address) { return *(volatile uint64_t *)address; }

/* Calls what is no function. */
uint64_t bench_wild_call(uint64_t address) { return ((uint64_t(*)(void))address)(); }

uint64_t bench_trap(void) { __builtin_trap(); }

/* Uses up the stack; more frames than any stack has. */
uint64_t bench_recursion(uint64_t depth)
{
    volatile uint64_t frame[8] = {depth};

    return bench_recursion(depth + 1) + frame[0];
}

/* Never returns. */
uint64_t bench_loop(void)
{
    volatile uint64_t rounds = 0;

    for (;;)
        rounds++;
}
