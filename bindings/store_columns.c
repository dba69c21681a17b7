/* store_columns.c - stored and built bars as columns.                          [layer: bindings] */
#include "bindings/store_columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ROWS ((size_t)1 << 17)

/* Rows read behind a window that follows another: a share of it, so that reading them costs each
 * of the next windows little, and no fewer than AHEAD_MIN. */
#define AHEAD_SHARE 8
#define AHEAD_MIN 64

/* ---- memory -------------------------------------------------------------------------------- */

static void free_mem(struct pt_store_columns *self)
{
    free(self->time_us);
    self->time_us = NULL;
    for (unsigned c = 0; c < PT_COLUMNS_N; c++) {
        free(self->mem[c]);
        free(self->aligned_mem[c]);
        self->mem[c] = self->aligned_mem[c] = NULL;
    }
    self->cap = self->aligned_cap = 0;
    self->held = (struct pt_held){ 0 };
    pt_returns_fini(&self->returns);
}

void pt_store_columns_fini(struct pt_store_columns *self)
{
    pt_benchmarks_free(self->benchmarks);
    free_mem(self);
    memset(self, 0, sizeof *self);
}

size_t pt_store_columns_bytes(const struct pt_store_columns *self)
{
    size_t columns = self->time_us != NULL;
    for (unsigned c = 0; c < PT_COLUMNS_N; c++) columns += self->mem[c] != NULL;
    return columns * self->cap * sizeof(double);
}

void pt_store_columns_done(struct pt_store_columns *self)
{
    if (self->cap > KEEP_ROWS) free_mem(self);
    self->columns.n = 0;
    self->read = NULL;
    self->other = NULL;
    pt_benchmarks_trim(self->benchmarks);
}

static bool reserve(struct pt_store_columns *self, size_t rows)
{
    if (rows <= self->cap && self->time_us) return true;
    free_mem(self);
    self->time_us = malloc((rows ? rows : 1) * sizeof *self->time_us);
    if (!self->time_us) return false;
    self->cap = rows;
    return true;
}

double *pt_store_columns_mem(double **mem, size_t cap)
{
    if (!*mem) *mem = aligned_alloc(64, (cap + 8) * sizeof(double) / 64 * 64);
    return *mem;
}

/* ---- rows of a range ----------------------------------------------------------------------- */

/* What is read: rows that go to [at, ...) of the columns of a mask. */
struct range {
    int64_t from_us, to_us;
    uint32_t mask;
    size_t at, n;
    bool times; /* they are not counted yet: n and the times are found out */
};

/* A stored period is scanned straight into the columns. */
struct fill {
    struct pt_store_columns *self;
    unsigned cols[PT_COLUMNS_N + 1], ncols; /* the last one is `closed` */
    size_t at;
    bool times, lost; /* lost: more rows than the store said */
};

static bool take_rows(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct fill *fill = arg;
    struct pt_store_columns *self = fill->self;
    const double *closed = cols[fill->ncols - 1];
    for (size_t i = 0; i < n;) {
        while (i < n && closed[i] != 1) i++;
        size_t start = i;
        while (i < n && closed[i] == 1) i++;
        size_t rows = i - start;
        if (rows > self->cap - fill->at) {
            fill->lost = true;
            return false;
        }
        if (fill->times) memcpy(self->time_us + fill->at, time_us + start, rows * sizeof *time_us);
        for (unsigned c = 0; c + 1 < fill->ncols; c++)
            memcpy(self->mem[fill->cols[c]] + fill->at, cols[c] + start, rows * sizeof(double));
        fill->at += rows;
    }
    return true;
}

static enum pt_code read_stored(struct pt_store_columns *self, struct range *range,
                                struct pt_err *err)
{
    const struct pt_columns *columns = &self->columns;
    struct fill fill = { .self = self, .at = range->at, .times = range->times };
    uint64_t most = (uint64_t)((range->to_us - range->from_us) / columns->period_us) + 1;
    if (most > self->bars.series.rows) most = self->bars.series.rows;
    if (range->times && !reserve(self, (size_t)most))
        return pt_fail(err, PT_ENOMEM, "%zu bars of %s", (size_t)most, columns->symbol);
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (!(range->mask >> c & 1)) continue;
        if (!pt_store_columns_mem(&self->mem[c], self->cap))
            return pt_fail(err, PT_ENOMEM, "bars of %s", columns->symbol);
        fill.cols[fill.ncols++] = c;
    }
    fill.cols[fill.ncols++] = PT_C_CLOSED;
    enum pt_code rc = pt_series_scan(self->read, &self->bars.series.key, range->from_us,
                                     range->to_us, fill.cols, fill.ncols, take_rows, &fill, err);
    if (rc != PT_OK) return rc;
    if (fill.lost || (!range->times && fill.at - range->at != range->n))
        return pt_fail(err, PT_EDAMAGE, "%s: the series holds other rows than it counts",
                       columns->symbol);
    range->n = fill.at - range->at;
    return PT_OK;
}

static enum pt_code take_built(struct pt_store_columns *self, const struct pt_frame *frame,
                               struct range *range, struct pt_err *err)
{
    const char *symbol = self->columns.symbol;
    if (range->times && !reserve(self, frame->n))
        return pt_fail(err, PT_ENOMEM, "bars of %s", symbol);
    if (!range->times && frame->n != range->n)
        return pt_fail(err, PT_EDAMAGE, "%s: the series gave other bars before", symbol);
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (!(range->mask >> c & 1)) continue;
        double *out = pt_store_columns_mem(&self->mem[c], self->cap);
        if (!out) return pt_fail(err, PT_ENOMEM, "bars of %s", symbol);
        pt_frame_doubles(frame, c, 0, frame->n, out + range->at);
    }
    if (range->times && frame->n > 0)
        memcpy(self->time_us, frame->val[PT_C_TIME], frame->n * sizeof *self->time_us);
    range->n = frame->n;
    return PT_OK;
}

static enum pt_code read_built(struct pt_store_columns *self, struct range *range,
                               struct pt_err *err)
{
    const struct pt_columns *columns = &self->columns;
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    enum pt_code rc =
        pt_bars_read(self->read, columns->symbol, columns->period_us, range->from_us, range->to_us,
                     range->mask | 1u << PT_C_CLOSED, &frame, NULL, err);
    if (rc == PT_OK) rc = take_built(self, &frame, range, err);
    pt_frame_fini(&frame);
    return rc;
}

static enum pt_code read_range(struct pt_store_columns *self, struct range *range,
                               struct pt_err *err)
{
    return self->bars.period_us == self->columns.period_us ? read_stored(self, range, err)
                                                           : read_built(self, range, err);
}

/* ---- the held rows, and the window in them ------------------------------------------------- */

static enum pt_code hold(struct pt_store_columns *self, int64_t from_us, int64_t to_us,
                         uint32_t mask, struct pt_err *err)
{
    struct range range = { .from_us = from_us, .to_us = to_us, .mask = mask, .times = true };
    self->held = (struct pt_held){ 0 };
    memset(self->returns.made, 0, sizeof self->returns.made);
    enum pt_code rc = read_range(self, &range, err);
    if (rc == PT_OK)
        self->held = (struct pt_held){ self->columns.period_us, from_us, to_us, range.n, mask };
    return rc;
}

/* First held row that opens at or after t_us. */
static size_t row_at(const struct pt_store_columns *self, int64_t t_us)
{
    const struct pt_columns all = { .n = self->held.n, .time_us = self->time_us };
    return pt_columns_lower(&all, t_us);
}

static void show_columns(struct pt_store_columns *self, uint32_t mask)
{
    for (unsigned c = 1; c < PT_COLUMNS_N; c++)
        if (mask >> c & 1) self->columns.data[c] = self->mem[c] + self->at;
}

static void show(struct pt_store_columns *self)
{
    struct pt_columns *columns = &self->columns;
    size_t end = row_at(self, columns->as_of_us);
    self->at = row_at(self, columns->from_us);
    columns->n = end - self->at;
    columns->before = self->at;
    columns->after = self->held.n - end;
    columns->time_us = self->time_us + self->at;
    show_columns(self, self->held.loaded);
}

/* Of this window alone: what is around it in memory is not its rows. */
static enum pt_code load_alone(struct pt_store_columns *self, uint32_t mask, struct pt_err *err)
{
    struct pt_columns *columns = &self->columns;
    struct range range = { columns->from_us, columns->as_of_us, mask, self->at, columns->n, false };
    self->held = (struct pt_held){ 0 };
    columns->before = columns->after = 0;
    memset(self->returns.made, 0, sizeof self->returns.made);
    return read_range(self, &range, err);
}

static enum pt_code load(struct pt_columns *columns, uint32_t mask, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_held *held = &self->held;
    for (unsigned c = 1; c < PT_COLUMNS_N; c++)
        if (columns->data[c]) mask &= ~(1u << c);
    if (!mask) return PT_OK;
    struct range range = { held->from_us, held->to_us, mask, 0, held->n, false };
    enum pt_code rc = held->period_us ? read_range(self, &range, err) : PT_EINVAL;
    if (rc == PT_OK)
        held->loaded |= mask;
    else if (held->n != columns->n || !held->period_us)
        rc = load_alone(self, mask, err); /* a fault around a window is none of the window's */
    if (rc == PT_OK) show_columns(self, mask);
    return rc;
}

static enum pt_code rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                         struct pt_frame *frame, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    return pt_bars_read(self->read, columns->symbol, columns->period_us, from_us, to_us, 0, frame,
                        NULL, err);
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct pt_columns_source store_source = { load, rows, pt_store_benchmark,
                                                       pt_store_trades, pt_store_others };

bool pt_store_columns_reach(const struct pt_store_columns *self, int64_t period_us, int64_t from_us,
                            const struct pt_bars_source *now)
{
    const struct pt_series *was = &self->bars.series;
    const struct pt_held *held = &self->held;
    return held->period_us == period_us && self->bars.period_us == now->period_us &&
           was->id == now->series.id && was->corrected == now->series.corrected &&
           was->closed_us == now->series.closed_us && held->from_us <= from_us &&
           from_us <= held->to_us;
}

/* Where reading ends: behind a window that follows held ones there will be more windows. */
static int64_t read_until(const struct pt_columns *columns, bool follows)
{
    int64_t bars = (columns->as_of_us - columns->from_us) / columns->period_us / AHEAD_SHARE;
    if (bars < AHEAD_MIN) bars = AHEAD_MIN;
    return follows ? columns->as_of_us + bars * columns->period_us : columns->as_of_us;
}

enum pt_code pt_store_columns_open(struct pt_store_columns *self, struct pt_read *read,
                                   const char *symbol, int64_t period_us, int64_t from_us,
                                   int64_t as_of_us, const char *benchmark_symbol, uint32_t mask,
                                   struct pt_err *err)
{
    struct pt_columns *columns = &self->columns;
    struct pt_bars_source now = { 0 };
    enum pt_code rc = pt_bars_source(read, symbol, period_us, &now, err);
    bool follows =
        rc == PT_OK && now.period_us > 0 && pt_store_columns_reach(self, period_us, from_us, &now);
    *columns = (struct pt_columns){ .source = &store_source,
                                    .period_us = period_us,
                                    .from_us = from_us,
                                    .as_of_us = as_of_us,
                                    .returns = &self->returns };
    memcpy(columns->symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    self->aligned = (struct pt_columns){ 0 };
    self->other = NULL;
    self->benchmark_mask = 0;
    self->read = read;
    self->benchmark = benchmark_symbol;
    self->bars = now;
    if (!follows) self->held = (struct pt_held){ 0 };
    if (rc != PT_OK || now.period_us == 0) return rc;
    bool built = now.period_us != period_us;
    if (follows && as_of_us <= self->held.to_us) {
        show(self);
        rc = load(columns, mask, err);
    } else {
        int64_t until_us = read_until(columns, follows);
        rc = hold(self, from_us, until_us, mask, err);
        /* a fault behind a window is none of the window's */
        if (rc != PT_OK && until_us > as_of_us) rc = hold(self, from_us, as_of_us, mask, err);
        if (rc == PT_OK) show(self);
    }
    if (rc != PT_ERANGE || !built || !mask) return rc;
    /* a sum that fits no decimal is the fault of who asks for it, not of the others */
    rc = hold(self, from_us, as_of_us, 0, err);
    if (rc == PT_OK) show(self);
    return rc;
}
