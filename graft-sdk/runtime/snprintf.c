/*
 * snprintf and its kin.
 *
 * Conversions: d i u o x X c s p e E f F g G and %%, with all flags, widths, precisions and the
 * lengths hh h l ll j z t. Floating-point digits are exact. Not there: n, a, long double and wide
 * characters; such a conversion is copied as it stands, and its argument is not read.
 */
#include "runtime.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The most digits of a whole number: 64 bits in octal. */
#define INTEGER_DIGITS_MAX 22
/* Each word holds nine decimal digits. */
#define WORD_DIGITS 9
#define WORD_BASE 1000000000u
/* The most words of a double's exact digits: 1,074 binary places are 767 digits. */
#define WORDS_MAX 90
#define DIGITS_MAX (WORDS_MAX * WORD_DIGITS)
/* An exponent as printed: letter, sign and three digits. */
#define EXPONENT_CHARS_MAX 5

/* Where the text goes; what does not fit is counted only. */
struct sink {
    char *to;
    size_t room;
    size_t length;
};

static void put(struct sink *sink, char c) {
    if (sink->length < sink->room)
        sink->to[sink->length] = c;
    sink->length++;
}

static void put_all(struct sink *sink, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        put(sink, text[i]);
}

static void put_many(struct sink *sink, char c, long count) {
    for (; count > 0; count--)
        put(sink, c);
}

/* One conversion, as written in the format. */
struct conversion {
    int left, plus, blank, alternate, zero;
    int width;
    /* -1 when there is none. */
    int precision;
    /* Bytes of an integer argument. */
    unsigned bytes;
    char kind;
};

/* Pads around a sign or prefix, zeros and a body. */
static void put_padded(struct sink *sink, const struct conversion *conversion, const char *prefix,
                       long zeros, const char *body, size_t length) {
    const long used = (long)strlen(prefix) + zeros + (long)length;
    const long blanks = conversion->width - used;
    if (!conversion->left)
        put_many(sink, ' ', blanks);
    put_all(sink, prefix, strlen(prefix));
    put_many(sink, '0', zeros);
    put_all(sink, body, length);
    if (conversion->left)
        put_many(sink, ' ', blanks);
}

static const char *sign_of(const struct conversion *conversion, int is_negative) {
    return is_negative ? "-" : conversion->plus ? "+" : conversion->blank ? " " : "";
}

static void put_integer(struct sink *sink, const struct conversion *conversion, uint64_t value,
                        const char *prefix) {
    const unsigned base = conversion->kind == 'o'                              ? 8
                          : conversion->kind == 'x' || conversion->kind == 'X' ? 16
                                                                               : 10;
    const char *symbols = conversion->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[INTEGER_DIGITS_MAX];
    char *first = digits + sizeof digits;
    for (; value != 0; value /= base)
        *--first = symbols[value % base];
    const long length = digits + sizeof digits - first;
    long zeros = (conversion->precision < 0 ? 1 : conversion->precision) - length;
    if (conversion->kind == 'o' && conversion->alternate && zeros < 1)
        zeros = 1;
    if (conversion->precision < 0 && conversion->zero && !conversion->left) {
        const long filling = conversion->width - (long)strlen(prefix) - length;
        zeros = filling > zeros ? filling : zeros;
    }
    put_padded(sink, conversion, prefix, zeros > 0 ? zeros : 0, first, (size_t)length);
}

/* Exact decimal digits: 0.d1d2d3... * 10^point. */
struct decimal {
    int n_digits;
    int point;
    char digits[DIGITS_MAX];
};

/* Multiplies a number in base WORD_BASE, least significant word first; returns its words. */
static int multiply(uint32_t *words, int n_words, uint32_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < n_words; i++) {
        carry += (uint64_t)words[i] * factor;
        words[i] = (uint32_t)(carry % WORD_BASE);
        carry /= WORD_BASE;
    }
    if (carry != 0)
        words[n_words++] = (uint32_t)carry;
    return n_words;
}

static void digits_of(double magnitude, struct decimal *decimal) {
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    const int biased = (int)(bits >> 52);
    uint64_t fraction = bits & (UINT64_MAX >> 12);
    int exponent = (biased == 0 ? 1 : biased) - 1075;
    if (biased != 0)
        fraction |= UINT64_C(1) << 52;
    decimal->n_digits = decimal->point = 0;
    if (fraction == 0)
        return;
    const int even = __builtin_ctzll(fraction);
    fraction >>= even;
    exponent += even;
    uint32_t words[WORDS_MAX];
    int n_words = 0;
    for (; fraction != 0; fraction /= WORD_BASE)
        words[n_words++] = (uint32_t)(fraction % WORD_BASE);
    /*
     * Below the point, m * 2^-e is m * 5^e * 10^-e; 5^12 and 2^29 are the largest below the
     * base, so that what is carried is one word.
     */
    const int places = exponent < 0 ? -exponent : 0;
    for (; exponent <= -12; exponent += 12)
        n_words = multiply(words, n_words, 244140625);
    for (; exponent < 0; exponent++)
        n_words = multiply(words, n_words, 5);
    for (; exponent >= 29; exponent -= 29)
        n_words = multiply(words, n_words, 1u << 29);
    if (exponent > 0)
        n_words = multiply(words, n_words, 1u << exponent);
    /* Most significant digit first, without leading zeros. */
    for (int word = n_words; word-- != 0;)
        for (uint32_t unit = WORD_BASE / 10; unit != 0; unit /= 10) {
            const char digit = (char)('0' + words[word] / unit % 10);
            if (decimal->n_digits != 0 || digit != '0')
                decimal->digits[decimal->n_digits++] = digit;
        }
    decimal->point = decimal->n_digits - places;
}

/* Keeps so many digits, rounding half to even. */
static void round_digits(struct decimal *decimal, long n_kept) {
    if (n_kept >= decimal->n_digits)
        return;
    if (n_kept < 0) {
        decimal->n_digits = 0;
        return;
    }
    const char *rest = decimal->digits + n_kept;
    const int n_rest = decimal->n_digits - (int)n_kept;
    int up = rest[0] > '5';
    if (rest[0] == '5') {
        for (int i = 1; i < n_rest && !up; i++)
            up = rest[i] != '0';
        up |= n_kept > 0 && (rest[-1] - '0') % 2 != 0;
    }
    decimal->n_digits = (int)n_kept;
    if (!up)
        return;
    int at = (int)n_kept;
    while (at > 0 && decimal->digits[at - 1] == '9')
        decimal->digits[--at] = '0';
    if (at > 0) {
        decimal->digits[at - 1]++;
        return;
    }
    /* All nines: one digit more in front, and the last one, a zero, may go. */
    decimal->digits[0] = '1';
    decimal->n_digits = n_kept == 0 ? 1 : (int)n_kept;
    decimal->point++;
}

static char digit_at(const struct decimal *decimal, long index) {
    return index >= 0 && index < decimal->n_digits ? decimal->digits[index] : '0';
}

/* Digits that are not trailing zeros. */
static int significant(const struct decimal *decimal) {
    int n = decimal->n_digits;
    while (n > 0 && decimal->digits[n - 1] == '0')
        n--;
    return n;
}

/* What comes out of a floating-point conversion, counted before it is written. */
struct layout {
    /* Index of the first digit before the point, and how many stand before and behind it. */
    long first, n_before, n_behind;
    int has_point;
    char exponent[EXPONENT_CHARS_MAX];
    size_t exponent_length;
};

static void write_exponent(struct layout *layout, int exponent, char letter) {
    char *to = layout->exponent;
    const int magnitude = exponent < 0 ? -exponent : exponent;
    *to++ = letter;
    *to++ = exponent < 0 ? '-' : '+';
    if (magnitude >= 100)
        *to++ = (char)('0' + magnitude / 100);
    *to++ = (char)('0' + magnitude / 10 % 10);
    *to++ = (char)('0' + magnitude % 10);
    layout->exponent_length = (size_t)(to - layout->exponent);
}

static void lay_out_fixed(struct layout *layout, const struct decimal *decimal, long precision) {
    layout->n_before = decimal->n_digits != 0 && decimal->point > 0 ? decimal->point : 1;
    layout->first = decimal->n_digits != 0 && decimal->point > 0 ? 0 : decimal->point - 1;
    if (decimal->n_digits == 0)
        layout->first = 0;
    layout->n_behind = precision;
}

static void lay_out_scientific(struct layout *layout, const struct decimal *decimal,
                               long precision, char letter) {
    layout->first = 0;
    layout->n_before = 1;
    layout->n_behind = precision;
    write_exponent(layout, decimal->n_digits != 0 ? decimal->point - 1 : 0, letter);
}

static void lay_out(struct layout *layout, struct decimal *decimal,
                    const struct conversion *conversion) {
    const int is_upper = conversion->kind < 'a';
    const char letter = is_upper ? 'E' : 'e';
    const char kind = (char)(conversion->kind | 0x20);
    long precision = conversion->precision < 0 ? 6 : conversion->precision;
    layout->exponent_length = 0;
    if (kind == 'f') {
        round_digits(decimal, decimal->point + precision);
        lay_out_fixed(layout, decimal, precision);
    } else if (kind == 'e') {
        round_digits(decimal, precision + 1);
        lay_out_scientific(layout, decimal, precision, letter);
    } else {
        precision = precision == 0 ? 1 : precision;
        round_digits(decimal, precision);
        const int exponent = decimal->n_digits != 0 ? decimal->point - 1 : 0;
        const int n_significant = significant(decimal);
        if (exponent >= -4 && exponent < precision) {
            const long behind = n_significant - exponent - 1;
            const long all = precision - 1 - exponent;
            lay_out_fixed(layout, decimal, conversion->alternate ? all : behind > 0 ? behind : 0);
        } else {
            const long all = precision - 1;
            lay_out_scientific(layout, decimal, conversion->alternate ? all : n_significant - 1,
                               letter);
        }
    }
    layout->has_point = layout->n_behind > 0 || conversion->alternate;
}

static void put_double(struct sink *sink, struct conversion *conversion, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const char *sign = sign_of(conversion, (bits >> 63) != 0);
    bits &= UINT64_MAX >> 1;
    double magnitude;
    memcpy(&magnitude, &bits, sizeof bits);
    if (bits >= UINT64_C(0x7ff) << 52) {
        const int is_infinite = bits == UINT64_C(0x7ff) << 52;
        const int is_upper = conversion->kind < 'a';
        const char *word = is_infinite ? (is_upper ? "INF" : "inf") : is_upper ? "NAN" : "nan";
        put_padded(sink, conversion, sign, 0, word, 3);
        return;
    }
    struct decimal decimal;
    struct layout layout;
    digits_of(magnitude, &decimal);
    lay_out(&layout, &decimal, conversion);
    const long length = layout.n_before + layout.has_point + layout.n_behind +
                        (long)layout.exponent_length + (long)strlen(sign);
    const long padding = conversion->width - length;
    if (!conversion->left && !conversion->zero)
        put_many(sink, ' ', padding);
    put_all(sink, sign, strlen(sign));
    if (!conversion->left && conversion->zero)
        put_many(sink, '0', padding);
    for (long i = 0; i < layout.n_before; i++)
        put(sink, digit_at(&decimal, layout.first + i));
    if (layout.has_point)
        put(sink, '.');
    for (long i = 0; i < layout.n_behind; i++)
        put(sink, digit_at(&decimal, layout.first + layout.n_before + i));
    put_all(sink, layout.exponent, layout.exponent_length);
    if (conversion->left)
        put_many(sink, ' ', padding);
}

/* Reads digits; what is too large for an int saturates. */
static int read_number(const char **format) {
    int number = 0;
    for (; **format >= '0' && **format <= '9'; (*format)++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, **format - '0', &number))
            number = INT32_MAX;
    return number;
}

static const char *read_flags(const char *format, struct conversion *conversion) {
    for (;; format++)
        switch (*format) {
        case '-': conversion->left = 1; break;
        case '+': conversion->plus = 1; break;
        case ' ': conversion->blank = 1; break;
        case '#': conversion->alternate = 1; break;
        case '0': conversion->zero = 1; break;
        default: return format;
        }
}

static const char *read_length(const char *format, struct conversion *conversion) {
    conversion->bytes = sizeof(int);
    switch (*format) {
    case 'h':
        conversion->bytes = format[1] == 'h' ? sizeof(char) : sizeof(short);
        return format + (format[1] == 'h' ? 2 : 1);
    case 'l':
        conversion->bytes = sizeof(long);
        return format + (format[1] == 'l' ? 2 : 1);
    case 'j':
    case 'z':
    case 't':
        conversion->bytes = sizeof(long);
        return format + 1;
    default:
        return format;
    }
}

static int64_t signed_of(int64_t value, unsigned bytes) {
    const unsigned shift = 64 - 8 * bytes;
    return (int64_t)((uint64_t)value << shift) >> shift;
}

static uint64_t unsigned_of(uint64_t value, unsigned bytes) {
    return value & (UINT64_MAX >> (64 - 8 * bytes));
}

/* Writes an integer, taking the prefix that its kind and flags ask for. */
static void put_argument(struct sink *sink, struct conversion *conversion, int64_t argument) {
    const unsigned bytes = conversion->bytes;
    if (conversion->kind == 'd' || conversion->kind == 'i') {
        const int64_t value = signed_of(argument, bytes);
        const uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
        put_integer(sink, conversion, magnitude, sign_of(conversion, value < 0));
        return;
    }
    const uint64_t value = unsigned_of((uint64_t)argument, bytes);
    const int is_hex = conversion->kind == 'x' || conversion->kind == 'X';
    const char *prefix = conversion->kind == 'X' ? "0X" : "0x";
    put_integer(sink, conversion, value, is_hex && conversion->alternate && value ? prefix : "");
}

static void put_text(struct sink *sink, const struct conversion *conversion, const char *text) {
    if (text == NULL)
        text = "(null)";
    const size_t length = conversion->precision < 0 ? strlen(text)
                                                    : strnlen(text, (size_t)conversion->precision);
    put_padded(sink, conversion, "", 0, text, length);
}

/* The list of arguments, behind a pointer to it. */
struct arguments {
    va_list list;
};

/* Writes one conversion; returns 0 if there is none of that letter. */
static int convert(struct sink *sink, struct conversion *conversion, struct arguments *arguments) {
    switch (conversion->kind) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        put_argument(sink, conversion,
                     conversion->bytes == sizeof(long) ? va_arg(arguments->list, long)
                                                       : va_arg(arguments->list, int));
        return 1;
    case 'p': {
        const void *pointer = va_arg(arguments->list, void *);
        if (pointer == NULL) {
            put_padded(sink, conversion, "", 0, "(nil)", 5);
            return 1;
        }
        conversion->kind = 'x';
        put_integer(sink, conversion, (uintptr_t)pointer, "0x");
        return 1;
    }
    case 'c': {
        const char c = (char)va_arg(arguments->list, int);
        put_padded(sink, conversion, "", 0, &c, 1);
        return 1;
    }
    case 's':
        put_text(sink, conversion, va_arg(arguments->list, const char *));
        return 1;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        put_double(sink, conversion, va_arg(arguments->list, double));
        return 1;
    case '%':
        put(sink, '%');
        return 1;
    default:
        return 0;
    }
}

static const char *read_conversion(const char *format, struct conversion *conversion,
                                   struct arguments *arguments) {
    *conversion = (struct conversion){0};
    conversion->precision = -1;
    format = read_flags(format, conversion);
    if (*format == '*') {
        format++;
        conversion->width = va_arg(arguments->list, int);
        if (conversion->width < 0) {
            conversion->left = 1;
            conversion->width = -conversion->width;
        }
    } else {
        conversion->width = read_number(&format);
    }
    if (*format == '.') {
        format++;
        if (*format == '*') {
            format++;
            conversion->precision = va_arg(arguments->list, int);
        } else {
            conversion->precision = read_number(&format);
        }
    }
    format = read_length(format, conversion);
    conversion->kind = *format;
    return format;
}

int vsnprintf(char *restrict to, size_t room, const char *restrict format, va_list list) {
    struct sink sink = {to, room == 0 ? 0 : room - 1, 0};
    struct arguments arguments;
    va_copy(arguments.list, list);
    while (*format != '\0') {
        if (*format != '%') {
            put(&sink, *format++);
            continue;
        }
        struct conversion conversion;
        const char *start = format;
        format = read_conversion(format + 1, &conversion, &arguments);
        if (!convert(&sink, &conversion, &arguments)) {
            put(&sink, *start);
            format = start + 1;
            continue;
        }
        format++;
    }
    va_end(arguments.list);
    if (room != 0)
        to[sink.length < sink.room ? sink.length : sink.room] = '\0';
    return sink.length > INT32_MAX ? -1 : (int)sink.length;
}

int snprintf(char *restrict to, size_t room, const char *restrict format, ...) {
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(to, room, format, list);
    va_end(list);
    return length;
}

int vsprintf(char *restrict to, const char *restrict format, va_list list) {
    return vsnprintf(to, INT32_MAX, format, list);
}

int sprintf(char *restrict to, const char *restrict format, ...) {
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(to, INT32_MAX, format, list);
    va_end(list);
    return length;
}
