/* What a filter is. */
#ifndef FILTER_H
#define FILTER_H

#include <stdint.h>

#define FILTER_DONE 0
#define FILTER_NO_MEMORY 1

/* Makes a picture of another: rows from the top, pixels from the left, a byte for each channel. */
int32_t filter(const uint8_t *in, uint8_t *out, uint32_t width, uint32_t height,
               uint32_t channels);

#endif
