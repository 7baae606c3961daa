/*
 * The functions of <math.h> whose results are exact, so that there is one right answer.
 *
 * Logarithms, powers and trigonometry are not here: bring a library for them.
 */
#include "runtime.h"
#include <math.h>

#define EXPONENT_BITS 0x7ff
#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023

static uint64_t bits_of(double value) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

/* The exponent of a number as its encoding has it: 0 for subnormals, 0x7ff for no number. */
static int exponent_of(double value) {
    return (int)(bits_of(value) >> FRACTION_BITS & EXPONENT_BITS);
}

double fabs(double value) {
    return of_bits(bits_of(value) & ~(UINT64_C(1) << 63));
}

double copysign(double magnitude, double sign) {
    return of_bits((bits_of(magnitude) & ~(UINT64_C(1) << 63)) |
                   (bits_of(sign) & UINT64_C(1) << 63));
}

double trunc(double value) {
    const int exponent = exponent_of(value) - EXPONENT_BIAS;
    if (exponent >= FRACTION_BITS)
        return value;
    if (exponent < 0)
        return copysign(0.0, value);
    return of_bits(bits_of(value) & ~(UINT64_MAX >> (12 + exponent)));
}

double floor(double value) {
    const double whole = trunc(value);
    return value < whole ? whole - 1.0 : whole;
}

double ceil(double value) {
    const double whole = trunc(value);
    return value > whole ? copysign(whole + 1.0, value) : whole;
}

double round(double value) {
    const double whole = trunc(value);
    return fabs(value - whole) >= 0.5 ? whole + copysign(1.0, value) : whole;
}

double modf(double value, double *whole) {
    *whole = trunc(value);
    /* An infinity has no fraction. */
    return copysign(*whole == value ? 0.0 : value - *whole, value);
}

double sqrt(double value) {
    double root;
    __asm__("sqrtsd %1, %0" : "=x"(root) : "x"(value));
    return root;
}

double frexp(double value, int *exponent) {
    *exponent = 0;
    if (value == 0.0 || exponent_of(value) == EXPONENT_BITS)
        return value;
    int scaled_by = 0;
    if (exponent_of(value) == 0) {
        value *= 0x1p64;
        scaled_by = 64;
    }
    *exponent = exponent_of(value) - (EXPONENT_BIAS - 1) - scaled_by;
    const uint64_t mask = (uint64_t)EXPONENT_BITS << FRACTION_BITS;
    return of_bits((bits_of(value) & ~mask) | (uint64_t)(EXPONENT_BIAS - 1) << FRACTION_BITS);
}

double ldexp(double value, int exponent) {
    /* Steps that cannot round, until the last one. */
    for (int step = 0; step < 3 && exponent > EXPONENT_BIAS; step++) {
        value *= 0x1p1023;
        exponent -= EXPONENT_BIAS;
    }
    /* Above the smallest normal number by the digits of a fraction, so that one step rounds. */
    for (int step = 0; step < 3 && exponent < 1 - EXPONENT_BIAS; step++) {
        value *= 0x1p-1022 * 0x1p53;
        exponent += EXPONENT_BIAS - 1 - 53;
    }
    if (exponent > EXPONENT_BIAS)
        exponent = EXPONENT_BIAS;
    if (exponent < 1 - EXPONENT_BIAS)
        exponent = 1 - EXPONENT_BIAS;
    return value * of_bits((uint64_t)(exponent + EXPONENT_BIAS) << FRACTION_BITS);
}

double scalbn(double value, int exponent) {
    return ldexp(value, exponent);
}

/* The fraction with its leading bit, shifted so that `*exponent` is that of the bit 52. */
static uint64_t normalise(uint64_t bits, int *exponent) {
    *exponent = (int)(bits >> FRACTION_BITS & EXPONENT_BITS);
    uint64_t fraction = bits & (UINT64_MAX >> 12);
    if (*exponent != 0)
        return fraction | UINT64_C(1) << FRACTION_BITS;
    const int shift = __builtin_clzll(fraction) - 11;
    *exponent = 1 - shift;
    return fraction << shift;
}

double fmod(double dividend, double divisor) {
    if (exponent_of(dividend) == EXPONENT_BITS || dividend != dividend || divisor != divisor ||
        divisor == 0.0)
        return (dividend * divisor) / (dividend * divisor);
    if (fabs(dividend) < fabs(divisor))
        return dividend;
    if (fabs(dividend) == fabs(divisor))
        return copysign(0.0, dividend);
    int exponent, divisor_exponent;
    uint64_t left = normalise(bits_of(fabs(dividend)), &exponent);
    const uint64_t by = normalise(bits_of(fabs(divisor)), &divisor_exponent);
    /* At most 2,046 + 52 steps of long division. */
    for (; exponent > divisor_exponent; exponent--) {
        if (left >= by)
            left -= by;
        left <<= 1;
    }
    if (left >= by)
        left -= by;
    if (left == 0)
        return copysign(0.0, dividend);
    const int shift = __builtin_clzll(left) - 11;
    left <<= shift;
    exponent -= shift;
    if (exponent > 0)
        left = (left & (UINT64_MAX >> 12)) | (uint64_t)exponent << FRACTION_BITS;
    else
        left >>= 1 - exponent;
    return copysign(of_bits(left), dividend);
}
