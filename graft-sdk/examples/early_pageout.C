// A pageout daemon that starts early and works longer when memory is taken fast.
//
// One object, two graft points, and state that they share: whoever replaces a policy often
// replaces several functions over one data structure.
#include "graft-support.H"

// How many free frames, in percent of the kernel's own figure, the daemon defends at most.
static const uint32_t PERCENT_MAX = 200;

static uint32_t last_free_frames;
static uint32_t percent = 100;

status_t pm_mgr::awake_pagedaemon(uint32_t free_frames, uint32_t free_min, uint32_t *awake) {
    // Free frames fell since the last question: demand is high, so keep more of them.
    if (free_frames < last_free_frames)
        percent = percent + 10 > PERCENT_MAX ? PERCENT_MAX : percent + 10;
    else if (percent > 100)
        percent--;
    last_free_frames = free_frames;
    *awake = (uint64_t)free_frames * 100 < (uint64_t)free_min * percent;
    return SUCCESS;
}

status_t pm_mgr::stop_pageout(uint32_t free_frames, uint32_t free_target, uint32_t *stop) {
    *stop = (uint64_t)free_frames * 100 >= (uint64_t)free_target * percent;
    return SUCCESS;
}
