/* Runs a filter without a sandbox: `native WIDTH HEIGHT CHANNELS RUNS`, bytes in, bytes out.
 * The nanoseconds of the fastest run go to the standard error. */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int argc, char **argv)
{
    uint32_t width, height, channels;
    uint64_t fastest = UINT64_MAX;
    size_t bytes;
    uint8_t *in, *out;

    if (argc != 5)
        return 2;
    width = (uint32_t)strtoul(argv[1], NULL, 10);
    height = (uint32_t)strtoul(argv[2], NULL, 10);
    channels = (uint32_t)strtoul(argv[3], NULL, 10);
    bytes = (size_t)width * height * channels;
    in = malloc(bytes);
    out = malloc(bytes);
    if (in == NULL || out == NULL || fread(in, 1, bytes, stdin) != bytes)
        return 1;
    for (unsigned long run = strtoul(argv[4], NULL, 10); run > 0; run--) {
        uint64_t start = now(), took;

        if (filter(in, out, width, height, channels) != FILTER_DONE)
            return 1;
        took = now() - start;
        if (took < fastest)
            fastest = took;
    }
    if (fwrite(out, 1, bytes, stdout) != bytes || fflush(stdout) != 0)
        return 1;
    fprintf(stderr, "%llu\n", (unsigned long long)fastest);
    return 0;
}
