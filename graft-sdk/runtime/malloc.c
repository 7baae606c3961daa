/*
 * malloc, calloc, realloc, aligned_alloc and free, over the pages of vino_heap_grow.
 *
 * Good fit in constant time: free blocks hang in lists by size, sixteen lists to a power of two,
 * and bitmaps find the first list that has one (Masmano et al., "TLSF", ECRTS 2004). Each block is
 * preceded by eight bytes: its size with two flags, and the size of the block before it, by which
 * neighbours that are free become one at once. Blocks lie in regions that end with a block of size
 * 0 which is never free; growth that is contiguous extends the last region.
 *
 * What is no live block of this heap, freed twice, or overrun by its neighbour, traps: the header
 * must say "used", and the neighbours must agree about the sizes.
 */
#include "runtime.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vino/heap.h>

/* Blocks are multiples of so many bytes, and so aligned behind their headers. */
#define ALIGN_BYTES 16u
/* Bytes of a header. */
#define HEADER_BYTES 8u
/* Bytes of the smallest block: a header, two links, and room for the next header's alignment. */
#define BLOCK_BYTES_MIN 32u
/* Bytes of the largest block: more than a sandbox's heap has. */
#define BLOCK_BYTES_MAX 0x7fffff00u
/* The least by which the heap grows while the limit allows it, in bytes. */
#define GROWTH_BYTES 65536u
/* Sixteen lists to a power of two. */
#define LISTS_LOG 4u
#define LISTS (1u << LISTS_LOG)
/* Powers of two, from that of 16 * LISTS bytes on; all that is smaller shares the first. */
#define CLASSES 24u
/* The class of blocks below LISTS * ALIGN_BYTES is linear. */
#define LINEAR_LOG 8u

/* Flags in the low bits of a size. */
#define USED 1u
#define SIZE_MASK (~(ALIGN_BYTES - 1u))

struct block {
    /* Bytes from this header to the next, and USED. */
    uint32_t size_and_flags;
    /* Bytes of the block before it, 0 at the start of a region. */
    uint32_t size_before;
    /* The list it is in, while it is free; otherwise the owner's bytes begin here. */
    struct block *next;
    struct block *prev;
};

static struct block *lists[CLASSES][LISTS];
/* A bit for each class that has a block, and for each list of a class. */
static uint32_t classes_with_blocks;
static uint32_t lists_with_blocks[CLASSES];
/* The block of size 0 at the end of the newest region. */
static struct block *last_end;

static uint32_t size_of(const struct block *block) {
    return block->size_and_flags & SIZE_MASK;
}

static struct block *block_at(const struct block *block, intptr_t offset) {
    return (struct block *)((uintptr_t)block + (uintptr_t)offset);
}

static struct block *block_after(const struct block *block) {
    return block_at(block, size_of(block));
}

static void *bytes_of(struct block *block) {
    return (uint8_t *)block + HEADER_BYTES;
}

/* The list for blocks of a size. */
static void list_of(uint32_t size, unsigned *class, unsigned *list) {
    if (size < 1u << LINEAR_LOG) {
        *class = 0;
        *list = size / ALIGN_BYTES;
        return;
    }
    const unsigned log = 31 - (unsigned)__builtin_clz(size);
    *class = log - LINEAR_LOG + 1;
    *list = (size >> (log - LISTS_LOG)) & (LISTS - 1);
}

static void insert_free(struct block *block) {
    unsigned class, list;
    list_of(size_of(block), &class, &list);
    block->prev = NULL;
    block->next = lists[class][list];
    if (block->next != NULL)
        block->next->prev = block;
    lists[class][list] = block;
    lists_with_blocks[class] |= 1u << list;
    classes_with_blocks |= 1u << class;
}

static void remove_free(struct block *block) {
    unsigned class, list;
    list_of(size_of(block), &class, &list);
    if (block->next != NULL)
        block->next->prev = block->prev;
    if (block->prev != NULL) {
        block->prev->next = block->next;
        return;
    }
    lists[class][list] = block->next;
    if (block->next == NULL) {
        lists_with_blocks[class] &= ~(1u << list);
        if (lists_with_blocks[class] == 0)
            classes_with_blocks &= ~(1u << class);
    }
}

/* The least size from which on a list holds blocks of at least `size` only. */
static uint32_t list_size(uint32_t size) {
    if (size < 1u << LINEAR_LOG)
        return size;
    const unsigned log = 31 - (unsigned)__builtin_clz(size);
    const uint32_t step = 1u << (log - LISTS_LOG);
    return (size + step - 1) & ~(step - 1);
}

/* A free block of at least that size, still in its list; NULL if there is none. */
static struct block *find_free(uint32_t size) {
    unsigned class, list;
    list_of(list_size(size), &class, &list);
    uint32_t fitting = lists_with_blocks[class] & (~0u << list);
    if (fitting == 0) {
        const uint32_t larger = classes_with_blocks & (~0u << class << 1);
        if (larger == 0)
            return NULL;
        class = (unsigned)__builtin_ctz(larger);
        fitting = lists_with_blocks[class];
    }
    return lists[class][__builtin_ctz(fitting)];
}

/* Gives a block its size and tells the block after it. */
static void set_size(struct block *block, uint32_t size, uint32_t flags) {
    block->size_and_flags = size | flags;
    block_after(block)->size_before = size;
}

/* Cuts a used block down to a size; what is left over becomes free. */
static void give_back_tail(struct block *block, uint32_t size) {
    const uint32_t left = size_of(block) - size;
    if (left < BLOCK_BYTES_MIN)
        return;
    struct block *tail = block_at(block, size);
    struct block *after = block_after(block);
    uint32_t tail_size = left;
    if ((after->size_and_flags & USED) == 0) {
        remove_free(after);
        tail_size += size_of(after);
    }
    set_size(block, size, USED);
    set_size(tail, tail_size, 0);
    insert_free(tail);
}

/* Makes a block free, one with its free neighbours. */
static void release(struct block *block) {
    uint32_t size = size_of(block);
    struct block *after = block_after(block);
    if ((after->size_and_flags & USED) == 0) {
        remove_free(after);
        size += size_of(after);
    }
    if (block->size_before != 0) {
        struct block *before = block_at(block, -(intptr_t)block->size_before);
        if ((before->size_and_flags & USED) == 0) {
            remove_free(before);
            /* The header inside the larger block must not pass for a live one. */
            block->size_and_flags = 0;
            size += size_of(before);
            block = before;
        }
    }
    set_size(block, size, 0);
    insert_free(block);
}

/* Gets pages that hold a block of at least that size, and makes it free. */
static int grow(uint32_t size) {
    /* A new region also needs its first header's alignment and its end. */
    const uint32_t needed = size + 2 * ALIGN_BYTES;
    uint32_t bytes = needed < GROWTH_BYTES ? GROWTH_BYTES : needed;
    bytes = (bytes + VINO_HEAP_PAGE_BYTES - 1) & ~(VINO_HEAP_PAGE_BYTES - 1);
    void *start = vino_heap_grow(bytes);
    if (start == NULL) {
        /* Close to the limit: exactly what is needed, rounded to pages. */
        bytes = (needed + VINO_HEAP_PAGE_BYTES - 1) & ~(VINO_HEAP_PAGE_BYTES - 1);
        start = vino_heap_grow(bytes);
        if (start == NULL)
            return 0;
    }
    struct block *block;
    struct block *end = block_at(start, bytes - HEADER_BYTES);
    if (last_end != NULL && (uint8_t *)last_end + HEADER_BYTES == (uint8_t *)start) {
        /* The old end becomes the header of the new pages. */
        block = last_end;
    } else {
        /* A header ends where an aligned block's bytes begin. */
        block = block_at(start, HEADER_BYTES);
        block->size_before = 0;
    }
    end->size_and_flags = USED;
    last_end = end;
    block->size_and_flags = (uint32_t)((uintptr_t)end - (uintptr_t)block) | USED;
    end->size_before = size_of(block);
    release(block);
    return 1;
}

/* The size of the block that holds so many of the owner's bytes, 0 if there can be none. */
static uint32_t block_size(size_t bytes) {
    if (bytes > BLOCK_BYTES_MAX - HEADER_BYTES - ALIGN_BYTES)
        return 0;
    const uint32_t size = ((uint32_t)bytes + HEADER_BYTES + ALIGN_BYTES - 1) & SIZE_MASK;
    return size < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : size;
}

static void *allocate(uint32_t size) {
    struct block *block = size == 0 ? NULL : find_free(size);
    if (block == NULL && size != 0 && grow(list_size(size)))
        block = find_free(size);
    if (block == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    remove_free(block);
    block->size_and_flags |= USED;
    give_back_tail(block, size);
    return bytes_of(block);
}

/* The block whose bytes the owner names; traps if it is no live one. */
static struct block *live_block(void *bytes) {
    struct block *block = block_at(bytes, -(intptr_t)HEADER_BYTES);
    if (((uintptr_t)bytes & (ALIGN_BYTES - 1)) != 0 || (block->size_and_flags & USED) == 0 ||
        size_of(block) < BLOCK_BYTES_MIN || block_after(block)->size_before != size_of(block))
        __builtin_trap();
    return block;
}

void *malloc(size_t bytes) {
    return allocate(block_size(bytes));
}

void free(void *bytes) {
    if (bytes != NULL)
        release(live_block(bytes));
}

void *calloc(size_t count, size_t bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *zeroed = malloc(total);
    if (zeroed != NULL)
        memset(zeroed, 0, total);
    return zeroed;
}

void *realloc(void *bytes, size_t new_bytes) {
    if (bytes == NULL)
        return malloc(new_bytes);
    struct block *block = live_block(bytes);
    const uint32_t size = block_size(new_bytes);
    if (size == 0) {
        errno = ENOMEM;
        return NULL;
    }
    struct block *after = block_after(block);
    if (size > size_of(block) && (after->size_and_flags & USED) == 0 &&
        size <= size_of(block) + size_of(after)) {
        remove_free(after);
        set_size(block, size_of(block) + size_of(after), USED);
    }
    if (size <= size_of(block)) {
        give_back_tail(block, size);
        return bytes;
    }
    void *moved = malloc(new_bytes);
    if (moved != NULL) {
        memcpy(moved, bytes, size_of(block) - HEADER_BYTES);
        release(block);
    }
    return moved;
}

void *aligned_alloc(size_t align, size_t bytes) {
    if (align == 0 || (align & (align - 1)) != 0 || align > BLOCK_BYTES_MAX / 4) {
        errno = EINVAL;
        return NULL;
    }
    if (align <= ALIGN_BYTES)
        return malloc(bytes);
    const uint32_t size = block_size(bytes);
    if (size == 0 || size > BLOCK_BYTES_MAX - align - BLOCK_BYTES_MIN) {
        errno = ENOMEM;
        return NULL;
    }
    uint8_t *start = allocate(size + (uint32_t)align + BLOCK_BYTES_MIN);
    if (start == NULL)
        return NULL;
    struct block *block = live_block(start);
    if (((uintptr_t)start & (align - 1)) != 0) {
        /* The front becomes a free block of its own, so it must be large enough for one. */
        uint8_t *aligned = start + BLOCK_BYTES_MIN + align - 1;
        aligned -= (uintptr_t)aligned & (align - 1);
        const uint32_t front = (uint32_t)(aligned - start);
        const uint32_t rest = size_of(block) - front;
        struct block *back = block_at(block, front);
        set_size(back, rest, USED);
        set_size(block, front, USED);
        release(block);
        block = back;
    }
    give_back_tail(block, size);
    return bytes_of(block);
}

int posix_memalign(void **memory, size_t align, size_t bytes) {
    void *aligned = aligned_alloc(align, bytes);
    if (aligned == NULL)
        return errno;
    *memory = aligned;
    return 0;
}

size_t malloc_usable_size(void *bytes) {
    return bytes == NULL ? 0 : size_of(live_block(bytes)) - HEADER_BYTES;
}
