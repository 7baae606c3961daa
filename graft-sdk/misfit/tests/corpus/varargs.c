/* Variable argument lists of integers, doubles, pointers and structures. */
#include <stdarg.h>
#include "runtime.h"

struct pair { u64 a, b; };
struct large { u64 words[5]; };

static NOINLINE u64 collect(const char *format, va_list list)
{
    u64 sum = 0;
    for (; *format != 0; format++) {
        switch (*format) {
        case 'i': sum = mix(sum, (u64)va_arg(list, int)); break;
        case 'l': sum = mix(sum, va_arg(list, u64)); break;
        case 'd': sum = mix(sum, (u64)(va_arg(list, double) * 16.0)); break;
        case 's': sum = mix(sum, (u64)va_arg(list, const char *)[1]); break;
        case 'p': {
            struct pair pair = va_arg(list, struct pair);
            sum = mix(sum, pair.a - pair.b);
            break;
        }
        case 'L': {
            struct large large = va_arg(list, struct large);
            sum = mix(sum, large.words[4] ^ large.words[0]);
            break;
        }
        }
    }
    return sum;
}

static NOINLINE u64 gather(const char *format, ...)
{
    va_list list, copy;
    va_start(list, format);
    va_copy(copy, list);
    u64 sum = collect(format, list) * 3 + collect(format, copy);
    va_end(copy);
    va_end(list);
    return sum;
}

u64 corpus_run(u64 seed)
{
    u64 sum = 0;
    for (int i = 0; i < 300; i++) {
        struct pair pair = {seed, (u64)i};
        struct large large = {{seed, 2, 3, 4, (u64)i}};
        sum = mix(sum, gather("ilds", i, seed, i * 0.25, "xyz"));
        sum = mix(sum, gather("pLdpi", pair, large, 1.5, pair, -i));
        sum = mix(sum, gather("ddddddddddiiiiiiiill", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 1, 2,
                              3, 4, 5, 6, 7, -8, seed, sum));
        next_random(&seed);
    }
    return sum;
}
