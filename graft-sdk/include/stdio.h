/*
 * <stdio.h> of the graft runtime: text into memory. A graft has no files.
 */
#ifndef VINO_STDIO_H
#define VINO_STDIO_H

#include <stdarg.h>

#include "vino/begin.h"

#define VINO_FORMAT(where) __attribute__((format(printf, where, (where) + 1)))
int snprintf(char *VINO_RESTRICT to, size_t room, const char *VINO_RESTRICT format, ...)
    VINO_FORMAT(3);
int sprintf(char *VINO_RESTRICT to, const char *VINO_RESTRICT format, ...) VINO_FORMAT(2);
#undef VINO_FORMAT
int vsnprintf(char *VINO_RESTRICT to, size_t room, const char *VINO_RESTRICT format,
              va_list arguments);
int vsprintf(char *VINO_RESTRICT to, const char *VINO_RESTRICT format, va_list arguments);

#include "vino/end.h"

#endif
