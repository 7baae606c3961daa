/*
 * <stdlib.h> of the graft runtime.
 */
#ifndef VINO_STDLIB_H
#define VINO_STDLIB_H

#include "vino/begin.h"

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

typedef struct {
    int quot;
    int rem;
} div_t;
typedef struct {
    long quot;
    long rem;
} ldiv_t;
typedef struct {
    long long quot;
    long long rem;
} lldiv_t;

/* Memory comes from the host in pages; see vino/heap.h. What is freed twice traps. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *memory, size_t bytes);
void *aligned_alloc(size_t align, size_t bytes);
int posix_memalign(void **memory, size_t align, size_t bytes);
void free(void *memory);
size_t malloc_usable_size(void *memory);

/* Both end the invocation; its transaction is undone. */
VINO_NORETURN void abort(void);
VINO_NORETURN void exit(int status);

/* O(n log n) comparisons whatever the input; equal elements may change places. */
void qsort(void *first, size_t count, size_t bytes, int (*compare)(const void *, const void *));
void *bsearch(const void *wanted, const void *first, size_t count, size_t bytes,
              int (*compare)(const void *, const void *));

int atoi(const char *text);
long atol(const char *text);
long long atoll(const char *text);
double atof(const char *text);
long strtol(const char *VINO_RESTRICT text, char **VINO_RESTRICT end, int base);
long long strtoll(const char *VINO_RESTRICT text, char **VINO_RESTRICT end, int base);
unsigned long strtoul(const char *VINO_RESTRICT text, char **VINO_RESTRICT end, int base);
unsigned long long strtoull(const char *VINO_RESTRICT text, char **VINO_RESTRICT end, int base);
double strtod(const char *VINO_RESTRICT text, char **VINO_RESTRICT end);

int abs(int value);
long labs(long value);
long long llabs(long long value);
div_t div(int dividend, int divisor);
ldiv_t ldiv(long dividend, long divisor);
lldiv_t lldiv(long long dividend, long long divisor);

#include "vino/end.h"

#endif
