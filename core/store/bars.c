/* bars.c - closed candles of any period.                                       [layer: store]
 * A period that is not stored is built from the largest stored one that divides it; a built bar
 * needs all its parts, closed. */
#include "store/bars.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/resample.h"

#include <string.h>

#define LOOK_BACK_BARS 64

static struct pt_series_key candles(const char *symbol, int64_t period_us)
{
    struct pt_series_key key;
    memset(&key, 0, sizeof key);
    key.kind = PT_CANDLES;
    key.period_us = period_us;
    memcpy(key.symbol, symbol, strnlen(symbol, sizeof key.symbol - 1));
    return key;
}

enum pt_code pt_bars_source(struct pt_read *read, const char *symbol, int64_t period_us,
                            struct pt_bars_source *source, struct pt_err *err)
{
    size_t n = 0;
    memset(source, 0, sizeof *source);
    while (pt_periods[n] != 0) n++;
    while (n-- > 0) {
        if (pt_periods[n] > period_us || period_us % pt_periods[n] != 0) continue;
        struct pt_series_key key = candles(symbol, pt_periods[n]);
        struct pt_series series;
        enum pt_code rc = pt_series_find(read, &key, &series, err);
        if (rc != PT_OK && rc != PT_ENOENT) return rc;
        if (rc == PT_ENOENT || series.rows == 0) continue;
        source->period_us = pt_periods[n];
        source->series = series;
        return PT_OK;
    }
    return PT_OK;
}

/* Keeps the closed ones of the rows from `from` on. */
static void drop_open(struct pt_frame *frame, size_t from)
{
    const struct pt_kind *kind = frame->kind;
    size_t kept = from;
    for (size_t i = from; i < frame->n; i++) {
        if (frame->val[PT_C_CLOSED][i] != 1) continue;
        for (unsigned c = 0; c < kind->ncols && kept != i; c++) {
            frame->val[c][kept] = frame->val[c][i];
            if (frame->dig[c]) frame->dig[c][kept] = frame->dig[c][i];
        }
        kept++;
    }
    frame->n = kept;
}

/* Sets the columns that nobody asked for to missing, as reading a stored period does. */
static void blank(struct pt_frame *frame, size_t from, uint32_t cols)
{
    if (cols == 0) return;
    for (unsigned c = 1; c < frame->kind->ncols; c++) {
        if ((cols >> c & 1) != 0) continue;
        for (size_t i = from; i < frame->n; i++) frame->val[c][i] = PT_MISSING;
    }
}

/* Start of the first bar that opens at or after t_us. */
static int64_t bar_ceil(int64_t period_us, int64_t t_us)
{
    int64_t start = pt_period_floor(period_us, t_us);
    return start < t_us ? start + period_us : start;
}

static enum pt_code read_stored(struct pt_read *read, const struct pt_bars_source *source,
                                int64_t from_us, int64_t to_us, uint32_t cols,
                                struct pt_frame *frame, struct pt_err *err)
{
    size_t had = frame->n;
    uint32_t wanted = cols == 0 ? 0 : cols | 1u << PT_C_CLOSED;
    enum pt_code rc = pt_series_read(read, &source->series.key, from_us, to_us, wanted, frame, err);
    if (rc != PT_OK && rc != PT_EDAMAGE) return rc;
    drop_open(frame, had);
    blank(frame, had, cols);
    return rc;
}

static enum pt_code read_built(struct pt_read *read, const struct pt_bars_source *source,
                               int64_t period_us, int64_t from_us, int64_t to_us, uint32_t cols,
                               struct pt_frame *frame, struct pt_err *err)
{
    struct pt_frame parts, built;
    size_t had = frame->n;
    int64_t first = pt_period_floor(period_us, source->series.first_us);
    int64_t last = source->series.last_us;
    /* far ends are cut to what is stored, so that the grid does not overflow */
    if (from_us < first) from_us = first;
    if (to_us > last) to_us = last + 1;
    if (from_us >= to_us) return PT_OK;
    int64_t start = bar_ceil(period_us, from_us), end = bar_ceil(period_us, to_us);
    pt_frame_init(&parts, frame->kind);
    pt_frame_init(&built, frame->kind);
    enum pt_code rc = pt_series_read(read, &source->series.key, start, end, 0, &parts, err);
    enum pt_code damage = rc == PT_EDAMAGE ? rc : PT_OK; /* what came before it still counts */
    if (damage != PT_OK) rc = PT_OK;
    if (rc == PT_OK) rc = pt_resample(&parts, source->period_us, period_us, &built, err);
    if (rc == PT_OK && pt_frame_append(frame, &built, 0, built.n) != PT_OK)
        rc = pt_fail(err, PT_ENOMEM, "bars of %s", source->series.key.symbol);
    if (rc == PT_OK) blank(frame, had, cols);
    pt_frame_fini(&parts);
    pt_frame_fini(&built);
    return rc == PT_OK ? damage : rc;
}

enum pt_code pt_bars_read(struct pt_read *read, const char *symbol, int64_t period_us,
                          int64_t from_us, int64_t to_us, uint32_t cols, struct pt_frame *frame,
                          struct pt_bars_source *source, struct pt_err *err)
{
    struct pt_bars_source found;
    enum pt_code rc = pt_bars_source(read, symbol, period_us, &found, err);
    if (source) *source = found;
    if (rc != PT_OK || found.period_us == 0 || from_us >= to_us) return rc;
    if (found.period_us == period_us)
        return read_stored(read, &found, from_us, to_us, cols, frame, err);
    return read_built(read, &found, period_us, from_us, to_us, cols, frame, err);
}

/* The last closed bar that ends at or before limit_us, looked for backwards in growing steps. */
enum pt_code pt_bars_last_close(struct pt_read *read, const char *symbol, int64_t period_us,
                                int64_t limit_us, int64_t *close_us, struct pt_err *err)
{
    struct pt_bars_source source;
    struct pt_frame frame;
    *close_us = PT_MISSING;
    enum pt_code rc = pt_bars_source(read, symbol, period_us, &source, err);
    if (rc != PT_OK || source.period_us == 0) return rc;
    int64_t first = source.series.first_us, last = source.series.last_us;
    /* bars that open in [from, to): the last may open at limit - period */
    int64_t to = last + 1;
    if (limit_us < first) return PT_OK;
    if (limit_us - period_us < last) to = limit_us - period_us + 1;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int64_t bars = LOOK_BACK_BARS; rc == PT_OK && to > first; bars *= 4) {
        int64_t step = bars < (to - first) / period_us + 1 ? bars : (to - first) / period_us + 1;
        int64_t from = to - step * period_us;
        pt_frame_clear(&frame);
        rc = source.period_us == period_us
                 ? read_stored(read, &source, from, to, 1u << PT_C_CLOSED, &frame, err)
                 : read_built(read, &source, period_us, from, to, 0, &frame, err);
        if (rc == PT_OK && frame.n > 0) {
            *close_us = frame.val[PT_C_TIME][frame.n - 1] + period_us;
            break;
        }
        to = from;
    }
    pt_frame_fini(&frame);
    return rc;
}
