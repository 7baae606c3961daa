/* A 5 x 5 binomial blur, as its author would write it for any program. */
#include "filter.h"

#include <stddef.h>
#include <stdlib.h>

#define TAPS 5
#define HALF (TAPS / 2)

static const uint32_t WEIGHTS[TAPS] = {1, 4, 6, 4, 1};

static uint32_t clamped(int64_t at, uint32_t end)
{
    return at < 0 ? 0 : at >= end ? end - 1 : (uint32_t)at;
}

/* Blurs one row, with its first and last pixel repeated over the edges. */
static void blur_row(const uint8_t *in, uint16_t *restrict out, uint32_t width, uint32_t channels)
{
    uint32_t inner_start = width > 2 * HALF ? HALF : width;
    uint32_t inner_end = width > 2 * HALF ? width - HALF : width;

    for (uint32_t x = 0; x < width; x++) {
        if (x == inner_start)
            x = inner_end;
        for (uint32_t c = 0; c < channels; c++) {
            uint32_t sum = 0;

            for (int tap = 0; tap < TAPS; tap++)
                sum += WEIGHTS[tap] * in[clamped((int64_t)x + tap - HALF, width) * channels + c];
            out[x * channels + c] = (uint16_t)sum;
        }
    }
    for (uint32_t i = inner_start * channels; i < inner_end * channels; i++)
        out[i] = (uint16_t)(in[i - 2 * channels] + 4 * in[i - channels] + 6 * in[i] +
                            4 * in[i + channels] + in[i + 2 * channels]);
}

int32_t filter(const uint8_t *in, uint8_t *out, uint32_t width, uint32_t height, uint32_t channels)
{
    size_t row = (size_t)width * channels;
    uint16_t *rows = malloc(TAPS * row * sizeof *rows);

    if (rows == NULL)
        return FILTER_NO_MEMORY;
    for (uint32_t y = 0; y < height; y++) {
        const uint16_t *taps[TAPS];

        /* The rows around this one; of those the last alone is new, but for the first time. */
        for (int tap = y == 0 ? 0 : TAPS - 1; tap < TAPS; tap++) {
            int64_t at = (int64_t)y + tap - HALF;

            blur_row(in + clamped(at, height) * row, rows + (size_t)((at + TAPS) % TAPS) * row,
                     width, channels);
        }
        for (int tap = 0; tap < TAPS; tap++)
            taps[tap] = rows + (size_t)(((int64_t)y + tap - HALF + TAPS) % TAPS) * row;
        for (size_t i = 0; i < row; i++)
            out[y * row + i] = (uint8_t)((taps[0][i] + 4u * taps[1][i] + 6u * taps[2][i] +
                                          4u * taps[3][i] + taps[4][i] + 128) >> 8);
    }
    free(rows);
    return FILTER_DONE;
}
