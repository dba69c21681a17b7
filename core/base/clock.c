#include "base/clock.h"

#include <time.h>

/* clock_gettime cannot fail for these clocks on Linux. */
static int64_t read_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t pt_now_us(void)
{
    return read_ns(CLOCK_REALTIME) / 1000;
}

int64_t pt_mono_us(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t pt_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t pt_cpu_us(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000;
}

int64_t pt_thread_cpu_us(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}
