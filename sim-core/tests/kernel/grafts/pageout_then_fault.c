/* Has pages evicted, asks what is left to answer, and faults before it can commit. */
#include "graft-support.h"

static uint32_t *volatile nowhere;

status_t pm_mgr__awake_pagedaemon(pm_mgr *self, uint32_t free_frames, uint32_t free_min,
                                  uint32_t *awake) {
    uint32_t free_then;
    (void)free_min;
    *awake = 0;
    if (free_frames > 0)
        return SUCCESS;
    pm_mgr__pageout(self, 3, &free_then);
    pm_mgr__pageout(self, 5, &free_then);
    *nowhere = free_then;
    return SUCCESS;
}
