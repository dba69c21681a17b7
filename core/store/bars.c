/* bars.c - closed candles of any period.                                       [layer: store]
 * A period that is not stored is built from the largest stored one that divides it; a built bar
 * needs all its parts, closed. */
#include "store/bars.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/resample.h"
#include "store/walk.h"

#include <string.h>

#define LOOK_BACK_BARS 64 /* stored ones; of built ones the last that can be whole mostly is */

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
    for (size_t i = had; i < frame->n && cols != 0 && (cols >> PT_C_CLOSED & 1) == 0; i++)
        frame->val[PT_C_CLOSED][i] = PT_MISSING; /* it was read, but not asked for */
    return rc;
}

/* The rows of a walk on their way into big bars; `parts` holds a piece of them at a time, so that
 * they stay in the cache. */
struct build {
    struct pt_walk walk;
    struct pt_resampler resampler;
    struct pt_frame *parts;
    uint32_t cols; /* needed of a part */
    enum pt_code rc;
};

static enum pt_code push_chunk(struct build *b)
{
    const struct pt_walk *w = &b->walk;
    struct pt_frame *parts = b->parts;
    size_t n = w->hi - w->lo;
    if (pt_frame_reserve(parts, n > PT_CHUNK_ROWS ? n : PT_CHUNK_ROWS) != PT_OK)
        return pt_fail(w->err, PT_ENOMEM, "bars of %s", w->name);
    for (unsigned c = 0; c < w->kind->ncols; c++) {
        if ((b->cols >> c & 1) == 0) continue;
        const char *fault = pt_chunk_values(&w->chunk, c, w->lo, n, parts->val[c], parts->dig[c]);
        if (fault) return pt_walk_damaged(w, w->chunk.first_us, "chunk", fault);
    }
    parts->n = n;
    return pt_resample_push(&b->resampler, parts, w->err);
}

static bool take_row(void *arg, const MDB_val *key, const MDB_val *value)
{
    struct build *b = arg;
    struct pt_frame *parts = b->parts;
    const char *fault = pt_tail_check(parts->kind, value);
    if (fault) {
        b->rc = pt_walk_damaged(&b->walk, pt_key_time(key), "row", fault);
        return false;
    }
    if (parts->n == parts->cap) {
        b->rc = pt_resample_push(&b->resampler, parts, b->walk.err);
        if (b->rc != PT_OK) return false;
        pt_frame_clear(parts);
    }
    pt_tail_decode(key, value, b->cols, parts);
    return true;
}

static enum pt_code push_tail(struct build *b)
{
    struct pt_frame *parts = b->parts;
    pt_frame_clear(parts);
    if (b->walk.record.tail_rows == 0) return PT_OK;
    if (pt_frame_reserve(parts, PT_CHUNK_ROWS) != PT_OK)
        return pt_fail(b->walk.err, PT_ENOMEM, "bars of %s", b->walk.name);
    enum pt_code rc = pt_walk_tail(&b->walk, take_row, b);
    if (rc == PT_OK) rc = b->rc;
    if (rc != PT_OK && rc != PT_EDAMAGE) return rc;
    enum pt_code pushed = pt_resample_push(&b->resampler, parts, b->walk.err);
    return pushed == PT_OK ? rc : pushed;
}

static enum pt_code build_bars(struct build *b)
{
    enum pt_code rc = pt_walk_next(&b->walk, true);
    for (; rc == PT_OK; rc = pt_walk_next(&b->walk, false)) {
        rc = push_chunk(b);
        if (rc != PT_OK) break;
    }
    if (rc == PT_ENOENT) rc = push_tail(b);
    if (rc != PT_OK && rc != PT_EDAMAGE) return rc;
    /* what came before the damage still counts */
    enum pt_code last = pt_resample_end(&b->resampler, b->walk.err);
    return last == PT_OK ? rc : last;
}

static enum pt_code read_built(struct pt_read *read, const struct pt_bars_source *source,
                               int64_t period_us, int64_t from_us, int64_t to_us, uint32_t cols,
                               struct pt_frame *frame, struct pt_err *err)
{
    struct build b = { .parts = &read->scratch.parts };
    size_t had = frame->n;
    int64_t first = pt_period_floor(period_us, source->series.first_us);
    int64_t last = source->series.last_us;
    /* far ends are cut to what is stored, so that the grid does not overflow */
    if (from_us < first) from_us = first;
    if (to_us > last) to_us = last + 1;
    if (from_us >= to_us) return PT_OK;
    int64_t start = bar_ceil(period_us, from_us), end = bar_ceil(period_us, to_us);
    b.cols = cols == 0 ? UINT32_MAX : cols | 1u << PT_C_TIME | 1u << PT_C_CLOSED;
    enum pt_code rc =
        pt_resample_begin(&b.resampler, source->period_us, period_us, cols, frame, err);
    if (rc == PT_OK) rc = pt_walk_start(&b.walk, read, &source->series.key, start, end, err);
    if (rc == PT_OK) rc = build_bars(&b);
    if (rc == PT_ENOENT) return PT_OK;
    if (rc != PT_OK && rc != PT_EDAMAGE) frame->n = had;
    return rc;
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
    int64_t bars = LOOK_BACK_BARS;
    if (source.period_us != period_us) {
        int64_t whole = pt_period_floor(period_us, last + source.period_us) - period_us;
        if (to > whole) to = whole + 1;
        bars = 1;
    }
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (; rc == PT_OK && to > first; bars *= 4) {
        int64_t step = bars < (to - first) / period_us + 1 ? bars : (to - first) / period_us + 1;
        int64_t from = to - step * period_us;
        pt_frame_clear(&frame);
        rc = source.period_us == period_us
                 ? read_stored(read, &source, from, to, 1u << PT_C_CLOSED, &frame, err)
                 : read_built(read, &source, period_us, from, to, 1u << PT_C_CLOSED, &frame, err);
        if (rc == PT_OK && frame.n > 0) {
            *close_us = frame.val[PT_C_TIME][frame.n - 1] + period_us;
            break;
        }
        to = from;
    }
    pt_frame_fini(&frame);
    return rc;
}
