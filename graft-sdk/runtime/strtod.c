/*
 * strtod: decimal and hexadecimal text to the nearest double, ties to even.
 *
 * Exact whatever the text: the digits become an integer of many words, which is multiplied or
 * divided by the power of ten that is left over; of the quotient, 64 bits and "was there more"
 * decide how to round.
 */
#include "runtime.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Digits after which no further digit, but only "one was not 0", can change the result. */
#define DIGITS_MAX 800
/* Decimal exponents beyond which every number of DIGITS_MAX digits is infinite or 0. */
#define EXPONENT_MAX 1200
/* Bits of the largest intermediate: digits times a power of ten, or digits shifted for division. */
#define WORDS_MAX 280

#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023

/* A natural number, least significant word first. */
struct natural {
    unsigned n_words;
    uint32_t words[WORDS_MAX];
};

static void multiply_add(struct natural *number, uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (unsigned i = 0; i < number->n_words; i++) {
        carry += (uint64_t)number->words[i] * factor;
        number->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        number->words[number->n_words++] = (uint32_t)carry;
}

/* Divides and returns whether there was a remainder. */
static int divide_inexact(struct natural *number, uint32_t divisor) {
    uint64_t remainder = 0;
    for (unsigned i = number->n_words; i-- != 0;) {
        remainder = remainder << 32 | number->words[i];
        number->words[i] = (uint32_t)(remainder / divisor);
        remainder %= divisor;
    }
    while (number->n_words != 0 && number->words[number->n_words - 1] == 0)
        number->n_words--;
    return remainder != 0;
}

static void shift_words(struct natural *number, unsigned n_words) {
    for (unsigned i = number->n_words; i-- != 0;)
        number->words[i + n_words] = number->words[i];
    for (unsigned i = 0; i < n_words; i++)
        number->words[i] = 0;
    number->n_words += n_words;
}

/*
 * The double nearest to (head + "a little more" if sticky) * 2^exponent, where the top bit of
 * `head` is set.
 */
static double round_to_double(uint64_t head, int sticky, int exponent) {
    /* As if the point stood behind the top bit. */
    int biased = exponent + 63 + EXPONENT_BIAS;
    unsigned dropped = 63 - FRACTION_BITS;
    if (biased >= 2 * EXPONENT_BIAS + 1) {
        errno = ERANGE;
        return HUGE_VAL;
    }
    if (biased <= 0) {
        /* Subnormal: the exponent stays and digits go. */
        if (biased < -FRACTION_BITS) {
            /* Less than half of the smallest. */
            errno = ERANGE;
            return 0.0;
        }
        dropped += (unsigned)(1 - biased);
        biased = 0;
    }
    uint64_t kept = dropped < 64 ? head >> dropped : 0;
    const uint64_t half = UINT64_C(1) << (dropped - 1);
    const uint64_t rest = dropped < 64 ? head & ((half << 1) - 1) : head;
    const int is_inexact = rest != 0 || sticky;
    if (rest > half || (rest == half && (sticky || (kept & 1) != 0)))
        kept++;
    /* The leading bit of a normal number adds one to the exponent, as a carry does. */
    uint64_t bits = kept;
    if (biased > 0)
        bits += (uint64_t)(biased - 1) << FRACTION_BITS;
    if (bits >= (uint64_t)(2 * EXPONENT_BIAS + 1) << FRACTION_BITS ||
        (is_inexact && bits < UINT64_C(1) << FRACTION_BITS))
        errno = ERANGE;
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

/* The double nearest to number * 2^exponent. */
static double natural_to_double(const struct natural *number, int sticky, int exponent) {
    const unsigned n = number->n_words;
    if (n == 0)
        return 0.0;
    const unsigned shift = (unsigned)__builtin_clz(number->words[n - 1]);
    uint64_t head = 0;
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t word = i < n ? number->words[n - 1 - i] : 0;
        /* The words, their top bit first, at 64 bits minus what is shifted out. */
        if (i < 2)
            head |= word << (32 - 32 * i) << shift;
        else {
            head |= word >> (32 - shift);
            sticky |= (uint32_t)(word << shift) != 0;
        }
    }
    for (unsigned i = 0; i + 3 < n; i++)
        sticky |= number->words[i] != 0;
    return round_to_double(head, sticky, exponent + 32 * (int)n - 64 - (int)shift);
}

/* The double nearest to number * 10^exponent. */
static double decimal_to_double(struct natural *number, int sticky, int exponent) {
    int binary_exponent = 0;
    for (; exponent >= 9; exponent -= 9)
        multiply_add(number, 1000000000, 0);
    for (; exponent > 0; exponent--)
        multiply_add(number, 10, 0);
    if (exponent < 0) {
        /* As many bits as division takes away (10 < 2^3.33), and 96 that decide. */
        const unsigned n_words = (unsigned)(-exponent * 10 / 3) / 32 + 4;
        shift_words(number, n_words);
        binary_exponent = -32 * (int)n_words;
        for (; exponent <= -9; exponent += 9)
            sticky |= divide_inexact(number, 1000000000);
        for (; exponent < 0; exponent++)
            sticky |= divide_inexact(number, 10);
    }
    return natural_to_double(number, sticky, binary_exponent);
}

/* Reads `e+12`, or nothing if no digit follows; what is beyond all sense saturates. */
static const char *read_exponent(const char *at, char letter, int *exponent) {
    if (tolower((unsigned char)*at) != letter)
        return at;
    const char *digits = at + 1;
    const int is_negative = *digits == '-';
    if (*digits == '+' || *digits == '-')
        digits++;
    if (!isdigit((unsigned char)*digits))
        return at;
    int value = 0;
    for (; isdigit((unsigned char)*digits); digits++)
        if (value < 100000000)
            value = value * 10 + (*digits - '0');
    *exponent += is_negative ? -value : value;
    return digits;
}

/* Digits with at most one point among them. */
struct digits {
    struct natural number;
    /* The power of the base by which the number is to be multiplied. */
    int exponent;
    int sticky;
    int any;
};

static int hex_value(char c) {
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static const char *read_digits(const char *at, unsigned base, struct digits *digits) {
    int seen_point = 0, n_kept = 0;
    digits->number.n_words = 0;
    digits->exponent = digits->sticky = digits->any = 0;
    for (;; at++) {
        if (*at == '.' && !seen_point) {
            seen_point = 1;
            continue;
        }
        if (base == 16 ? !isxdigit((unsigned char)*at) : !isdigit((unsigned char)*at))
            return at;
        const uint32_t value = (uint32_t)hex_value(*at);
        digits->any = 1;
        if (n_kept == DIGITS_MAX) {
            digits->sticky |= value != 0;
            digits->exponent += !seen_point;
            continue;
        }
        /* Leading zeros are no digits. */
        n_kept += n_kept != 0 || value != 0;
        multiply_add(&digits->number, base, value);
        digits->exponent -= seen_point;
    }
}

static double parse_hexadecimal(const char **at) {
    struct digits digits;
    const char *end = read_digits(*at + 2, 16, &digits);
    if (!digits.any) {
        /* The 0 of "0x" alone. */
        *at += 1;
        return 0.0;
    }
    int exponent = 0;
    *at = read_exponent(end, 'p', &exponent);
    return natural_to_double(&digits.number, digits.sticky, exponent + 4 * digits.exponent);
}

static double parse_decimal(const char **at) {
    struct digits digits;
    const char *end = read_digits(*at, 10, &digits);
    if (!digits.any)
        return 0.0;
    int exponent = 0;
    *at = read_exponent(end, 'e', &exponent);
    exponent += digits.exponent;
    if (digits.number.n_words == 0)
        return 0.0;
    if (exponent > EXPONENT_MAX)
        return round_to_double(UINT64_C(1) << 63, 1, 2 * EXPONENT_BIAS);
    if (exponent < -EXPONENT_MAX)
        return round_to_double(UINT64_C(1) << 63, 1, -3 * EXPONENT_BIAS);
    return decimal_to_double(&digits.number, digits.sticky, exponent);
}

/* Whether a text begins with a word, in whatever case. */
static int begins_with(const char *text, const char *word) {
    while (*word != '\0' && tolower((unsigned char)*text) == *word) {
        text++;
        word++;
    }
    return *word == '\0';
}

double strtod(const char *restrict text, char **restrict end) {
    const char *at = text;
    while (isspace((unsigned char)*at))
        at++;
    const int is_negative = *at == '-';
    if (*at == '+' || *at == '-')
        at++;
    const char *start = at;
    double value = 0.0;
    if (begins_with(at, "inf")) {
        value = HUGE_VAL;
        at += begins_with(at, "infinity") ? 8 : 3;
    } else if (begins_with(at, "nan")) {
        value = NAN;
        at += 3;
    } else if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        value = parse_hexadecimal(&at);
    } else {
        value = parse_decimal(&at);
    }
    if (at == start) {
        /* A sign alone is no number. */
        at = text;
        value = 0.0;
    }
    if (end != NULL)
        *end = (char *)at;
    return is_negative && at != text ? -value : value;
}

double atof(const char *text) {
    return strtod(text, NULL);
}
