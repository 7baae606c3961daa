/* Would have the pageout daemon work for ever. */
#include "graft-support.h"

status_t pm_mgr__stop_pageout(pm_mgr *self, uint32_t free_frames, uint32_t free_target,
                              uint32_t *stop) {
    (void)self;
    (void)free_frames;
    (void)free_target;
    *stop = 0;
    return SUCCESS;
}
