/* resample.h - small closed bars into big ones, exactly.                       [layer: data]
 * A big bar exists only when all its parts are present and closed; sums are exact decimals; a part
 * without taker volume (or quote volume, trades) makes that sum missing. */
#ifndef PT_RESAMPLE_H
#define PT_RESAMPLE_H

#include "data/frame.h"

/* in: sorted candles of from_us; out: cleared, then filled with candles of to_us (a multiple of from_us).
 * PT_EINVAL when to_us is no multiple; PT_ERANGE when a sum fits no decimal; PT_ENOMEM. */
enum pt_code pt_resample(const struct pt_frame *in, int64_t from_us, int64_t to_us, struct pt_frame *out,
                         struct pt_err *err);

/* The same piece by piece, for rows that are never all in memory: begin, push each piece in order, end. On a
 * failure what was appended so far stays in `out`. */
struct pt_resampler {
    int64_t from_us, to_us;
    size_t parts;         /* of a big bar */
    uint32_t cols;        /* bit c = column c is built; the others of a big bar are missing */
    struct pt_frame *out; /* borrowed until the end */
    /* the big bar under way */
    bool any, broken;     /* broken: a part is missing, not closed or off the grid */
    enum pt_code fault;   /* a sum did not fit; counts when the bar turns out whole */
    int64_t start_us;
    size_t have;          /* parts taken */
    int64_t val[PT_COLS_MAX];
    uint8_t dig[PT_COLS_MAX];
};

/* cols: as above, 0 = all; time is always built. PT_EINVAL as pt_resample; owns nothing. */
enum pt_code pt_resample_begin(struct pt_resampler *self, int64_t from_us, int64_t to_us, uint32_t cols,
                               struct pt_frame *out, struct pt_err *err);
/* in: the rows that follow those pushed before; only time, closed and the columns built are looked at. A big bar
 * is appended when a row behind it is seen. */
enum pt_code pt_resample_push(struct pt_resampler *self, const struct pt_frame *in, struct pt_err *err);
/* Appends the last bar, if it is whole. */
enum pt_code pt_resample_end(struct pt_resampler *self, struct pt_err *err);

#endif
