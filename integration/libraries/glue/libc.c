/*
 * What libraries need of the C library besides the runtime of the SDK: a standard output, files
 * that cannot be opened, a clock that stands still, the "C" locale.
 */
#include "host.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wctype.h>

FILE *stdin, *stdout, *stderr;

size_t fwrite(const void *from, size_t bytes, size_t count, FILE *file) {
    if (file == stdout)
        write_output(from, bytes * count);
    return count;
}

int fputs(const char *text, FILE *file) {
    fwrite(text, 1, strlen(text), file);
    return 0;
}

int fputc(int byte, FILE *file) {
    const char text = (char)byte;
    fwrite(&text, 1, 1, file);
    return byte;
}

int fprintf(FILE *file, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    const int bytes = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fputs(text, file);
    return bytes;
}

int fflush(FILE *file) {
    (void)file;
    return 0;
}

FILE *fopen(const char *name, const char *mode) {
    (void)name, (void)mode;
    return NULL;
}

FILE *freopen(const char *name, const char *mode, FILE *file) {
    (void)name, (void)mode, (void)file;
    return NULL;
}

FILE *fdopen(int descriptor, const char *mode) {
    (void)descriptor, (void)mode;
    return NULL;
}

int fclose(FILE *file) {
    (void)file;
    return EOF;
}

size_t fread(void *to, size_t bytes, size_t count, FILE *file) {
    (void)to, (void)bytes, (void)count, (void)file;
    return 0;
}

int getc(FILE *file) {
    (void)file;
    return EOF;
}

int feof(FILE *file) {
    (void)file;
    return 1;
}

int ferror(FILE *file) {
    (void)file;
    return 1;
}

int dup(int descriptor) {
    (void)descriptor;
    return -1;
}

char *strerror(int number) {
    (void)number;
    return (char *)"no such file";
}

char *getenv(const char *name) {
    (void)name;
    return NULL;
}

time_t time(time_t *now) {
    if (now != NULL)
        *now = 0;
    return 0;
}

clock_t clock(void) {
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    (void)clock;
    now->tv_sec = 0;
    now->tv_nsec = 0;
    return 0;
}

struct lconv *localeconv(void) {
    static struct lconv locale = {.decimal_point = (char *)"."};
    return &locale;
}

/* Whole exponents are what the programs here use. */
double pow(double base, double exponent) {
    const long whole = (long)exponent;
    if ((double)whole != exponent || whole < 0)
        abort();
    double power = 1.0;
    for (long left = whole; left > 0; left >>= 1) {
        if (left & 1)
            power *= base;
        base *= base;
    }
    return power;
}

char *fgets(char *to, int bytes, FILE *file) {
    (void)to, (void)bytes, (void)file;
    return NULL;
}

int iswalnum(wint_t c) {
    return c < 128 && isalnum((int)c);
}

int iswspace(wint_t c) {
    return c < 128 && isspace((int)c);
}

/* What <stdio.h> calls them when files may be large. */
FILE *fopen64(const char *name, const char *mode) {
    return fopen(name, mode);
}

FILE *freopen64(const char *name, const char *mode, FILE *file) {
    return freopen(name, mode, file);
}
