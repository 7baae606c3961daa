/* The native side of `host.h`: a program whose input and output are those of the process. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void write_output(const void *from, size_t bytes) {
    if (fwrite(from, 1, bytes, stdout) != bytes)
        abort();
}

size_t read_input(void *to, size_t bytes) {
    return fread(to, 1, bytes, stdin);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 2)
        return 100;
    const double start = seconds();
    const int step = library_run((uint32_t)strtoul(arguments[1], NULL, 10));
    fflush(stdout);
    fprintf(stderr, "%.6f\n", seconds() - start);
    return step;
}
