/*
 * What every C reference program needs before it measures: checked arguments, a clock, an end.
 *
 * The C programs in this folder are the yardstick of the benchmarks: the same job as a part of
 * the pair, in plain blocking C, as simply as it can be written without being slow. They are a
 * reference, not the optimum. A figure of one of them means something only beside ours, taken in
 * turn in the same minutes on the same machine.
 *
 * All of them print one JSON line on stdout and say what went wrong on stderr, with a status
 * other than 0. None outlives RUN_SECONDS_MAX, even when the process that started it is gone.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUN_SECONDS_MAX = 300, MEMORY_MB_MAX = 2048, ROUNDS_MAX = 1000000 };

static inline void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* After a call of the system that says why in errno. */
static inline void fail_call(const char *call)
{
    perror(call);
    exit(1);
}

/* The argument as a number from low to high, or the end of the program: it bounds every load. */
static inline double number_argument(const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high)) {
        fprintf(stderr, "%s: a number from %g to %g is wanted\n", text, low, high);
        exit(2);
    }
    return value;
}

/* SIGALRM ends the process; a later call moves the end. */
static inline void end_after_seconds(unsigned seconds)
{
    alarm(seconds);
}

static inline double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline double *new_samples(size_t count)
{
    double *samples = calloc(count, sizeof *samples);
    if (samples == NULL) fail_call("samples");
    return samples;
}

static inline int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static inline void sort_samples(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_doubles);
}

/* Nearest rank, of sorted samples: always a value that was measured. */
static inline double quantile(const double *sorted, size_t count, double share)
{
    size_t rank = (size_t)((double)count * share);
    if ((double)rank < (double)count * share) rank++;
    return sorted[rank == 0 ? 0 : rank - 1];
}

#endif
