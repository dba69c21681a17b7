/* store_columns.c - stored bars as columns; built bars, the benchmark, trades.  [layer: bindings]
 */
#include "bindings/store_columns.h"

#include "base/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ROWS ((size_t)1 << 17)
#define OTHERS_MAX ((uint64_t)1 << 18) /* rows of another kind: three days of one a second */

/* Windows of the benchmark kept between units: the newest few that fit. */
#define BENCHMARKS_N 8
#define BENCHMARKS_BYTES ((size_t)16 << 20)

struct pt_benchmarks {
    struct pt_store_columns kept[BENCHMARKS_N];
    uint64_t used[BENCHMARKS_N], clock; /* used: the clock when a unit last asked; 0 = empty */
};

/* ---- memory
 * ---------------------------------------------------------------------------------------- */

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
    pt_returns_fini(&self->returns);
}

void pt_store_columns_fini(struct pt_store_columns *self)
{
    for (size_t i = 0; self->benchmarks && i < BENCHMARKS_N; i++)
        pt_store_columns_fini(&self->benchmarks->kept[i]);
    free(self->benchmarks);
    free_mem(self);
    memset(self, 0, sizeof *self);
}

static size_t mem_bytes(const struct pt_store_columns *self)
{
    size_t columns = self->time_us != NULL;
    for (unsigned c = 0; c < PT_COLUMNS_N; c++) columns += self->mem[c] != NULL;
    return columns * self->cap * sizeof(double);
}

/* The one that was not used for longest. */
static size_t oldest(const struct pt_benchmarks *list)
{
    size_t at = 0;
    for (size_t i = 1; i < BENCHMARKS_N; i++) {
        if (list->used[i] < list->used[at]) at = i;
    }
    return at;
}

static void drop_benchmark(struct pt_benchmarks *list, size_t i)
{
    pt_store_columns_fini(&list->kept[i]);
    list->used[i] = 0;
}

static void trim_benchmarks(struct pt_benchmarks *list)
{
    size_t bytes = 0;
    for (size_t i = 0; i < BENCHMARKS_N; i++) {
        list->kept[i].read = NULL;                       /* of the unit that is over */
        if (list->used[i] == 0) drop_benchmark(list, i); /* could not be read */
        bytes += mem_bytes(&list->kept[i]);
    }
    while (bytes > BENCHMARKS_BYTES) {
        size_t first = BENCHMARKS_N;
        for (size_t i = 0; i < BENCHMARKS_N; i++) {
            bool some = list->used[i] > 0;
            if (some && (first == BENCHMARKS_N || list->used[i] < list->used[first])) first = i;
        }
        if (first == BENCHMARKS_N) return;
        bytes -= mem_bytes(&list->kept[first]);
        drop_benchmark(list, first);
    }
}

void pt_store_columns_done(struct pt_store_columns *self)
{
    if (self->cap > KEEP_ROWS) free_mem(self);
    self->columns.n = 0;
    self->read = NULL;
    self->other = NULL;
    if (self->benchmarks) trim_benchmarks(self->benchmarks);
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

/* Memory of one column of `cap` rows, made when first needed. */
static double *column(double **mem, size_t cap)
{
    if (!*mem) *mem = aligned_alloc(64, (cap + 8) * sizeof(double) / 64 * 64);
    return *mem;
}

/* ---- a stored period: scanned straight into the columns
 * -------------------------------------------- */

struct fill {
    struct pt_store_columns *self;
    unsigned cols[PT_COLUMNS_N + 1], ncols; /* the last one is `closed` */
    size_t at;
    bool times, lost; /* times: the rows are not counted yet; lost: more rows than the store said */
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

static enum pt_code load_stored(struct pt_store_columns *self, uint32_t mask, bool times,
                                struct pt_err *err)
{
    struct pt_columns *columns = &self->columns;
    struct fill fill = { .self = self, .times = times };
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (!(mask >> c & 1) || columns->data[c]) continue;
        if (!column(&self->mem[c], self->cap))
            return pt_fail(err, PT_ENOMEM, "bars of %s", columns->symbol);
        fill.cols[fill.ncols++] = c;
    }
    fill.cols[fill.ncols++] = PT_C_CLOSED;
    enum pt_code rc =
        pt_series_scan(self->read, &self->bars.series.key, columns->from_us, columns->as_of_us,
                       fill.cols, fill.ncols, take_rows, &fill, err);
    if (rc != PT_OK) return rc;
    if (fill.lost || (!times && fill.at != columns->n))
        return pt_fail(err, PT_EDAMAGE, "%s: the series holds other rows than it counts",
                       columns->symbol);
    columns->n = fill.at;
    for (unsigned c = 0; c + 1 < fill.ncols; c++)
        columns->data[fill.cols[c]] = self->mem[fill.cols[c]];
    return PT_OK;
}

/* ---- a built period
 * ----------------------------------------------------------------------------------- */

static enum pt_code take_built(struct pt_store_columns *self, const struct pt_frame *frame,
                               uint32_t mask, bool times, struct pt_err *err)
{
    struct pt_columns *columns = &self->columns;
    if (times && !reserve(self, frame->n))
        return pt_fail(err, PT_ENOMEM, "bars of %s", columns->symbol);
    if (!times && frame->n != columns->n)
        return pt_fail(err, PT_EDAMAGE, "%s: the series gave other bars before", columns->symbol);
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (!(mask >> c & 1) || columns->data[c]) continue;
        double *out = column(&self->mem[c], self->cap);
        if (!out) return pt_fail(err, PT_ENOMEM, "bars of %s", columns->symbol);
        pt_frame_doubles(frame, c, 0, frame->n, out);
        columns->data[c] = out;
    }
    if (!times) return PT_OK;
    if (frame->n > 0)
        memcpy(self->time_us, frame->val[PT_C_TIME], frame->n * sizeof *self->time_us);
    columns->n = frame->n;
    columns->time_us = self->time_us;
    return PT_OK;
}

static enum pt_code load_built(struct pt_store_columns *self, uint32_t mask, bool times,
                               struct pt_err *err)
{
    const struct pt_columns *columns = &self->columns;
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    enum pt_code rc =
        pt_bars_read(self->read, columns->symbol, columns->period_us, columns->from_us,
                     columns->as_of_us, mask | 1u << PT_C_CLOSED, &frame, NULL, err);
    if (rc == PT_OK) rc = take_built(self, &frame, mask, times, err);
    pt_frame_fini(&frame);
    return rc;
}

static enum pt_code load(struct pt_columns *columns, uint32_t mask, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    return self->bars.period_us == columns->period_us ? load_stored(self, mask, false, err)
                                                      : load_built(self, mask, false, err);
}

static enum pt_code rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                         struct pt_frame *frame, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    return pt_bars_read(self->read, columns->symbol, columns->period_us, from_us, to_us, 0, frame,
                        NULL, err);
}

/* ---- the benchmark
 * ----------------------------------------------------------------------------------- */

/* Column c of the other symbol, moved to our rows. */
static enum pt_code load_aligned(struct pt_columns *aligned, uint32_t mask, struct pt_err *err)
{
    struct pt_store_columns *self =
        (struct pt_store_columns *)((char *)aligned - offsetof(struct pt_store_columns, aligned));
    struct pt_columns *other = &self->other->columns;
    size_t n = aligned->n;
    if (n > self->aligned_cap) {
        for (unsigned c = 0; c < PT_COLUMNS_N; c++) {
            free(self->aligned_mem[c]);
            self->aligned_mem[c] = NULL;
        }
        self->aligned_cap = self->cap;
    }
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        if (!(mask >> c & 1) || aligned->data[c]) continue;
        const double *from = pt_columns_get(other, c, err);
        if (!from) return err ? err->code : PT_EIO;
        if (other == &self->columns) { /* a symbol that is the benchmark itself */
            aligned->data[c] = from;
            continue;
        }
        double *to = column(&self->aligned_mem[c], self->aligned_cap);
        if (!to) return pt_fail(err, PT_ENOMEM, "bars of %s", aligned->symbol);
        for (size_t i = 0, k = 0; i < n; i++) {
            while (k < other->n && other->time_us[k] < aligned->time_us[i]) k++;
            bool there = k < other->n && other->time_us[k] == aligned->time_us[i];
            to[i] = there ? from[k] : (double)NAN;
        }
        aligned->data[c] = to;
    }
    return PT_OK;
}

static enum pt_code no_rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                            struct pt_frame *frame, struct pt_err *err)
{
    (void)from_us, (void)to_us, (void)frame;
    return pt_fail(err, PT_EINVAL,
                   "%s stands on the bars of another symbol and has none of its own to resample",
                   columns->symbol);
}

static enum pt_code no_benchmark(struct pt_columns *columns, struct pt_columns **aligned,
                                 struct pt_err *err)
{
    (void)columns, (void)err;
    *aligned = NULL;
    return PT_OK;
}

static enum pt_code no_trades(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                              struct pt_signed_trades *sums, struct pt_err *err)
{
    (void)columns, (void)from_us, (void)to_us, (void)err;
    *sums = (struct pt_signed_trades){ .reason = "no_trades" };
    return PT_OK;
}

static enum pt_code no_others(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                              int64_t to_us, struct pt_frame *frame, struct pt_err *err)
{
    (void)columns, (void)kind, (void)from_us, (void)to_us, (void)frame, (void)err;
    return PT_OK;
}

static const struct pt_columns_source aligned_source = { load_aligned, no_rows, no_benchmark,
                                                         no_trades, no_others };

static bool is_same_window(const struct pt_store_columns *kept, const struct pt_columns *columns,
                           const struct pt_bars_source *now)
{
    const struct pt_series *was = &kept->bars.series;
    return kept->columns.period_us == columns->period_us &&
           kept->columns.from_us == columns->from_us &&
           kept->columns.as_of_us == columns->as_of_us && kept->bars.period_us == now->period_us &&
           was->id == now->series.id && was->version == now->series.version;
}

/* The benchmark's bars in our window: kept ones when their series has not changed, else read. */
static enum pt_code find_benchmark(struct pt_store_columns *self, struct pt_err *err)
{
    const struct pt_columns *columns = &self->columns;
    struct pt_bars_source now;
    enum pt_code rc = pt_bars_source(self->read, self->benchmark, columns->period_us, &now, err);
    if (rc != PT_OK) return rc;
    if (!self->benchmarks) self->benchmarks = calloc(1, sizeof *self->benchmarks);
    struct pt_benchmarks *list = self->benchmarks;
    if (!list) return pt_fail(err, PT_ENOMEM, "bars of %s", self->benchmark);
    size_t at = 0;
    while (at < BENCHMARKS_N &&
           !(list->used[at] > 0 && is_same_window(&list->kept[at], columns, &now)))
        at++;
    bool found = at < BENCHMARKS_N;
    if (!found) at = oldest(list);
    struct pt_store_columns *other = &list->kept[at];
    if (found) {
        other->read = self->read; /* another snapshot, the same rows */
    } else {
        list->used[at] = 0;
        rc = pt_store_columns_open(other, self->read, self->benchmark, columns->period_us,
                                   columns->from_us, columns->as_of_us, NULL,
                                   self->benchmark_mask ? self->benchmark_mask : 1u << PT_C_CLOSE,
                                   err);
        if (rc != PT_OK) return rc;
    }
    list->used[at] = ++list->clock;
    self->other = other;
    return PT_OK;
}

static enum pt_code benchmark(struct pt_columns *columns, struct pt_columns **aligned,
                              struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_columns *out = &self->aligned;
    *aligned = NULL;
    if (!self->benchmark || !*self->benchmark) return PT_OK;
    if (out->source) { /* made earlier in this unit */
        if (out->n > 0 || self->columns.n == 0) *aligned = out;
        return PT_OK;
    }
    enum pt_code rc = PT_OK;
    if (strcmp(self->benchmark, columns->symbol) == 0)
        self->other = self;
    else
        rc = find_benchmark(self, err);
    if (rc != PT_OK) return rc;
    *out = (struct pt_columns){ .source = &aligned_source,
                                .period_us = columns->period_us,
                                .from_us = columns->from_us,
                                .as_of_us = columns->as_of_us };
    memcpy(out->symbol, self->other->columns.symbol, sizeof out->symbol);
    if (self->other->columns.n == 0) return PT_OK; /* not stored: no benchmark */
    out->n = columns->n;
    out->time_us = columns->time_us;
    *aligned = out;
    return PT_OK;
}

/* ---- trades
 * -------------------------------------------------------------------------------------------- */

struct tally {
    double sum[2], lost[2]; /* by side, with the rounding error carried (Neumaier 1974) */
    double first_id, last_id;
    bool any, hole;
};

static bool take_trades(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct tally *tally = arg;
    (void)time_us;
    for (size_t i = 0; i < n; i++) {
        double id = cols[0][i], x = cols[1][i];
        int side = cols[2][i] == PT_SIDE_SELL;
        if (tally->any && id != tally->last_id + 1) tally->hole = true;
        if (!tally->any) tally->first_id = id;
        tally->any = true;
        tally->last_id = id;
        double sum = tally->sum[side] + x;
        tally->lost[side] += fabs(tally->sum[side]) >= fabs(x) ? (tally->sum[side] - sum) + x
                                                               : (x - sum) + tally->sum[side];
        tally->sum[side] = sum;
    }
    return !tally->hole;
}

/* Id of the trade next to a range: the last before it or the first after it. */
static enum pt_code neighbour(struct pt_read *read, const struct pt_series_key *key,
                              int64_t from_us, int64_t to_us, bool newest, bool *found, double *id,
                              struct pt_err *err)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    enum pt_code rc = pt_series_page(read, key, from_us, to_us, 0, 1, newest, &frame, err);
    *found = rc == PT_OK && frame.n == 1;
    if (*found) *id = (double)frame.val[PT_T_ID][0];
    pt_frame_fini(&frame);
    return rc;
}

static enum pt_code trades(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                           struct pt_signed_trades *sums, struct pt_err *err)
{
    static const unsigned cols[] = { PT_T_ID, PT_T_QUANTITY, PT_T_SIDE };
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_series_key key = { .kind = PT_TRADES };
    struct pt_series series;
    struct tally tally = { 0 };
    bool before, after;
    double before_id = 0, after_id = 0;

    *sums = (struct pt_signed_trades){ .reason = "no_trades" };
    memcpy(key.symbol, columns->symbol, sizeof key.symbol);
    enum pt_code rc = pt_series_find(self->read, &key, &series, err);
    if (rc == PT_ENOENT || (rc == PT_OK && series.rows == 0)) return PT_OK;
    if (rc != PT_OK) return rc;
    sums->reason = "trades_incomplete";
    if (series.first_us > from_us || series.last_us < to_us) return PT_OK;

    rc = neighbour(self->read, &key, series.first_us, from_us, true, &before, &before_id, err);
    if (rc == PT_OK)
        rc = neighbour(self->read, &key, to_us, INT64_MAX, false, &after, &after_id, err);
    if (rc == PT_OK)
        rc = pt_series_scan(self->read, &key, from_us, to_us, cols, 3, take_trades, &tally, err);
    if (rc != PT_OK) return rc;
    if (tally.any) {
        if (before && tally.first_id != before_id + 1) tally.hole = true;
        if (after && after_id != tally.last_id + 1) tally.hole = true;
    } else if (!before || !after || after_id != before_id + 1) {
        tally.hole = true;
    }
    if (tally.hole) return PT_OK;
    *sums = (struct pt_signed_trades){ tally.sum[PT_SIDE_BUY] + tally.lost[PT_SIDE_BUY],
                                       tally.sum[PT_SIDE_SELL] + tally.lost[PT_SIDE_SELL], NULL };
    return PT_OK;
}

static enum pt_code others(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                           int64_t to_us, struct pt_frame *frame, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_series_key key = { .kind = kind };
    uint64_t rows = 0;
    memcpy(key.symbol, columns->symbol, sizeof key.symbol);
    enum pt_code rc = pt_series_count(self->read, &key, from_us, to_us, &rows, err);
    if (rc != PT_OK) return rc;
    if (rows > OTHERS_MAX)
        return pt_fail(err, PT_ERANGE,
                       "%s: the span holds %" PRIu64 " rows of %s, at most %" PRIu64
                       " are read: ask for less",
                       columns->symbol, rows, pt_kind(kind)->name, OTHERS_MAX);
    return pt_series_read(self->read, &key, from_us, to_us, 0, frame, err);
}

static const struct pt_columns_source store_source = { load, rows, benchmark, trades, others };

/* ---- opening
 * ------------------------------------------------------------------------------------------- */

enum pt_code pt_store_columns_open(struct pt_store_columns *self, struct pt_read *read,
                                   const char *symbol, int64_t period_us, int64_t from_us,
                                   int64_t as_of_us, const char *benchmark_symbol, uint32_t mask,
                                   struct pt_err *err)
{
    struct pt_columns *columns = &self->columns;
    *columns = (struct pt_columns){
        .source = &store_source, .period_us = period_us, .from_us = from_us, .as_of_us = as_of_us
    };
    memcpy(columns->symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    self->aligned = (struct pt_columns){ 0 };
    self->other = NULL;
    columns->returns = &self->returns;
    memset(self->returns.made, 0, sizeof self->returns.made);
    self->benchmark_mask = 0;
    self->read = read;
    self->benchmark = benchmark_symbol;
    enum pt_code rc = pt_bars_source(read, symbol, period_us, &self->bars, err);
    if (rc != PT_OK || self->bars.period_us == 0) return rc;
    if (self->bars.period_us != period_us) {
        rc = load_built(self, mask, true, err);
        /* a sum that fits no decimal is the fault of who asks for it, not of the others */
        return rc == PT_ERANGE && mask ? load_built(self, 0, true, err) : rc;
    }
    uint64_t most = (uint64_t)((as_of_us - from_us) / period_us) + 1;
    if (most > self->bars.series.rows) most = self->bars.series.rows;
    if (!reserve(self, (size_t)most))
        return pt_fail(err, PT_ENOMEM, "%zu bars of %s", (size_t)most, symbol);
    columns->time_us = self->time_us;
    return load_stored(self, mask, true, err);
}
