/* timefmt.h - times and periods as people write them.                          [layer: base]
 * Inside the program a time is int64 microseconds since 1970-01-01 UTC, a period is microseconds. */
#ifndef PT_TIMEFMT_H
#define PT_TIMEFMT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_TIME_TEXT_MAX 40
#define PT_PERIOD_TEXT_MAX 24
#define PT_US_SEC INT64_C(1000000)
#define PT_US_MIN (60 * PT_US_SEC)
#define PT_US_HOUR (60 * PT_US_MIN)
#define PT_US_DAY (24 * PT_US_HOUR)
#define PT_US_WEEK (7 * PT_US_DAY)

/* Epoch number of any unit -> us, by magnitude: |v| < 1e11 s, < 1e14 ms, < 1e17 us, else ns. */
int64_t pt_time_from_epoch(int64_t v);

/* ISO 8601 with or without offset (none = UTC; also "+00:00Z"), date only, "YYYY-MM-DD HH:MM[:SS[.f]]",
 * epoch s/ms/us/ns, epoch seconds with a fraction. The whole of text[0..len) must be used. PT_EINVAL otherwise; years 1970..2261.
 * f has 1..9 digits; what is finer than a microsecond is dropped (towards the past). */
enum pt_code pt_time_parse(const char *text, size_t len, int64_t *us);

/* "2025-01-01T00:00:00Z", up to 6 fraction digits, none when zero. Returns the length. */
size_t pt_time_print(int64_t us, char out[PT_TIME_TEXT_MAX]);

/* "90d", "24h", "15m", "30s", "2w", "100ms", "50us": any positive count of us ms s m h d w. PT_EINVAL
 * otherwise ("1M", a calendar month, has no fixed length and is refused). */
enum pt_code pt_span_parse(const char *text, size_t len, int64_t *us);
size_t pt_span_print(int64_t us, char out[PT_PERIOD_TEXT_MAX]); /* largest whole unit: "1d", "90m" */
size_t pt_span_print_days(int64_t us, char out[PT_PERIOD_TEXT_MAX]); /* the same without weeks: "28d" */

/* A bar length: one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w. */
enum pt_code pt_period_parse(const char *text, size_t len, int64_t *period_us);
size_t pt_period_print(int64_t period_us, char out[PT_PERIOD_TEXT_MAX]);
/* All periods, ascending, ended by 0. */
extern const int64_t pt_periods[];
/* Its place there; that of the ending 0 for what is none of them. */
size_t pt_period_place(int64_t period_us);

/* Start of the bar that holds t: weeks begin on Monday, all others are counted from the epoch. */
int64_t pt_period_floor(int64_t period_us, int64_t t_us);

/* Calendar parts of a time, UTC. */
int pt_hour_of_day(int64_t us);   /* 0..23 */
int pt_day_of_week(int64_t us);   /* 0..6, Monday 0 */

/* Size with unit: "64MiB", "1GiB", "1048576", also k K M G T as powers of 1024 ("64MB" would be read
 * two ways and is refused). PT_EINVAL when it is no size, PT_ERANGE when it does not fit. */
enum pt_code pt_size_parse(const char *text, size_t len, int64_t *bytes);

#endif
