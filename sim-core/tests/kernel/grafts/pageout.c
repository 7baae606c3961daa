/*
 * A daemon of its own: when frames run short, it has pages evicted before it answers.
 *
 * A check that fails returns its number, which is no status and says so in the log.
 */
#include "graft-support.h"

#define PAGES 3

status_t pm_mgr__awake_pagedaemon(pm_mgr *self, uint32_t free_frames, uint32_t free_min,
                                  uint32_t *awake) {
    uint32_t free_then = 0;
    (void)free_min;
    *awake = 0;
    if (free_frames > 0)
        return SUCCESS;
    if (pm_mgr__pageout(self, 17, &free_then) != EINVAL)
        return 101;
    if (pm_mgr__pageout((pm_mgr *)((char *)self + 64), 1, &free_then) != EPERM)
        return 102;
    if (pm_mgr__pageout(self, 1, (uint32_t *)self) != EINVAL)
        return 103;
    for (uint32_t n = 1; n <= PAGES; n++) {
        if (pm_mgr__pageout(self, 1, &free_then) != SUCCESS)
            return 104;
        /* They have not lost their frames, but for the caller they are gone. */
        if (free_then != free_frames + n)
            return 105;
    }
    return SUCCESS;
}
