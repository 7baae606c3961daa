/*
 * Memory that a graft asks its host for.
 *
 * The runtime's malloc stands on this one function; a graft with an allocator of its own may call
 * it directly. It is an import: the host that runs the graft provides it and sets the limit.
 */
#ifndef VINO_HEAP_H
#define VINO_HEAP_H

#include <stddef.h>

/* The unit of growth, in bytes. */
#define VINO_HEAP_PAGE_BYTES 4096u

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Adds whole pages to the end of the heap, at least `bytes`; they are zero. Returns the first new
 * byte, which follows the last of the growth before, or NULL if the limit would be passed.
 */
void *vino_heap_grow(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
