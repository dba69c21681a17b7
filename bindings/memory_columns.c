/* memory_columns.c - bars from plain arrays, for specs without a store.        [layer: bindings] */
#include "bindings/memory_columns.h"

#include "base/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum pt_code load(struct pt_columns *columns, uint32_t mask, struct pt_err *err)
{
    return pt_fail(err, PT_EINVAL, "%s: columns %x are not there", columns->symbol, (unsigned)mask);
}

/* The decimal that is written as the double: what a feed would have sent. */
static enum pt_code decimal(double x, int64_t *mantissa, uint8_t *digits, struct pt_err *err)
{
    char text[PT_DOUBLE_TEXT_MAX];
    *mantissa = PT_MISSING;
    *digits = 0;
    if (!isfinite(x)) return PT_OK;
    size_t len = pt_double_print(x, text);
    if (pt_dec_parse(text, len, mantissa, digits) == PT_OK) return PT_OK;
    return pt_fail(err, PT_ERANGE, "%s is no exact decimal; bars to be resampled need some", text);
}

static enum pt_code rows(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                         struct pt_frame *frame, struct pt_err *err)
{
    for (size_t i = pt_columns_lower(columns, from_us);
         i < columns->n && columns->time_us[i] < to_us; i++) {
        int64_t val[PT_C_CLOSED + 1] = { columns->time_us[i] };
        uint8_t dig[PT_C_CLOSED + 1] = { 0 };
        val[PT_C_CLOSED] = 1;
        for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
            double x = columns->data[c][i];
            if (c == PT_C_TRADES) {
                val[c] = isfinite(x) ? (int64_t)x : PT_MISSING;
                continue;
            }
            enum pt_code rc = decimal(x, &val[c], &dig[c], err);
            if (rc != PT_OK) return rc;
        }
        if (pt_frame_push(frame, val, dig) != PT_OK)
            return pt_fail(err, PT_ENOMEM, "rows of %s", columns->symbol);
    }
    return PT_OK;
}

static enum pt_code benchmark(struct pt_columns *columns, struct pt_columns **aligned,
                              struct pt_err *err)
{
    struct pt_memory_columns *self = (struct pt_memory_columns *)columns;
    (void)err;
    *aligned = self->other ? &self->other->columns : NULL;
    return PT_OK;
}

static enum pt_code trades(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                           struct pt_signed_trades *sums, struct pt_err *err)
{
    const struct pt_memory_columns *self = (struct pt_memory_columns *)columns;
    (void)from_us, (void)to_us, (void)err;
    *sums = self->has_trades ? self->trades : (struct pt_signed_trades){ .reason = "no_trades" };
    return PT_OK;
}

static enum pt_code others(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                           int64_t to_us, struct pt_frame *frame, struct pt_err *err)
{
    const struct pt_memory_columns *self = (struct pt_memory_columns *)columns;
    const struct pt_frame *all = self->others[kind];
    if (!all) return PT_OK;
    size_t from = pt_frame_lower(all, from_us), to = pt_frame_lower(all, to_us);
    if (pt_frame_append(frame, all, from, to - from) == PT_OK) return PT_OK;
    return pt_fail(err, PT_ENOMEM, "rows of %s", columns->symbol);
}

static const struct pt_columns_source memory_source = { load, rows, benchmark, trades, others };

enum pt_code pt_memory_columns_other(struct pt_memory_columns *self, enum pt_kind_id kind,
                                     const double *cells, struct pt_err *err)
{
    struct pt_frame **frame = &self->others[kind];
    int64_t val[PT_COLS_MAX];
    uint8_t dig[PT_COLS_MAX] = { 0 };
    enum pt_code rc = PT_OK;
    if (!*frame) {
        *frame = malloc(sizeof **frame);
        if (!*frame) return pt_fail(err, PT_ENOMEM, "rows of %s", pt_kind(kind)->name);
        pt_frame_init(*frame, pt_kind(kind));
    }
    const struct pt_kind *schema = pt_kind(kind);
    for (unsigned c = 0; c < schema->ncols && rc == PT_OK; c++) {
        if (schema->cols[c].type == PT_TYPE_DEC)
            rc = decimal(cells[c], &val[c], &dig[c], err);
        else
            val[c] = isfinite(cells[c]) ? (int64_t)cells[c] : PT_MISSING;
    }
    if (rc == PT_OK && pt_frame_push(*frame, val, dig) != PT_OK)
        rc = pt_fail(err, PT_ENOMEM, "rows of %s", schema->name);
    return rc;
}

enum pt_code pt_memory_columns_init(struct pt_memory_columns *self, const char *symbol,
                                    int64_t period_us, size_t n, struct pt_err *err)
{
    memset(self, 0, sizeof *self);
    self->time_us = calloc(n ? n : 1, sizeof *self->time_us);
    bool good = self->time_us != NULL;
    for (unsigned c = 1; c < PT_COLUMNS_N && good; c++) {
        good = (self->mem[c] = malloc((n ? n : 1) * sizeof(double))) != NULL;
        for (size_t i = 0; good && i < n; i++) self->mem[c][i] = NAN;
        self->columns.data[c] = self->mem[c];
    }
    self->columns.source = &memory_source;
    self->columns.period_us = period_us;
    self->columns.n = n;
    self->columns.time_us = self->time_us;
    memcpy(self->columns.symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    if (good) return PT_OK;
    pt_memory_columns_fini(self);
    return pt_fail(err, PT_ENOMEM, "%zu rows of %s", n, symbol);
}

void pt_memory_columns_others_fini(struct pt_memory_columns *self)
{
    for (unsigned k = 0; k < PT_KINDS; k++) {
        if (self->others[k]) pt_frame_fini(self->others[k]);
        free(self->others[k]);
        self->others[k] = NULL;
    }
}

void pt_memory_columns_fini(struct pt_memory_columns *self)
{
    if (self->other) pt_memory_columns_fini(self->other);
    free(self->other);
    pt_memory_columns_others_fini(self);
    free(self->time_us);
    for (unsigned c = 0; c < PT_COLUMNS_N; c++) free(self->mem[c]);
    memset(self, 0, sizeof *self);
}

enum pt_code pt_memory_columns_benchmark(struct pt_memory_columns *self,
                                         struct pt_memory_columns *given, struct pt_err *err)
{
    struct pt_memory_columns *other = calloc(1, sizeof *other);
    const struct pt_columns *from = &given->columns;
    enum pt_code rc = other ? pt_memory_columns_init(other, from->symbol, self->columns.period_us,
                                                     self->columns.n, err)
                            : pt_fail(err, PT_ENOMEM, "benchmark");
    if (rc == PT_OK) {
        other->columns.as_of_us = self->columns.as_of_us;
        if (self->columns.n > 0)
            memcpy(other->time_us, self->time_us, self->columns.n * sizeof *other->time_us);
        for (size_t i = 0; i < self->columns.n; i++) {
            size_t k = pt_columns_lower(from, self->time_us[i]);
            if (k == from->n || from->time_us[k] != self->time_us[i]) continue;
            for (unsigned c = 1; c < PT_COLUMNS_N; c++) other->mem[c][i] = from->data[c][k];
        }
        self->other = other;
    } else {
        free(other);
    }
    pt_memory_columns_fini(given);
    return rc;
}
