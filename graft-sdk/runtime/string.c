/*
 * Functions on strings, byte by byte.
 *
 * strcoll and strxfrm are those of the C locale.
 */
#include "runtime.h"
#include <string.h>

int strcmp(const char *left, const char *right) {
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (int)(uint8_t)*left - (int)(uint8_t)*right;
}

int strncmp(const char *left, const char *right, size_t bytes_max) {
    for (; bytes_max != 0; bytes_max--, left++, right++)
        if (*left == '\0' || *left != *right)
            return (int)(uint8_t)*left - (int)(uint8_t)*right;
    return 0;
}

int strcoll(const char *left, const char *right) {
    return strcmp(left, right);
}

size_t strxfrm(char *to, const char *from, size_t bytes_max) {
    const size_t length = strlen(from);
    if (length < bytes_max)
        memcpy(to, from, length + 1);
    return length;
}

char *strchr(const char *text, int wanted) {
    for (; *text != (char)wanted; text++)
        if (*text == '\0')
            return NULL;
    return (char *)text;
}

char *strchrnul(const char *text, int wanted) {
    while (*text != (char)wanted && *text != '\0')
        text++;
    return (char *)text;
}

char *strrchr(const char *text, int wanted) {
    const char *found = NULL;
    do
        if (*text == (char)wanted)
            found = text;
    while (*text++ != '\0');
    return (char *)found;
}

char *strstr(const char *text, const char *wanted) {
    const size_t length = strlen(wanted);
    if (length == 0)
        return (char *)text;
    for (; (text = strchr(text, *wanted)) != NULL; text++)
        if (strncmp(text, wanted, length) == 0)
            return (char *)text;
    return NULL;
}

/* Whether a byte that is not 0 is one of a set. */
static int is_one_of(char byte, const char *set) {
    return byte != '\0' && strchr(set, byte) != NULL;
}

size_t strspn(const char *text, const char *set) {
    size_t length = 0;
    while (is_one_of(text[length], set))
        length++;
    return length;
}

size_t strcspn(const char *text, const char *set) {
    size_t length = 0;
    while (text[length] != '\0' && !is_one_of(text[length], set))
        length++;
    return length;
}

char *strpbrk(const char *text, const char *set) {
    text += strcspn(text, set);
    return *text == '\0' ? NULL : (char *)text;
}

char *strcpy(char *restrict to, const char *restrict from) {
    return memcpy(to, from, strlen(from) + 1);
}

char *stpcpy(char *restrict to, const char *restrict from) {
    const size_t length = strlen(from);
    memcpy(to, from, length + 1);
    return to + length;
}

char *strncpy(char *restrict to, const char *restrict from, size_t bytes) {
    const size_t length = strnlen(from, bytes);
    memcpy(to, from, length);
    memset(to + length, 0, bytes - length);
    return to;
}

char *strcat(char *restrict to, const char *restrict from) {
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t bytes_max) {
    char *end = to + strlen(to);
    const size_t length = strnlen(from, bytes_max);
    memcpy(end, from, length);
    end[length] = '\0';
    return to;
}

char *strtok_r(char *restrict text, const char *restrict separators, char **restrict rest) {
    char *token = text != NULL ? text : *rest;
    token += strspn(token, separators);
    if (*token == '\0') {
        *rest = token;
        return NULL;
    }
    char *end = token + strcspn(token, separators);
    *rest = end;
    if (*end != '\0') {
        *end = '\0';
        *rest = end + 1;
    }
    return token;
}
