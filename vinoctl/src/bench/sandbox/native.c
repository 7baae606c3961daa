/*
 * The kernels as native code, and what bare Linux charges for what a sandbox does: one child
 * process of `vinoctl bench`.
 *
 * Reads a request a line and answers with a line: the nanoseconds of processor time that the work
 * took, and its checksum.
 *
 *   run NAME AMOUNT   a kernel
 *   fault COUNT       a memory fault, caught by a signal handler that jumps out
 *   fork COUNT        an empty process, created and awaited; in nanoseconds on the wall
 *   dlopen PATH       a shared object, opened and closed; in nanoseconds on the wall
 *
 * Ends at the end of its input.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024
#define KERNEL(name) {#name, bench_##name}

uint64_t bench_md5(uint64_t), bench_sha256(uint64_t), bench_qsort(uint64_t);
uint64_t bench_quicksort(uint64_t), bench_matmul(uint64_t), bench_chase(uint64_t);
uint64_t bench_crc32(uint64_t), bench_fib(uint64_t), bench_hash(uint64_t);

static const struct {
    const char *name;
    uint64_t (*function)(uint64_t);
} kernels[] = {
    KERNEL(md5), KERNEL(sha256), KERNEL(qsort), KERNEL(quicksort), KERNEL(matmul),
    KERNEL(chase), KERNEL(crc32), KERNEL(fib), KERNEL(hash),
};

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) != 0)
        exit(3);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(after_fault, 1);
}

/* Reads a page that may not be read, and comes back, `count` times. */
static uint64_t fault(uint64_t count)
{
    struct sigaction action = {.sa_handler = on_fault};
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile uint64_t done = 0;

    if (page == MAP_FAILED || sigaction(SIGSEGV, &action, NULL) != 0)
        exit(3);
    while (done < count) {
        done++;
        if (sigsetjmp(after_fault, 1) == 0)
            (void)*page;
    }
    signal(SIGSEGV, SIG_DFL);
    munmap((void *)page, 4096);
    return done;
}

static uint64_t fork_processes(uint64_t count)
{
    for (uint64_t done = 0; done < count; done++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        if (child < 0 || waitpid(child, NULL, 0) != child)
            exit(3);
    }
    return count;
}

/* Opens and closes a shared object; none stays loaded. */
static uint64_t open_shared_object(const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (object == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(3);
    }
    return dlclose(object) == 0;
}

static int answer(char *line)
{
    char *verb = strtok(line, " \n"), *subject = strtok(NULL, " \n"), *rest = strtok(NULL, " \n");
    clockid_t clock = CLOCK_THREAD_CPUTIME_ID;
    uint64_t start, result = 0;

    if (verb == NULL || subject == NULL)
        return 2;
    if (strcmp(verb, "dlopen") == 0 || strcmp(verb, "fork") == 0)
        clock = CLOCK_MONOTONIC;
    start = nanoseconds(clock);
    if (strcmp(verb, "run") == 0 && rest != NULL) {
        size_t index = 0, count = sizeof kernels / sizeof kernels[0];

        while (index < count && strcmp(kernels[index].name, subject) != 0)
            index++;
        if (index == count)
            return 2;
        result = kernels[index].function(strtoull(rest, NULL, 10));
    } else if (strcmp(verb, "fault") == 0) {
        result = fault(strtoull(subject, NULL, 10));
    } else if (strcmp(verb, "fork") == 0) {
        result = fork_processes(strtoull(subject, NULL, 10));
    } else if (strcmp(verb, "dlopen") == 0) {
        result = open_shared_object(subject);
    } else {
        return 2;
    }
    printf("%" PRIu64 " %" PRIu64 "\n", nanoseconds(clock) - start, result);
    fflush(stdout);
    return 0;
}

int main(void)
{
    char line[LINE_BYTES_MAX];

    while (fgets(line, sizeof line, stdin) != NULL) {
        int status = answer(line);

        if (status != 0)
            return status;
    }
    return 0;
}
