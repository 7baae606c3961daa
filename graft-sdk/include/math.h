/*
 * <math.h> of the graft runtime: the functions whose results are exact.
 */
#ifndef VINO_MATH_H
#define VINO_MATH_H

#include "vino/begin.h"

#define HUGE_VAL __builtin_huge_val()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define isnan(value) __builtin_isnan(value)
#define isinf(value) __builtin_isinf(value)
#define isfinite(value) __builtin_isfinite(value)
#define signbit(value) __builtin_signbit(value)

double ceil(double value);
double copysign(double magnitude, double sign);
double fabs(double value);
double floor(double value);
double fmod(double dividend, double divisor);
double frexp(double value, int *exponent);
double ldexp(double value, int exponent);
double modf(double value, double *whole);
double round(double value);
double scalbn(double value, int exponent);
double sqrt(double value);
double trunc(double value);

#include "vino/end.h"

#endif
