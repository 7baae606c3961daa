/*
 * <setjmp.h> of the graft runtime.
 */
#ifndef VINO_SETJMP_H
#define VINO_SETJMP_H

#include "vino/begin.h"

/* Six registers, the stack pointer and the place of return. */
typedef unsigned long jmp_buf[8];

int setjmp(jmp_buf buffer) __attribute__((returns_twice));
VINO_NORETURN void longjmp(jmp_buf buffer, int value);

#include "vino/end.h"

#endif
