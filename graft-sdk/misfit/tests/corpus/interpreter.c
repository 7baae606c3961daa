/* A byte-code interpreter with computed goto: indirect jumps, through memory and registers. */
#include "runtime.h"

enum { PUSH, ADD, MUL, SUB, DUP, SWAP, JUMP_NZ, DEC, XOR, HALT };

static NOINLINE u64 interpret(const u8 *code, u64 a, u64 b, u64 c, u64 d)
{
    static const void *const table[] = {&&push, &&add, &&mul,    &&sub, &&dup,
                                        &&swap, &&jump, &&dec,   &&xor, &&halt};
    u64 stack[32], top = a, steps = 0;
    u64 *sp = stack;
    const u8 *pc = code;
#define NEXT() do { steps += b ^ c; c += d; goto *table[*pc++]; } while (0)
    NEXT();
push:
    *sp++ = top; top = *pc++; NEXT();
add:
    top += *--sp; NEXT();
mul:
    top *= *--sp; NEXT();
sub:
    top = *--sp - top; NEXT();
dup:
    *sp++ = top; NEXT();
swap: {
    u64 other = sp[-1]; sp[-1] = top; top = other; NEXT();
}
jump:
    if (top != 0) pc = code + *pc; else pc++;
    NEXT();
dec:
    top--; NEXT();
xor:
    top ^= steps; NEXT();
halt:
    return mix(top, mix(steps, a + b + c + d + sp[-1]));
}

/* Label differences instead of addresses. */
static NOINLINE int relative(int which, int value)
{
    static const int offsets[] = {&&one - &&one, &&two - &&one, &&three - &&one};
    goto *(&&one + offsets[which]);
one:
    value += 1;
two:
    value *= 3;
three:
    return value ^ 5;
}

u64 corpus_run(u64 seed)
{
    static const u8 code[] = {PUSH, 7, PUSH, 200, DEC,  SWAP, DUP, MUL, XOR,  PUSH, 3,
                              ADD,  SWAP, JUMP_NZ, 4, PUSH, 9,   SUB, HALT};
    u64 sum = 0;
    for (int i = 0; i < 50; i++) {
        u64 a = next_random(&seed);
        sum = mix(sum, interpret(code, a, (u64)i, a >> 7, sum));
        sum = mix(sum, (u64)relative(i % 3, i));
    }
    return sum;
}
