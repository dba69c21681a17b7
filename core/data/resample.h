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

#endif
