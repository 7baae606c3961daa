/*
 * What a graft written in C includes: the kernel's graftable interface.
 *
 * Compile with -I graft-sdk/include; see REFERENCE.md beside the interface headers for every
 * graft point and every function a graft may call. `class::function` there is `class__function`
 * here, with the object as first argument; a `vas_o *` is an `as_o *` after a cast.
 */
#ifndef VINO_GRAFT_SUPPORT_C
#define VINO_GRAFT_SUPPORT_C

#ifdef __cplusplus
#error "graft-support.h is for C: include graft-support.H in C++"
#endif
#if !defined(__x86_64__) || !defined(__LP64__)
#error "grafts are x86-64 code: compile with -m64 on or for x86-64"
#endif

#include "vino/types.h"

/* An address, virtual or physical, in bytes. */
typedef uint64_t vm_offset_t;

#include "vino/vm.h"

/* The structures below overlay kernel memory, so their layout is the kernel's. */
#define VINO_LAYOUT(type, member, where) \
    typedef char vino_layout_##type##_##member \
        [__builtin_offsetof(struct type, member) == (where) ? 1 : -1]

struct link_o {
    uint32_t next;
    uint32_t prev;
};
VINO_LAYOUT(link_o, next, VINO_PAGE_VIEW_ENTRY_NEXT);
VINO_LAYOUT(link_o, prev, VINO_PAGE_VIEW_ENTRY_PREV);

struct coremap_entry_o {
    link_o statelink;
    uint64_t page_number;
    uint32_t frame;
    uint32_t generation;
    uint32_t state;
    uint32_t reserved;
};
VINO_LAYOUT(coremap_entry_o, statelink, VINO_PAGE_VIEW_ENTRY_NEXT);
VINO_LAYOUT(coremap_entry_o, page_number, VINO_PAGE_VIEW_ENTRY_VPN);
VINO_LAYOUT(coremap_entry_o, frame, VINO_PAGE_VIEW_ENTRY_FRAME);
VINO_LAYOUT(coremap_entry_o, generation, VINO_PAGE_VIEW_ENTRY_GENERATION);
VINO_LAYOUT(coremap_entry_o, state, VINO_PAGE_VIEW_ENTRY_STATE);
VINO_LAYOUT(coremap_entry_o, reserved, VINO_PAGE_VIEW_ENTRY_RESERVED);
typedef char vino_layout_coremap_entry_o
    [sizeof(struct coremap_entry_o) == VINO_PAGE_VIEW_ENTRY_BYTES ? 1 : -1];

struct list_o {
    uint32_t first_link;
    uint32_t last_link;
    uint32_t n_links;
};
VINO_LAYOUT(list_o, first_link, VINO_PAGE_VIEW_HEADER_FIRST);
VINO_LAYOUT(list_o, last_link, VINO_PAGE_VIEW_HEADER_LAST);
VINO_LAYOUT(list_o, n_links, VINO_PAGE_VIEW_HEADER_COUNT);

struct vas_o {
    list_o evictable;
    uint32_t inactive;
    uint32_t vas_id;
    uint32_t n_slots;
};
VINO_LAYOUT(vas_o, evictable, VINO_PAGE_VIEW_HEADER_FIRST);
VINO_LAYOUT(vas_o, inactive, VINO_PAGE_VIEW_HEADER_INACTIVE_COUNT);
VINO_LAYOUT(vas_o, vas_id, VINO_PAGE_VIEW_HEADER_VAS);
VINO_LAYOUT(vas_o, n_slots, VINO_PAGE_VIEW_HEADER_SLOTS);
typedef char vino_layout_vas_o[sizeof(struct vas_o) <= VINO_PAGE_VIEW_HEADER_BYTES ? 1 : -1];
#undef VINO_LAYOUT

/* The object at an offset of the sandbox that also holds `inside`; offset 0 is no object. */
static inline void *vino_object_at(const void *inside, uint32_t offset) {
    const uintptr_t base = (uintptr_t)inside & ~(uintptr_t)0xffffffffu;
    return offset == 0 ? NULL : (void *)(base | offset);
}

/* Lists. A link and the object it links have one address. */
static inline coremap_entry_o *link_o__get_data(link_o *self) {
    return (coremap_entry_o *)(void *)self;
}
static inline link_o *link_o__get_next(const link_o *self) {
    return (link_o *)vino_object_at(self, self->next);
}
static inline link_o *link_o__get_prev(const link_o *self) {
    return (link_o *)vino_object_at(self, self->prev);
}
static inline link_o *list_o__first(const list_o *self) {
    return (link_o *)vino_object_at(self, self->first_link);
}
static inline link_o *list_o__last(const list_o *self) {
    return (link_o *)vino_object_at(self, self->last_link);
}
static inline uint32_t list_o__size(const list_o *self) {
    return self->n_links;
}

/*
 * Sets `found` and answers SUCCESS if `data` is in the list, else answers ENOTFOUND.
 * Takes constant time: a listed object is its neighbour's neighbour.
 */
static inline status_t list_o__find(const list_o *self, coremap_entry_o *data, link_o **found) {
    link_o *link = (link_o *)(void *)data;
    if (link == NULL)
        return ENOTFOUND;
    link_o *before = link_o__get_prev(link);
    if ((before == NULL ? list_o__first(self) : link_o__get_next(before)) != link)
        return ENOTFOUND;
    *found = link;
    return SUCCESS;
}

/* Pages. */
static inline uint64_t coremap_entry_o__vpn(const coremap_entry_o *self) {
    return self->page_number;
}
static inline int coremap_entry_o__is_referenced(const coremap_entry_o *self) {
    return (self->state & VINO_PAGE_VIEW_STATE_REFERENCED) != 0;
}
static inline int coremap_entry_o__is_modified(const coremap_entry_o *self) {
    return (self->state & VINO_PAGE_VIEW_STATE_MODIFIED) != 0;
}

/* Address spaces. */
static inline uint32_t vas_o__id(const vas_o *self) {
    return self->vas_id;
}
static inline uint32_t vas_o__size(const vas_o *self) {
    return self->evictable.n_links;
}
static inline uint32_t vas_o__n_inactive(const vas_o *self) {
    return self->inactive;
}

/*
 * The graft-callable functions that the page view answers. C99 makes these inline definitions:
 * where the compiler does not inline one, it calls the kernel's function of the same name.
 */
inline vm_offset_t coremap_entry_o__get_pa(coremap_entry_o *self) {
    return (vm_offset_t)self->frame * VINO_PAGE_BYTES;
}
inline page_state_t coremap_entry_o__get_pagestate(coremap_entry_o *self) {
    return (page_state_t)(self->state & VINO_PAGE_VIEW_STATE_MASK);
}
inline link_o *coremap_entry_o__get_statelink(coremap_entry_o *self) {
    return &self->statelink;
}

#endif
