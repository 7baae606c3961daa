/*
 * Would empty memory in one transaction; its logs, or the pages that may go, run out before that.
 *
 * Whatever stops it is an answer and no abort, and what went before it counts.
 */
#include "graft-support.h"

status_t pm_mgr__awake_pagedaemon(pm_mgr *self, uint32_t free_frames, uint32_t free_min,
                                  uint32_t *awake) {
    uint32_t free_then;
    status_t status = SUCCESS;
    (void)free_min;
    *awake = 0;
    if (free_frames > 0)
        return SUCCESS;
    for (uint32_t calls = 0; calls < 100 && status == SUCCESS; calls++)
        status = pm_mgr__pageout(self, 16, &free_then);
    return status == ENOSPC || status == ENOTFOUND ? SUCCESS : 101;
}
