/*
 * A larger body of code: what the verifier and the loader are timed on.
 *
 * An interpreter, a tokeniser, a compressor, a search tree, long arithmetic, linear equations, a
 * formatter with variable arguments and a checksum: the mix of instructions that programs have.
 * A translation unit includes this file once for each copy that it wants of all of it, and names
 * the copy COPY.
 */
#ifndef PART

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name##_, COPY)
/* Copies are alike; the compiler must neither merge nor drop them. */
#define PART static __attribute__((noinline, used, no_icf))

struct node {
    struct node *left, *right;
    uint64_t key;
    uint32_t priority, count;
};

struct machine {
    int64_t stack[64];
    uint32_t top, steps;
};

enum { PUSH, ADD, SUB, MUL, DIV, DUP, SWAP, JUMP_IF, LESS, AND, XOR, SHIFT, HALT };

#endif

/* Runs byte code until it halts, runs out of steps, or does something that makes no sense. */
PART int64_t NAME(interpret)(struct machine *m, const uint8_t *code, uint32_t length)
{
    for (uint32_t at = 0; at < length && m->steps != 0; m->steps--) {
        int64_t *top = &m->stack[m->top];

        switch (code[at++] % (HALT + 1)) {
        case PUSH:
            if (m->top == 63 || at == length)
                return -1;
            top[1] = (int8_t)code[at++];
            m->top++;
            break;
        case ADD: top[-1] += top[0]; m->top--; break;
        case SUB: top[-1] -= top[0]; m->top--; break;
        case MUL: top[-1] *= top[0]; m->top--; break;
        case DIV:
            if (top[0] == 0 || top[0] == -1)
                return -2;
            top[-1] /= top[0];
            m->top--;
            break;
        case DUP:
            if (m->top == 63)
                return -1;
            top[1] = top[0];
            m->top++;
            break;
        case SWAP: {
            int64_t held = top[0];

            top[0] = top[-1];
            top[-1] = held;
            break;
        }
        case JUMP_IF:
            if (top[0] != 0 && at < length)
                at = code[at] % length;
            m->top--;
            break;
        case LESS: top[-1] = top[-1] < top[0]; m->top--; break;
        case AND: top[-1] &= top[0]; m->top--; break;
        case XOR: top[-1] ^= top[0]; m->top--; break;
        case SHIFT:
            top[-1] = (int64_t)((uint64_t)top[-1] << (top[0] & 63));
            m->top--;
            break;
        default:
            return m->stack[m->top];
        }
        if (m->top < 2 || m->top > 63)
            m->top = 2;
    }
    return 0;
}

/* Counts the tokens of something like JSON; the sign tells how it ended. */
PART int32_t NAME(tokens)(const uint8_t *bytes, uint32_t length)
{
    int32_t count = 0, depth = 0;

    for (uint32_t at = 0; at < length;) {
        uint8_t c = bytes[at++];

        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == '"') {
            while (at < length && bytes[at] != '"')
                at += bytes[at] == '\\' ? 2 : 1;
            at++;
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            double value = c == '-' ? 0 : c - '0', scale = 1;

            while (at < length && bytes[at] >= '0' && bytes[at] <= '9')
                value = value * 10 + (bytes[at++] - '0');
            if (at < length && bytes[at] == '.')
                for (at++; at < length && bytes[at] >= '0' && bytes[at] <= '9'; at++)
                    value += (bytes[at] - '0') * (scale /= 10);
            if (value > 1e6)
                count++;
        } else if (c == 't' || c == 'f' || c == 'n') {
            at += c == 'f' ? 4 : 3;
        } else {
            continue;
        }
        count++;
    }
    return depth == 0 ? count : -count;
}

/* Compresses with a window of 4 KiB and a hash of three bytes; returns the compressed size. */
PART uint32_t NAME(compress)(uint8_t *out, const uint8_t *in, uint32_t length, uint16_t *heads)
{
    uint32_t written = 0, at = 0;

    for (uint32_t i = 0; i < 1024; i++)
        ((volatile uint16_t *)heads)[i] = 0xffff;
    while (at + 3 < length && written + 4 < length) {
        uint32_t word = in[at] | (uint32_t)in[at + 1] << 8 | (uint32_t)in[at + 2] << 16;
        uint32_t slot = (word * (2654435761u + 2 * COPY)) >> 22, from = heads[slot], match = 0;

        heads[slot] = (uint16_t)at;
        if (from < at && at - from < 4096)
            while (match < 18 && at + match < length && in[from + match] == in[at + match])
                match++;
        if (match > 3) {
            out[written++] = (uint8_t)(0x80 | (match - 3));
            out[written++] = (uint8_t)(at - from);
            out[written++] = (uint8_t)((at - from) >> 8);
            at += match;
        } else {
            out[written++] = in[at++] & 0x7f;
        }
    }
    return written;
}

PART struct node *NAME(rotate)(struct node *root, int to_right)
{
    struct node *top = to_right ? root->left : root->right;

    if (to_right) {
        root->left = top->right;
        top->right = root;
    } else {
        root->right = top->left;
        top->left = root;
    }
    return top;
}

/* Inserts into a treap (Seidel and Aragon), counting repeated keys. */
PART struct node *NAME(insert)(struct node *root, struct node *fresh)
{
    if (root == NULL)
        return fresh;
    if (fresh->key == root->key) {
        root->count++;
    } else if (fresh->key < root->key) {
        root->left = NAME(insert)(root->left, fresh);
        if (root->left->priority > root->priority)
            root = NAME(rotate)(root, 1);
    } else {
        root->right = NAME(insert)(root->right, fresh);
        if (root->right->priority > root->priority)
            root = NAME(rotate)(root, 0);
    }
    return root;
}

PART uint64_t NAME(walk)(const struct node *root, uint64_t (*visit)(const struct node *))
{
    if (root == NULL)
        return COPY;
    return NAME(walk)(root->left, visit) * 3 + visit(root) + NAME(walk)(root->right, visit);
}

PART uint64_t NAME(weight)(const struct node *node) { return node->key * node->count + COPY; }

/* Schoolbook product of two numbers of `limbs` 64-bit digits. */
PART void NAME(multiply)(uint64_t *product, const uint64_t *x, const uint64_t *y, uint32_t limbs)
{
    for (uint32_t i = 0; i < 2 * limbs; i++)
        ((volatile uint64_t *)product)[i] = 0;
    for (uint32_t i = 0; i < limbs; i++) {
        uint64_t carry = 0;

        for (uint32_t j = 0; j < limbs; j++) {
            unsigned __int128 sum = (unsigned __int128)x[i] * y[j] + product[i + j] + carry;

            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + limbs] = carry;
    }
}

/* Gaussian elimination with partial pivoting; returns the determinant. */
PART double NAME(eliminate)(double *matrix, int n)
{
    double determinant = 1;

    for (int column = 0; column < n; column++) {
        int best = column;

        for (int row = column + 1; row < n; row++)
            if (__builtin_fabs(matrix[row * n + column]) >
                __builtin_fabs(matrix[best * n + column]))
                best = row;
        if (matrix[best * n + column] == 0)
            return 0;
        for (int k = 0; best != column && k < n; k++) {
            double held = matrix[column * n + k];

            matrix[column * n + k] = matrix[best * n + k];
            matrix[best * n + k] = held;
        }
        determinant *= best == column ? matrix[column * n + column] : -matrix[column * n + column];
        for (int row = column + 1; row < n; row++) {
            double factor = matrix[row * n + column] / matrix[column * n + column];

            for (int k = column; k < n; k++)
                matrix[row * n + k] -= factor * matrix[column * n + k];
        }
    }
    return determinant;
}

/* Formats %d, %x, %c and %s; returns the length of the text. */
PART uint32_t NAME(format)(uint8_t *out, uint32_t room, const char *pattern, ...)
{
    va_list values;
    uint32_t length = 0;

    va_start(values, pattern);
    for (; *pattern != 0 && length + 24 < room; pattern++) {
        uint8_t digits[24];
        uint32_t count = 0;
        uint64_t value;

        if (*pattern != '%') {
            out[length++] = (uint8_t)*pattern;
            continue;
        }
        switch (*++pattern) {
        case 'd': {
            int64_t number = va_arg(values, int64_t);

            if (number < 0)
                out[length++] = '-';
            value = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
            do
                digits[count++] = (uint8_t)('0' + value % 10);
            while ((value /= 10) != 0);
            break;
        }
        case 'x':
            value = va_arg(values, uint64_t);
            do
                digits[count++] = (uint8_t) "0123456789abcdef"[value & 15];
            while ((value >>= 4) != 0);
            break;
        case 'c':
            digits[count++] = (uint8_t)va_arg(values, int);
            break;
        case 's':
            for (const char *s = va_arg(values, const char *); *s != 0 && length + 24 < room; s++)
                out[length++] = (uint8_t)*s;
            break;
        default:
            va_end(values);
            return length;
        }
        while (count != 0)
            out[length++] = digits[--count];
    }
    va_end(values);
    return length;
}

/* Fletcher's checksum, with its sums kept in range as late as possible. */
PART uint32_t NAME(checksum)(const uint8_t *bytes, uint32_t length)
{
    uint32_t low = 1 + COPY, high = 0;

    while (length != 0) {
        uint32_t run = length < 5552 ? length : 5552;

        length -= run;
        while (run-- != 0) {
            low += *bytes++;
            high += low;
        }
        low %= 65521;
        high %= 65521;
    }
    return high << 16 | low;
}

/* All of it over some bytes. */
uint64_t NAME(body)(uint8_t *bytes, uint32_t length)
{
    static struct node nodes[256];
    static uint8_t out[4096];
    static uint16_t heads[1024];
    static uint64_t numbers[64];
    static double matrix[64];
    struct machine machine = {.top = 2, .steps = 1000 + COPY};
    struct node *root = NULL;
    uint64_t sum = (uint64_t)NAME(interpret)(&machine, bytes, length);
    uint32_t count = length < 256 ? length : 256;

    for (uint32_t i = 0; i < count; i++) {
        nodes[i].left = nodes[i].right = NULL;
        nodes[i].key = bytes[i];
        nodes[i].priority = bytes[i] * (2246822519u + 2 * COPY);
        nodes[i].count = 1;
        root = NAME(insert)(root, &nodes[i]);
        numbers[i % 64] += bytes[i] * 0x9e3779b97f4a7c15u;
        matrix[i % 64] += bytes[i];
    }
    sum += NAME(walk)(root, NAME(weight));
    sum += (uint64_t)NAME(tokens)(bytes, length);
    sum += NAME(compress)(out, bytes, length < sizeof out ? length : sizeof out, heads);
    NAME(multiply)(numbers + 32, numbers, numbers + 16, 16);
    sum += (uint64_t)(int64_t)(NAME(eliminate)(matrix, 8) / 1e9) + numbers[40];
    sum += NAME(format)(out, sizeof out, "%d %x %s%c", (int64_t)sum, sum, "copy", 'A' + COPY);
    return sum + NAME(checksum)(out, sizeof out);
}
