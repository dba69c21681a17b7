/* bars.h - closed candles of any period: stored ones, else built from a stored smaller period. [layer: store] */
#ifndef PT_BARS_H
#define PT_BARS_H

#include "store/store.h"

struct pt_bars_source {
    int64_t period_us; /* of the stored series used; == the asked one when it is stored; 0 = none */
    struct pt_series series;
};

/* The stored period `period` is read from: itself, else the largest stored period that divides it.
 * PT_OK with period_us 0 when there is none. */
enum pt_code pt_bars_source(struct pt_read *read, const char *symbol, int64_t period_us, struct pt_bars_source *source,
                            struct pt_err *err);

/* Close time (open + period) of the last closed bar with close <= limit_us; PT_MISSING when there is none. */
enum pt_code pt_bars_last_close(struct pt_read *read, const char *symbol, int64_t period_us, int64_t limit_us,
                                int64_t *close_us, struct pt_err *err);

/* Appends the closed bars with open time in [from_us, to_us) to frame (candles); cols as pt_series_read.
 * Built bars need all their parts. *source (may be NULL) says where they came from. PT_ERANGE: a sum that is asked
 * for fits no decimal; nothing is appended. PT_EDAMAGE as pt_series_read: the bars before the damage are there.
 * A built bar costs its parts: some 10 ns each for all columns, 2 ns for one. */
enum pt_code pt_bars_read(struct pt_read *read, const char *symbol, int64_t period_us, int64_t from_us, int64_t to_us,
                          uint32_t cols, struct pt_frame *frame, struct pt_bars_source *source, struct pt_err *err);

#endif
