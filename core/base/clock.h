/* clock.h - the only place that asks the machine for the time.                 [layer: base] */
#ifndef PT_CLOCK_H
#define PT_CLOCK_H

#include <stdint.h>

int64_t pt_now_us(void);  /* wall clock, us since 1970-01-01 UTC */
int64_t pt_mono_us(void); /* monotonic, for durations */
int64_t pt_mono_ns(void);
int64_t pt_cpu_us(void); /* processor time of this process, all its threads */
/* That of the calling thread: exact, where the process's stands still between ticks while a timer
 * of processor time is set. */
int64_t pt_thread_cpu_us(void);

#endif
