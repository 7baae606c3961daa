/*
 * <string.h> of the graft runtime.
 */
#ifndef VINO_STRING_H
#define VINO_STRING_H

#include "vino/begin.h"

void *memcpy(void *VINO_RESTRICT to, const void *VINO_RESTRICT from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
void *memchr(const void *in, int value, size_t bytes);
void *memrchr(const void *in, int value, size_t bytes);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t bytes_max);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t bytes_max);
int strcoll(const char *left, const char *right);
size_t strxfrm(char *VINO_RESTRICT to, const char *VINO_RESTRICT from, size_t bytes_max);
char *strchr(const char *text, int wanted);
char *strchrnul(const char *text, int wanted);
char *strrchr(const char *text, int wanted);
char *strstr(const char *text, const char *wanted);
size_t strspn(const char *text, const char *set);
size_t strcspn(const char *text, const char *set);
char *strpbrk(const char *text, const char *set);
char *strcpy(char *VINO_RESTRICT to, const char *VINO_RESTRICT from);
char *stpcpy(char *VINO_RESTRICT to, const char *VINO_RESTRICT from);
char *strncpy(char *VINO_RESTRICT to, const char *VINO_RESTRICT from, size_t bytes);
char *strcat(char *VINO_RESTRICT to, const char *VINO_RESTRICT from);
char *strncat(char *VINO_RESTRICT to, const char *VINO_RESTRICT from, size_t bytes_max);
char *strtok_r(char *VINO_RESTRICT text, const char *VINO_RESTRICT separators,
               char **VINO_RESTRICT rest);
char *strdup(const char *text);
char *strndup(const char *text, size_t bytes_max);

#ifndef VINO_RUNTIME_SOURCE
/*
 * Grafts are compiled with -ffreestanding, for which a call of memcpy is only a call. These let
 * the compiler put a copy of known length in place again.
 */
#define VINO_IN_PLACE extern __inline__ __attribute__((always_inline, gnu_inline))
VINO_IN_PLACE void *memcpy(void *VINO_RESTRICT to, const void *VINO_RESTRICT from, size_t bytes) {
    return __builtin_memcpy(to, from, bytes);
}
VINO_IN_PLACE void *memmove(void *to, const void *from, size_t bytes) {
    return __builtin_memmove(to, from, bytes);
}
VINO_IN_PLACE void *memset(void *to, int value, size_t bytes) {
    return __builtin_memset(to, value, bytes);
}
VINO_IN_PLACE int memcmp(const void *left, const void *right, size_t bytes) {
    return __builtin_memcmp(left, right, bytes);
}
#undef VINO_IN_PLACE
#endif

#include "vino/end.h"

#endif
