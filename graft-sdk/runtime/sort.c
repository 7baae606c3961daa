/*
 * qsort and bsearch.
 *
 * qsort is an introsort: quicksort by the median of three, heapsort where that goes too deep, and
 * insertion sort for short ranges. It compares O(n log n) times whatever the input, and allocates
 * nothing. Equal elements may change places.
 */
#include "runtime.h"
#include <stdlib.h>

/* Ranges of at most so many elements are sorted by insertion. */
#define INSERTION_ELEMENTS_MAX 12

typedef int compare_function(const void *, const void *);

struct order {
    size_t bytes;
    compare_function *compare;
};

static void swap(uint8_t *a, uint8_t *b, size_t bytes) {
    for (; bytes >= 8; bytes -= 8, a += 8, b += 8) {
        const uint64_t kept = *(word64 *)a;
        *(word64 *)a = *(word64 *)b;
        *(word64 *)b = kept;
    }
    for (; bytes != 0; bytes--, a++, b++) {
        const uint8_t kept = *a;
        *a = *b;
        *b = kept;
    }
}

static void insertion_sort(uint8_t *first, size_t count, const struct order *order) {
    for (size_t sorted = 1; sorted < count; sorted++)
        for (uint8_t *at = first + sorted * order->bytes;
             at != first && order->compare(at - order->bytes, at) > 0; at -= order->bytes)
            swap(at - order->bytes, at, order->bytes);
}

static void sift_down(uint8_t *first, size_t root, size_t count, const struct order *order) {
    const size_t bytes = order->bytes;
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count &&
            order->compare(first + child * bytes, first + (child + 1) * bytes) < 0)
            child++;
        if (order->compare(first + root * bytes, first + child * bytes) >= 0)
            return;
        swap(first + root * bytes, first + child * bytes, bytes);
    }
}

static void heap_sort(uint8_t *first, size_t count, const struct order *order) {
    for (size_t root = count / 2; root-- != 0;)
        sift_down(first, root, count, order);
    while (count > 1) {
        count--;
        swap(first, first + count * order->bytes, order->bytes);
        sift_down(first, 0, count, order);
    }
}

/* Moves the median of the first, middle and last element to the front, as the pivot. */
static void choose_pivot(uint8_t *first, size_t count, const struct order *order) {
    uint8_t *middle = first + count / 2 * order->bytes;
    uint8_t *last = first + (count - 1) * order->bytes;
    if (order->compare(middle, last) > 0)
        swap(middle, last, order->bytes);
    /* Now the middle is the smaller of the two, and the median is the larger of it and first. */
    if (order->compare(first, last) > 0)
        swap(first, last, order->bytes);
    else if (order->compare(first, middle) < 0)
        swap(first, middle, order->bytes);
}

/* Splits around the pivot in front; returns the index where it ends up. */
static size_t partition(uint8_t *first, size_t count, const struct order *order) {
    const size_t bytes = order->bytes;
    size_t low = 0, high = count;
    for (;;) {
        do
            low++;
        while (low < count && order->compare(first + low * bytes, first) < 0);
        do
            high--;
        while (order->compare(first + high * bytes, first) > 0);
        if (low >= high)
            break;
        swap(first + low * bytes, first + high * bytes, bytes);
    }
    swap(first, first + high * bytes, bytes);
    return high;
}

/* Recurses into the smaller part only, so that the stack grows by the logarithm. */
static void intro_sort(uint8_t *first, size_t count, unsigned depth_left,
                       const struct order *order) {
    while (count > INSERTION_ELEMENTS_MAX) {
        if (depth_left-- == 0) {
            heap_sort(first, count, order);
            return;
        }
        choose_pivot(first, count, order);
        const size_t pivot = partition(first, count, order);
        uint8_t *above = first + (pivot + 1) * order->bytes;
        const size_t n_above = count - pivot - 1;
        if (pivot < n_above) {
            intro_sort(first, pivot, depth_left, order);
            first = above;
            count = n_above;
        } else {
            intro_sort(above, n_above, depth_left, order);
            count = pivot;
        }
    }
    insertion_sort(first, count, order);
}

void qsort(void *first, size_t count, size_t bytes, compare_function *compare) {
    const struct order order = {bytes, compare};
    if (count < 2 || bytes == 0)
        return;
    const unsigned log = 63 - (unsigned)__builtin_clzll(count);
    intro_sort(first, count, 2 * log, &order);
}

void *bsearch(const void *wanted, const void *first, size_t count, size_t bytes,
              compare_function *compare) {
    const uint8_t *low = first;
    while (count != 0) {
        const uint8_t *middle = low + count / 2 * bytes;
        const int order = compare(wanted, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + bytes;
            count = (count - 1) / 2;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
