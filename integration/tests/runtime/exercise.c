/*
 * Uses the C library on generated input and sums up what it answers.
 *
 * The test builds this natively against the machine's C library, natively against the runtime, and
 * for a sandbox against the runtime, and compares the sums of each section.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static uint64_t state, sum;

/* Marsaglia, "Xorshift RNGs": xorshift64. */
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static uint64_t below(uint64_t limit) {
    return next() % limit;
}

/* FNV-1a, a word at a time. */
static void add(uint64_t value) {
    sum = (sum ^ value) * UINT64_C(0x100000001b3);
    sum ^= sum >> 29;
}

static void add_bytes(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        add(at[i]);
}

static void add_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add(value != value ? 1 : bits);
}

/* The sign alone is the same in every library. */
static void add_sign(int order) {
    add((uint64_t)(order < 0 ? 1 : order > 0 ? 2 : 3));
}

static void add_offset(const void *from, const void *to) {
    add(to == NULL ? UINT64_MAX : (uint64_t)((const char *)to - (const char *)from));
}

#define ARENA_BYTES 16384
static uint8_t arena[ARENA_BYTES], other[ARENA_BYTES];

static void fill(uint8_t *bytes, size_t length, unsigned n_values) {
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)('a' + below(n_values));
}

/* Mostly short, sometimes long. */
static size_t some_length(size_t limit) {
    const uint64_t kind = below(16);
    return (size_t)below(kind < 8 ? 20 : kind < 14 ? 300 : limit);
}

static NOINLINE void memory(void) {
    fill(arena, ARENA_BYTES, 256);
    for (int round = 0; round < 3000; round++) {
        const size_t length = some_length(ARENA_BYTES / 2);
        const size_t from = (size_t)below(ARENA_BYTES - length);
        const size_t near = from + (size_t)below(64);
        const size_t to = below(2) && near + length <= ARENA_BYTES
                              ? near
                              : (size_t)below(ARENA_BYTES - length);
        switch (below(4)) {
        case 0:
            add_offset(arena, memmove(arena + to, arena + from, length));
            break;
        case 1:
            add_offset(other, memcpy(other + to, arena + from, length));
            break;
        case 2:
            add_offset(other, memset(other + to, (int)next(), length));
            break;
        default:
            memcpy(arena + from, other + to, length);
            if (length != 0 && below(2))
                arena[from + below(length)] ^= (uint8_t)(1 + below(255));
            add_sign(memcmp(arena + from, other + to, length));
            add_offset(arena, memchr(arena + from, (int)below(256), length));
            break;
        }
        if (round % 100 == 0) {
            add_bytes(arena, ARENA_BYTES);
            add_bytes(other, ARENA_BYTES);
        }
    }
}

/* Two strings over few letters, so that they have much in common. */
static void some_strings(char **left, char **right) {
    const size_t offset = (size_t)below(40);
    const size_t length = some_length(600);
    fill(arena, 1024, 1 + (unsigned)below(3));
    memcpy(other, arena, 1024);
    arena[offset + length] = '\0';
    other[offset + (below(2) ? length : some_length(600))] = '\0';
    other[1023] = '\0';
    if (below(2))
        other[offset + below(length + 1)] ^= (uint8_t)(0x80 * below(2) + below(4));
    *left = (char *)arena + offset;
    *right = (char *)other + offset;
}

static NOINLINE void strings(void) {
    char set[8], copy[2048];
    for (int round = 0; round < 4000; round++) {
        char *left, *right;
        some_strings(&left, &right);
        const size_t limit = some_length(700);
        const int letter = below(8) ? 'a' + (int)below(4) : 0;
        fill((uint8_t *)set, sizeof set, 4);
        set[below(sizeof set)] = '\0';
        set[sizeof set - 1] = '\0';
        add(strlen(left));
        add_sign(strcmp(left, right));
        add_sign(strncmp(left, right, limit));
        add_sign(strcoll(left, right));
        add_offset(left, strchr(left, letter));
        add_offset(left, strrchr(left, letter));
        add_offset(left, strstr(left, set));
        add_offset(left, strpbrk(left, set));
        add(strspn(left, set));
        add(strcspn(left, set));
        memset(copy, 'x', sizeof copy);
        add_offset(copy, strcpy(copy, left));
        add_offset(copy, strcat(copy, set));
        add_offset(copy, strncat(copy, right, limit));
        add_offset(copy, strncpy(copy + 1500, left, below(500)));
        add_bytes(copy, sizeof copy);
        char *duplicate = strdup(left);
        add_bytes(duplicate, strlen(duplicate) + 1);
        free(duplicate);
    }
    for (int c = -1; c < 256; c++)
        add((uint64_t)(!!isalnum(c) | !!isalpha(c) << 1 | !!isblank(c) << 2 | !!iscntrl(c) << 3 |
                       !!isdigit(c) << 4 | !!isgraph(c) << 5 | !!islower(c) << 6 |
                       !!isprint(c) << 7 | !!ispunct(c) << 8 | !!isspace(c) << 9 |
                       !!isupper(c) << 10 | !!isxdigit(c) << 11 | tolower(c) << 12 |
                       toupper(c) << 22));
}

static void parse(const char *text) {
    char *end;
    for (int base = 0; base <= 36; base += base == 0 ? 2 : 7) {
        errno = 0;
        add((uint64_t)strtol(text, &end, base));
        add_offset(text, end);
        add((uint64_t)errno);
        errno = 0;
        add(strtoull(text, &end, base));
        add_offset(text, end);
        add((uint64_t)errno);
    }
    errno = 0;
    add_double(strtod(text, &end));
    add_offset(text, end);
    add((uint64_t)(errno == ERANGE));
}

static NOINLINE void numbers(void) {
    static const char *const fixed[] = {
        "",       "0",      "-0",          "+",        "0x",         "0x1p",   "0x.8p-1074",
        ".",      ".e1",    "1e",          "1e+",      "infinity",   "-inf",   "nano",
        "1e400",  "1e-400", "4.9e-324",    "2.4e-324", "2.5e-324",   "0x1p-1075",
        "1.7976931348623157e308",          "1.7976931348623159e308", "9007199254740993",
        "9223372036854775807",             "-9223372036854775809",   "18446744073709551616",
        "2.2250738585072011e-308",         "2.2250738585072014e-308", "  \t-12.5e-1x",
        "0x1.fffffffffffff8p0",            "0x1.fffffffffffff7ffp1023", "0x0.00000001p-1040",
        "00000000000000000000000000000000000000001e-30", "1e-99999999999999999999",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649",
    };
    static const char letters[] = "0123456789012345678901234567890.eExXpP+-afinAF ";
    char text[900];
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        parse(fixed[i]);
    for (int round = 0; round < 6000; round++) {
        const size_t length = (size_t)below(round % 100 == 0 ? sizeof text : 30);
        for (size_t i = 0; i < length; i++)
            text[i] = letters[below(sizeof letters - 1)];
        text[length < sizeof text ? length : length - 1] = '\0';
        parse(text);
        /* A number between two neighbours, in so many digits that the middle is met. */
        uint64_t bits = next();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (value == value) {
            snprintf(text, sizeof text, "%.*e", (int)below(40), value);
            parse(text);
        }
    }
}

static NOINLINE void one_format(double value, long long whole) {
    static const char *const flags[] = {"", "-", "+", " ", "#", "0", "-#", "+0", "# ", "0#"};
    static const char kinds[] = "eEfFgGdiuoxXcs";
    char format[40], text[2200];
    const char *flag = flags[below(sizeof flags / sizeof *flags)];
    const char kind = kinds[below(sizeof kinds - 1)];
    /* With #, glibc 2.36 drops zeros where rounding carries into a new digit. */
    if ((kind == 'g' || kind == 'G') && strchr(flag, '#') != NULL)
        flag = "";
    char precision[8] = "";
    if (below(3) != 0)
        snprintf(precision, sizeof precision, ".%d", (int)below(30));
    const int is_integer = strchr("diuoxX", kind) != NULL;
    static const char *const lengths[] = {"", "hh", "h", "l", "ll", "z", "j"};
    const char *length = is_integer ? lengths[below(sizeof lengths / sizeof *lengths)] : "";
    const int is_text = kind == 'c' || kind == 's';
    /* A flag that has no meaning for a kind has none in the standard either. */
    snprintf(format, sizeof format, "<%%%s%d%s%s%c>", is_text && *flag != '-' ? "" : is_text ? "-" : flag,
             1 + (int)below(30), kind == 'c' ? "" : precision, length, kind);
    const size_t room = below(4) ? sizeof text : (size_t)below(40);
    memset(text, 'x', sizeof text);
    int written;
    if (kind == 's')
        written = snprintf(text, room, format, "some text to be printed");
    else if (kind == 'c')
        written = snprintf(text, room, format, 'a' + (int)below(26));
    else if (!is_integer)
        written = snprintf(text, room, format, value);
    else if (length[0] == '\0' || length[0] == 'h')
        written = snprintf(text, room, format, (int)whole);
    else
        written = snprintf(text, room, format, whole);
    add((uint64_t)written);
    add_bytes(text, sizeof text);
}

static NOINLINE void formats(void) {
    static const double fixed[] = {0.0, -0.0, 0.5, 1.5, 2.5, 9.5, 99.5, 0.05, 1e15, 1e16, 1e17, 1e22,
                                   1e23, 123456789.0, 0.0001, 0.00001, 5e-324, 1.7976931348623157e308,
                                   0.1, 1.0 / 3};
    char text[64];
    for (int round = 0; round < 8000; round++) {
        uint64_t bits = next();
        double value;
        memcpy(&value, &bits, sizeof value);
        switch (below(4)) {
        case 0: value = fixed[below(sizeof fixed / sizeof *fixed)]; break;
        case 1: value = (double)(int64_t)below(100000) / 16; break;
        case 2: value = (double)(int64_t)below(1000000) / 1000; break;
        default: break;
        }
        const int is_finite = value == value;
        one_format(is_finite ? value : HUGE_VAL, (long long)(next() >> below(64)));
    }
    add((uint64_t)snprintf(text, sizeof text, "%%%5.3s|%-*d|%.*f|%p", "abcdef", 7, 42, 2, 2.675,
                           (void *)(uintptr_t)0x1234));
    add_bytes(text, strlen(text));
    snprintf(text, sizeof text, "%g %.3G %#g %#.3g %#G", 999999.5, 99999.0, 1.0, 1e-7, 100000.0);
    add_bytes(text, strlen(text));
    snprintf(text, sizeof text, "%.14g %.17g %lld", 3.14159265358979, 0.1, -5ll);
    add_bytes(text, strlen(text));
}

static int compare_words(const void *left, const void *right) {
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static int compare_records(const void *left, const void *right) {
    return memcmp(left, right, 13);
}

#define SORTED_MAX 5000
static uint32_t sorted[SORTED_MAX];
static uint64_t n_comparisons;

static int count_and_compare(const void *left, const void *right) {
    n_comparisons++;
    return compare_words(left, right);
}

static NOINLINE void sorting(void) {
    for (int round = 0; round < 60; round++) {
        const size_t count = (size_t)below(round % 6 == 0 ? SORTED_MAX : 200);
        const uint64_t kind = below(6);
        for (size_t i = 0; i < count; i++)
            sorted[i] = (uint32_t)(kind == 0   ? next()
                                   : kind == 1 ? below(4)
                                   : kind == 2 ? i
                                   : kind == 3 ? count - i
                                   : kind == 4 ? (i < count / 2 ? i : count - i)
                                               : i ^ (i >> 1));
        n_comparisons = 0;
        qsort(sorted, count, sizeof *sorted, count_and_compare);
        add_bytes(sorted, count * sizeof *sorted);
        /* n log n for every kind of input, with room for any good algorithm. */
        unsigned log = 1;
        while ((size_t)1 << log <= count)
            log++;
        add(n_comparisons > 5 * (uint64_t)log * (count + 10));
        const uint32_t wanted = (uint32_t)below(count + 1);
        const uint32_t *found = bsearch(&wanted, sorted, count, sizeof *sorted, compare_words);
        add(found == NULL ? 0 : *found + UINT64_C(1));
        fill(arena, 13 * 300, 3);
        qsort(arena, (size_t)below(300), 13, compare_records);
        add_bytes(arena, 13 * 300);
    }
}

#define LIVE_MAX 400
static struct {
    uint8_t *bytes;
    size_t length;
    uint8_t mark;
} live[LIVE_MAX];

static void check_block(size_t i) {
    for (size_t at = 0; at < live[i].length; at++)
        if (live[i].bytes[at] != live[i].mark)
            abort();
}

static void take(size_t i, uint8_t *bytes, size_t length) {
    if (bytes == NULL || ((uintptr_t)bytes & 15) != 0)
        abort();
    live[i].bytes = bytes;
    live[i].length = length;
    live[i].mark = (uint8_t)next();
    memset(bytes, live[i].mark, length);
    add(length);
}

static NOINLINE void allocation(void) {
    for (int round = 0; round < 30000; round++) {
        const size_t i = (size_t)below(LIVE_MAX);
        const size_t length = some_length(below(50) == 0 ? 100000 : 2000);
        if (live[i].bytes == NULL) {
            const uint64_t kind = below(8);
            if (kind == 0) {
                uint8_t *zeroed = calloc(length / 4 + 1, 4);
                for (size_t at = 0; at < length / 4 * 4; at++)
                    if (zeroed[at] != 0)
                        abort();
                take(i, zeroed, length / 4 * 4);
            } else if (kind == 1) {
                const size_t align = (size_t)16 << below(9);
                uint8_t *aligned = aligned_alloc(align, (length + align) / align * align);
                if (((uintptr_t)aligned & (align - 1)) != 0)
                    abort();
                take(i, aligned, length);
            } else {
                take(i, malloc(length), length);
            }
        } else if (below(4) == 0) {
            check_block(i);
            uint8_t *moved = realloc(live[i].bytes, length + 1);
            const size_t kept = length < live[i].length ? length : live[i].length;
            for (size_t at = 0; at < kept; at++)
                if (moved[at] != live[i].mark)
                    abort();
            take(i, moved, length);
        } else {
            check_block(i);
            free(live[i].bytes);
            live[i].bytes = NULL;
        }
    }
    for (size_t i = 0; i < LIVE_MAX; i++) {
        if (live[i].bytes != NULL)
            check_block(i);
        free(live[i].bytes);
        live[i].bytes = NULL;
    }
    errno = 0;
    volatile size_t huge = SIZE_MAX / 2;
    add((uint64_t)(malloc(huge) == NULL && errno == ENOMEM));
    errno = 0;
    add((uint64_t)(calloc(huge, 4) == NULL && errno == ENOMEM));
}

static NOINLINE void wide_integers(void) {
    for (int round = 0; round < 20000; round++) {
        typedef unsigned __int128 wide;
        wide a = (wide)next() << 64 | next(), b = (wide)next() << 64 | next();
        a >>= below(128);
        b >>= below(128);
        if (b == 0)
            b = 1;
        const wide results[] = {a / b, a % b, (wide)((__int128)a / (__int128)b),
                                (wide)((__int128)a % (__int128)b)};
        add_bytes(results, sizeof results);
        add((uint64_t)__builtin_popcountll(next()));
    }
}

static NOINLINE void mathematics(void) {
    for (int turn = 0; turn < 20000; turn++) {
        uint64_t bits[2] = {next(), next()};
        double x, y;
        if (below(2)) {
            /* Of like size, whole numbers and halves among them. */
            x = (double)(int64_t)(next() >> below(64)) / (double)(1 << below(3));
            y = (double)(int64_t)(next() >> below(64));
        } else {
            memcpy(&x, &bits[0], sizeof x);
            memcpy(&y, &bits[1], sizeof y);
        }
        int exponent = 0;
        double whole;
        add_double(floor(x));
        add_double(ceil(x));
        add_double(trunc(x));
        add_double(turn % 2 ? floor(-x) : ceil(-x));
        add_double(fabs(x));
        add_double(sqrt(fabs(x)));
        add_double(fmod(x, y));
        add_double(fmod(x, y * 0x1p-30));
        add_double(modf(x, &whole));
        add_double(whole);
        if (isfinite(x)) {
            add_double(frexp(x, &exponent));
            add((uint64_t)exponent);
        }
        add_double(ldexp(x, (int)below(4400) - 2200));
        add_double(copysign(x, y));
        add_double(round(x));
    }
}

static jmp_buf place;

static NOINLINE void jump_from(unsigned depth) {
    if (depth == 0)
        longjmp(place, (int)below(3));
    jump_from(depth - 1);
    add(depth);
}

static NOINLINE void jumps(void) {
    for (int round = 0; round < 500; round++) {
        volatile uint64_t kept = next();
        const int answer = setjmp(place);
        add((uint64_t)answer);
        if (answer == 0)
            jump_from((unsigned)below(50));
        add(kept);
    }
}

/* Sections, in the order of the test's names. */
uint64_t exercise(uint32_t section, uint64_t seed) {
    static void (*const sections[])(void) = {memory,     strings,       numbers,     formats, sorting,
                                             allocation, wide_integers, mathematics, jumps};
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    sum = 0;
    if (section >= sizeof sections / sizeof *sections)
        return 0;
    sections[section]();
    return sum;
}
