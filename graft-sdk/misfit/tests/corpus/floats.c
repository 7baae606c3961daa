/* Floating point: arithmetic, comparisons, conversions of every width, vectorised loops. */
#include "runtime.h"

static NOINLINE double polynomial(double x, const double *c, int n)
{
    double y = 0;
    for (int i = 0; i < n; i++)
        y = y * x + c[i];
    return y;
}

static NOINLINE int compare(double a, double b)
{
    return (a < b) | (a <= b) << 1 | (a == b) << 2 | (a != b) << 3 | (a > b) << 4 |
           __builtin_isnan(a) << 5;
}

static NOINLINE float dot(const float *a, const float *b, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static NOINLINE void scale(float *to, const float *from, float by, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = from[i] * by + (float)i;
}

static NOINLINE double root(double x)
{
    double y = x;
    for (int i = 0; i < 30; i++)
        y = (y + x / y) / 2;
    return y;
}

static NOINLINE u64 convert(double x)
{
    u64 sum = (u64)(i64)x + (u64)(i32)x + (u64)(float)x;
    sum += (u64)(x + 1e18) + (u32)(x < 0 ? -x : x);
    sum = mix(sum, (u64)(double)(u64)(sum | 1ul << 63));
    return mix(sum, (u64)(float)(u32)sum);
}

u64 corpus_run(u64 seed)
{
    static const double c[] = {0.5, -1.25, 3.0, 0.125, -7.0};
    float a[67], b[67];
    u64 sum = 0;
    for (int i = 0; i < 67; i++) {
        a[i] = (float)(next_random(&seed) % 1000) / 8.0f;
        b[i] = (float)(i - 30);
    }
    for (int i = 0; i < 100; i++) {
        double x = (double)(i64)(next_random(&seed) >> 20) / 65536.0 - 1e8;
        double y = polynomial(x / 1e8, c, 5);
        sum = mix(sum, (u64)(i64)(y * 1e6));
        sum = mix(sum, (u64)compare(x, y) + (u64)compare(y, y) + (u64)compare(x * 0, -0.0));
        scale(b, a, (float)(i % 7), 67);
        sum = mix(sum, (u64)dot(a, b, 60 + i % 8));
        sum = mix(sum, (u64)(root((double)i + 2) * 1e9));
        sum = mix(sum, convert(x));
    }
    return sum;
}
