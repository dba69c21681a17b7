/* store_benchmark.c - the benchmark's bars, kept between units, on the bars of another symbol.
 *                                                                            [layer: bindings] */
#include "bindings/store_columns.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Windows kept between units: the newest few that fit. All symbols of a period look at the same. */
#define BENCHMARKS_N 8
#define BENCHMARKS_BYTES ((size_t)16 << 20)

struct pt_benchmarks {
    struct pt_store_columns kept[BENCHMARKS_N];
    uint64_t used[BENCHMARKS_N], clock; /* used: the clock when a unit last asked; 0 = empty */
};

/* ---- what is kept -------------------------------------------------------------------------- */

void pt_benchmarks_free(struct pt_benchmarks *list)
{
    for (size_t i = 0; list && i < BENCHMARKS_N; i++) pt_store_columns_fini(&list->kept[i]);
    free(list);
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

static void drop(struct pt_benchmarks *list, size_t i)
{
    pt_store_columns_fini(&list->kept[i]);
    list->used[i] = 0;
}

void pt_benchmarks_trim(struct pt_benchmarks *list)
{
    size_t bytes = 0;
    if (!list) return;
    for (size_t i = 0; i < BENCHMARKS_N; i++) {
        list->kept[i].read = NULL;             /* of the unit that is over */
        if (list->used[i] == 0) drop(list, i); /* could not be read */
        bytes += pt_store_columns_bytes(&list->kept[i]);
    }
    while (bytes > BENCHMARKS_BYTES) {
        size_t first = BENCHMARKS_N;
        for (size_t i = 0; i < BENCHMARKS_N; i++) {
            bool some = list->used[i] > 0;
            if (some && (first == BENCHMARKS_N || list->used[i] < list->used[first])) first = i;
        }
        if (first == BENCHMARKS_N) return;
        bytes -= pt_store_columns_bytes(&list->kept[first]);
        drop(list, first);
    }
}

/* The benchmark's bars in our window: kept ones when no closed bar of their series has changed,
 * else read. */
static enum pt_code find(struct pt_store_columns *self, struct pt_err *err)
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
           !(list->used[at] > 0 &&
             pt_store_columns_reach(&list->kept[at], columns->period_us, columns->from_us, &now)))
        at++;
    if (at == BENCHMARKS_N) at = oldest(list);
    struct pt_store_columns *other = &list->kept[at];
    list->used[at] = 0;
    rc = pt_store_columns_open(other, self->read, self->benchmark, columns->period_us,
                               columns->from_us, columns->as_of_us, NULL,
                               self->benchmark_mask ? self->benchmark_mask : 1u << PT_C_CLOSE, err);
    if (rc != PT_OK) return rc;
    list->used[at] = ++list->clock;
    self->other = other;
    return PT_OK;
}

/* ---- on our bars --------------------------------------------------------------------------- */

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
        if (self->same_rows) {
            aligned->data[c] = from;
            aligned->before = other->before;
            aligned->after = other->after;
            continue;
        }
        double *to = pt_store_columns_mem(&self->aligned_mem[c], self->aligned_cap);
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

enum pt_code pt_store_benchmark(struct pt_columns *columns, struct pt_columns **aligned,
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
        rc = find(self, err);
    if (rc != PT_OK) return rc;
    *out = (struct pt_columns){ .source = &aligned_source,
                                .period_us = columns->period_us,
                                .from_us = columns->from_us,
                                .as_of_us = columns->as_of_us };
    memcpy(out->symbol, self->other->columns.symbol, sizeof out->symbol);
    const struct pt_columns *other = &self->other->columns;
    if (other->n == 0) return PT_OK; /* not stored: no benchmark */
    self->same_rows = other->n == columns->n && memcmp(other->time_us, columns->time_us,
                                                       other->n * sizeof *other->time_us) == 0;
    out->n = columns->n;
    out->time_us = self->same_rows ? other->time_us : columns->time_us;
    if (self->same_rows) out->returns = &self->other->returns;
    *aligned = out;
    return PT_OK;
}
