/* Atomic operations of every width and order. */
#include "runtime.h"

static u8 byte;
static u16 half;
static u32 word;
static u64 quad;
static void *pointer;

static NOINLINE u64 round_of(u64 value)
{
    u64 sum = __atomic_fetch_add(&quad, value, __ATOMIC_SEQ_CST);
    sum += __atomic_add_fetch(&word, (u32)value, __ATOMIC_ACQ_REL);
    sum += __atomic_fetch_xor(&half, (u16)value, __ATOMIC_RELAXED);
    sum += __atomic_fetch_or(&byte, (u8)value, __ATOMIC_SEQ_CST);
    sum += __atomic_and_fetch(&quad, ~value, __ATOMIC_SEQ_CST);
    sum += __atomic_exchange_n(&word, (u32)sum, __ATOMIC_SEQ_CST);
    u64 expected = quad + (value & 1);
    sum += __atomic_compare_exchange_n(&quad, &expected, sum, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
    sum += expected;
    __atomic_store_n(&pointer, &quad, __ATOMIC_SEQ_CST);
    sum += *(u64 *)__atomic_load_n(&pointer, __ATOMIC_ACQUIRE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&word, 1, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&half, 1, __ATOMIC_SEQ_CST) == 0)
        sum ^= 0xff;
    return sum;
}

u64 corpus_run(u64 seed)
{
    u64 sum = 0;
    for (int i = 0; i < 1000; i++)
        sum = mix(sum, round_of(next_random(&seed)));
    return sum;
}
