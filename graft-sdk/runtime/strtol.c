/*
 * Whole numbers from text, and simple arithmetic of <stdlib.h>.
 */
#include "runtime.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* The value of a digit in any base, 36 or more if it is none. */
static unsigned digit_value(char c) {
    if (isdigit((unsigned char)c))
        return (unsigned)(c - '0');
    if (isalpha((unsigned char)c))
        return (unsigned)(tolower((unsigned char)c) - 'a') + 10;
    return UINT_MAX;
}

/* What stands at the front of a text. */
struct parsed {
    unsigned long long magnitude;
    int is_negative;
    int overflows;
};

static struct parsed parse(const char *text, char **end, int base) {
    struct parsed number = {0, 0, 0};
    const char *at = text;
    if (end != NULL)
        *end = (char *)text;
    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return number;
    }
    while (isspace((unsigned char)*at))
        at++;
    if (*at == '+' || *at == '-')
        number.is_negative = *at++ == '-';
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') &&
        digit_value(at[2]) < 16) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    const char *digits = at;
    for (unsigned digit; (digit = digit_value(*at)) < (unsigned)base; at++) {
        number.overflows |= __builtin_mul_overflow(number.magnitude, (unsigned)base,
                                                   &number.magnitude);
        number.overflows |= __builtin_add_overflow(number.magnitude, digit, &number.magnitude);
    }
    if (end != NULL && at != digits)
        *end = (char *)at;
    return number;
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base) {
    const struct parsed number = parse(text, end, base);
    if (number.overflows) {
        errno = ERANGE;
        return ULLONG_MAX;
    }
    return number.is_negative ? -number.magnitude : number.magnitude;
}

long long strtoll(const char *restrict text, char **restrict end, int base) {
    const struct parsed number = parse(text, end, base);
    const unsigned long long most = (unsigned long long)LLONG_MAX + (number.is_negative ? 1 : 0);
    if (number.overflows || number.magnitude > most) {
        errno = ERANGE;
        return number.is_negative ? LLONG_MIN : LLONG_MAX;
    }
    return (long long)(number.is_negative ? -number.magnitude : number.magnitude);
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base) {
    return strtoull(text, end, base);
}

long strtol(const char *restrict text, char **restrict end, int base) {
    return strtoll(text, end, base);
}

int atoi(const char *text) {
    return (int)strtol(text, NULL, 10);
}

long atol(const char *text) {
    return strtol(text, NULL, 10);
}

long long atoll(const char *text) {
    return strtoll(text, NULL, 10);
}

int abs(int value) {
    return value < 0 ? -value : value;
}

long labs(long value) {
    return value < 0 ? -value : value;
}

long long llabs(long long value) {
    return value < 0 ? -value : value;
}

div_t div(int dividend, int divisor) {
    return (div_t){dividend / divisor, dividend % divisor};
}

ldiv_t ldiv(long dividend, long divisor) {
    return (ldiv_t){dividend / divisor, dividend % divisor};
}

lldiv_t lldiv(long long dividend, long long divisor) {
    return (lldiv_t){dividend / divisor, dividend % divisor};
}
