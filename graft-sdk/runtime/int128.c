/*
 * Arithmetic that compilers leave to a library: division of 128-bit integers, counting of bits.
 *
 * The names are those of libgcc and compiler-rt.
 */
#include "runtime.h"

typedef unsigned __int128 uint128;
typedef __int128 int128;

/* Divides a number whose upper half is less than the divisor, so that the quotient fits. */
static uint64_t divide_narrow(uint64_t high, uint64_t low, uint64_t divisor, uint64_t *remainder) {
    uint64_t quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "r"(divisor));
    return quotient;
}

/* Hacker's Delight, 2nd edition, section 9-5: a quotient that is at most one too large. */
static uint128 divide(uint128 dividend, uint128 divisor, uint128 *remainder) {
    const uint64_t high = (uint64_t)(dividend >> 64), low = (uint64_t)dividend;
    const uint64_t divisor_high = (uint64_t)(divisor >> 64);
    uint64_t rest;
    if (divisor == 0)
        __builtin_trap();
    if (divisor_high == 0) {
        const uint64_t by = (uint64_t)divisor;
        const uint64_t quotient_high = high / by;
        const uint64_t quotient_low = divide_narrow(high % by, low, by, &rest);
        *remainder = rest;
        return (uint128)quotient_high << 64 | quotient_low;
    }
    if (dividend < divisor) {
        *remainder = dividend;
        return 0;
    }
    const unsigned shift = (unsigned)__builtin_clzll(divisor_high);
    const uint64_t normal = (uint64_t)((divisor << shift) >> 64);
    const uint128 halved = dividend >> 1;
    uint64_t quotient =
        divide_narrow((uint64_t)(halved >> 64), (uint64_t)halved, normal, &rest) >> (63 - shift);
    if (quotient != 0)
        quotient--;
    uint128 left = dividend - quotient * divisor;
    if (left >= divisor) {
        quotient++;
        left -= divisor;
    }
    *remainder = left;
    return quotient;
}

uint128 __udivmodti4(uint128 dividend, uint128 divisor, uint128 *remainder) {
    uint128 rest;
    const uint128 quotient = divide(dividend, divisor, &rest);
    if (remainder != NULL)
        *remainder = rest;
    return quotient;
}

uint128 __udivti3(uint128 dividend, uint128 divisor) {
    uint128 remainder;
    return divide(dividend, divisor, &remainder);
}

uint128 __umodti3(uint128 dividend, uint128 divisor) {
    uint128 remainder;
    divide(dividend, divisor, &remainder);
    return remainder;
}

static uint128 magnitude(int128 value) {
    return value < 0 ? -(uint128)value : (uint128)value;
}

int128 __divti3(int128 dividend, int128 divisor) {
    uint128 remainder;
    const uint128 quotient = divide(magnitude(dividend), magnitude(divisor), &remainder);
    return (int128)((dividend < 0) != (divisor < 0) ? -quotient : quotient);
}

int128 __modti3(int128 dividend, int128 divisor) {
    uint128 remainder;
    divide(magnitude(dividend), magnitude(divisor), &remainder);
    return (int128)(dividend < 0 ? -remainder : remainder);
}

int128 __divmodti4(int128 dividend, int128 divisor, int128 *remainder) {
    uint128 rest;
    const uint128 quotient = divide(magnitude(dividend), magnitude(divisor), &rest);
    *remainder = (int128)(dividend < 0 ? -rest : rest);
    return (int128)((dividend < 0) != (divisor < 0) ? -quotient : quotient);
}

int __popcountdi2(uint64_t value) {
    value -= value >> 1 & UINT64_C(0x5555555555555555);
    value = (value & UINT64_C(0x3333333333333333)) + (value >> 2 & UINT64_C(0x3333333333333333));
    value = (value + (value >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)(value * UINT64_C(0x0101010101010101) >> 56);
}

int __popcountti2(uint128 value) {
    return __popcountdi2((uint64_t)value) + __popcountdi2((uint64_t)(value >> 64));
}
