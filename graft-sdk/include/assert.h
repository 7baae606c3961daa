/*
 * <assert.h> of the graft runtime: a failed assertion ends the invocation, and its text is in the
 * registers that the fault reports.
 */
#include "vino/begin.h"

VINO_NORETURN void __assert_fail(const char *condition, const char *file, unsigned line,
                                 const char *function);

#include "vino/end.h"

/* Included again, it follows NDEBUG again. */
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) \
    ((condition) ? (void)0 : __assert_fail(#condition, __FILE__, __LINE__, __func__))
#endif
#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif
