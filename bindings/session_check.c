/* session_check.c - a script of the load message checked, in the worker.       [layer: bindings] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "bindings/check.h"
#include "bindings/guard.h"
#include "bindings/session.h"
#include "bindings/store_books.h"
#include "store/books.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- recorded markets
 * ------------------------------------------------------------------------------------ */

#define SYMBOLS_MAX 8
#define ROWS_MAX ((size_t)20000)
#define BOOKS_MAX ((size_t)5000) /* the newest of a span; 640 bytes each */
#define FRONT 40                 /* bars read before the window */
#define BACK 12                  /* the window ends so many bars before the newest */

struct symbols {
    enum pt_kind_id kind; /* those with rows of this one */
    size_t n;
    char v[SYMBOLS_MAX][PT_SYMBOL_MAX];
};

static bool add_symbol(void *arg, const struct pt_series *series)
{
    struct symbols *list = arg;
    if (series->key.kind != list->kind || series->rows == 0) return true;
    if (list->n > 0 && strcmp(list->v[list->n - 1], series->key.symbol) == 0) return true;
    memcpy(list->v[list->n++], series->key.symbol, PT_SYMBOL_MAX);
    return list->n < SYMBOLS_MAX;
}

static enum pt_code copy_columns(struct pt_columns *from, struct pt_memory_columns *out,
                                 struct pt_err *err)
{
    enum pt_code rc = pt_memory_columns_init(out, from->symbol, from->period_us, from->n, err);
    if (rc != PT_OK || from->n == 0) return rc;
    memcpy(out->time_us, from->time_us, from->n * sizeof *out->time_us);
    out->columns.as_of_us = from->as_of_us;
    for (unsigned c = 1; c < PT_COLUMNS_N; c++) {
        const double *p = pt_columns_get(from, c, err);
        if (!p) {
            pt_memory_columns_fini(out);
            return err->code;
        }
        memcpy(out->mem[c], p, from->n * sizeof *p);
    }
    return PT_OK;
}

static enum pt_code add_others(const struct pt_check_need *need, struct pt_columns *from,
                               struct pt_memory_columns *bars, struct pt_err *err)
{
    struct pt_columns *aligned = NULL;
    struct pt_memory_columns other;
    enum pt_code rc = PT_OK;
    if (need->benchmark) rc = from->source->benchmark(from, &aligned, err);
    if (rc == PT_OK && aligned) {
        rc = copy_columns(aligned, &other, err);
        if (rc == PT_OK) rc = pt_memory_columns_benchmark(bars, &other, err);
    }
    if (rc != PT_OK || !need->trades) return rc;
    rc = from->source->trades(from, from->from_us, from->as_of_us, &bars->trades, err);
    bars->has_trades = rc == PT_OK && !bars->trades.reason;
    return rc;
}

static enum pt_code read_market(struct pt_session *self, struct pt_read *read, const char *symbol,
                                int64_t close_us, const struct pt_check_need *need,
                                struct pt_check_market *market, struct pt_err *err)
{
    char name[48], period[PT_PERIOD_TEXT_MAX];
    struct pt_memory_columns bars = { 0 };
    size_t rows = (need->deep < ROWS_MAX ? need->deep : ROWS_MAX) + FRONT + BACK;
    enum pt_code rc = pt_store_columns_open(&self->columns, read, symbol, need->period_us,
                                            close_us - (int64_t)rows * need->period_us, close_us,
                                            self->benchmark, PT_COLUMNS_ALL, err);
    if (rc == PT_OK) rc = copy_columns(&self->columns.columns, &bars, err);
    if (rc == PT_OK) rc = add_others(need, &self->columns.columns, &bars, err);
    bars.columns.as_of_us = close_us;
    if (rc == PT_OK && need->books_us == 0 && bars.columns.n > 4 * BACK)
        bars.columns.as_of_us = bars.time_us[bars.columns.n - BACK - 1] + need->period_us;
    pt_period_print(need->period_us, period);
    snprintf(name, sizeof name, "%.20s %.8s as recorded", symbol, period);
    if (rc == PT_OK) rc = pt_check_market_take(name, need, &bars, market, err);
    pt_memory_columns_fini(&bars);
    pt_store_columns_done(&self->columns);
    return rc;
}

/* The books of the span before as_of_us, the newest with its levels. */
static enum pt_code read_books(struct pt_read *read, const char *symbol, int64_t as_of_us,
                               const struct pt_check_need *need, struct pt_check_market *market,
                               struct pt_err *err)
{
    struct pt_store_books stored = { 0 };
    struct pt_memory_books *out = &market->books;
    enum pt_code rc = pt_store_books_open(&stored, read, symbol, as_of_us, need->books_us, err);
    const struct pt_books *books = &stored.books;
    size_t first = books->n > BOOKS_MAX ? books->n - BOOKS_MAX : 0;
    if (rc == PT_OK) rc = pt_memory_books_init(out, symbol, books->n - first, err);
    for (size_t i = first; rc == PT_OK && i < books->n; i++) {
        size_t at = i - first;
        out->time_us[at] = books->time_us[i];
        out->bid[at] = books->bid[i];
        out->ask[at] = books->ask[i];
        for (int s = 0; s < 2; s++) {
            size_t n = i + 1 == books->n ? books->levels[s] : 0;
            for (size_t k = 0; k < PT_DEPTH_LEVELS; k++) {
                out->levels[at][s][0][k] = k < n ? books->price[s][k] : NAN;
                out->levels[at][s][1][k] = k < n ? books->quantity[s][k] : NAN;
            }
        }
    }
    market->books_us = need->books_us;
    market->newest_us = as_of_us;
    pt_store_books_fini(&stored);
    return rc;
}

/* Symbol i of those that have what is needed, and up to where. */
static enum pt_code find_symbol(struct pt_read *read, const struct symbols *list, size_t i,
                                const struct pt_check_need *need, const char **symbol,
                                int64_t *as_of_us, struct pt_err *err)
{
    *symbol = NULL;
    for (size_t k = 0; k < list->n; k++) {
        enum pt_code rc =
            need->books_us > 0
                ? pt_books_last(read, list->v[k], INT64_MAX, as_of_us, err)
                : pt_bars_last_close(read, list->v[k], need->period_us, INT64_MAX, as_of_us, err);
        if (rc != PT_OK) return rc;
        if (*as_of_us == PT_MISSING || i-- > 0) continue;
        *symbol = list->v[k];
        break;
    }
    return PT_OK;
}

/* All symbols at once, up to the newest close of any. */
static enum pt_code read_symbols(struct pt_session *self, struct pt_read *read,
                                 const struct symbols *list, const struct pt_check_need *need,
                                 struct pt_check_market *market, struct pt_err *err)
{
    struct pt_check_symbols symbols = { 0 };
    struct pt_memory_columns bars = { 0 };
    int64_t newest_us = PT_MISSING, close_us;
    enum pt_code rc = PT_OK;
    size_t rows = (need->rows < ROWS_MAX ? need->rows : ROWS_MAX) + FRONT;
    for (size_t i = 0; i < list->n && rc == PT_OK; i++) {
        rc = pt_bars_last_close(read, list->v[i], need->period_us, INT64_MAX, &close_us, err);
        if (rc == PT_OK && close_us > newest_us) newest_us = close_us;
    }
    for (size_t i = 0; i < list->n && rc == PT_OK && newest_us != PT_MISSING; i++) {
        rc = pt_store_columns_open(&self->columns, read, list->v[i], need->period_us,
                                   newest_us - (int64_t)rows * need->period_us, newest_us, "",
                                   PT_COLUMNS_ALL, err);
        if (rc == PT_OK) rc = copy_columns(&self->columns.columns, &symbols.v[symbols.n], err);
        symbols.n += rc == PT_OK;
        pt_store_columns_done(&self->columns);
    }
    bool some = rc == PT_OK && newest_us != PT_MISSING;
    if (some) rc = pt_memory_columns_init(&bars, "", need->period_us, 0, err);
    bars.columns.as_of_us = newest_us;
    if (some && rc == PT_OK)
        rc = pt_check_market_take("the market as recorded", need, &bars, market, err);
    if (some && rc == PT_OK)
        market->symbols = symbols;
    else
        pt_check_symbols_fini(&symbols);
    return rc;
}

/* The i-th symbol, in order of their names, that has what the script needs; of a script of the
 * whole market all of them. */
static enum pt_code record(void *arg, size_t i, const struct pt_check_need *need,
                           struct pt_check_market *market, bool *some, struct pt_err *err)
{
    struct pt_session *self = arg;
    struct pt_read *read = NULL;
    struct symbols list = { .kind = need->books_us > 0 ? PT_DEPTH : PT_CANDLES };
    const char *symbol = NULL;
    int64_t as_of_us;
    *some = false;
    if (need->market && i > 0) return PT_OK;
    enum pt_code rc = pt_read_begin(self->store, &read, err);
    if (rc == PT_OK) rc = pt_series_each(read, add_symbol, &list, err);
    if (need->market) {
        if (rc == PT_OK) rc = read_symbols(self, read, &list, need, market, err);
        *some = rc == PT_OK && market->symbols.n > 0;
        pt_read_end(read);
        return rc;
    }
    if (rc == PT_OK) rc = find_symbol(read, &list, i, need, &symbol, &as_of_us, err);
    *some = rc == PT_OK && symbol;
    if (*some)
        rc = read_market(self, read, symbol, pt_period_floor(need->period_us, as_of_us), need,
                         market, err);
    if (*some && rc == PT_OK && need->books_us > 0) {
        rc = read_books(read, symbol, as_of_us, need, market, err);
        if (rc != PT_OK) pt_check_market_fini(market);
    }
    pt_read_end(read);
    return rc;
}

/* ---- blame
 * -----------------------------------------------------------------------------------------------
 */

/* Copies of a script share its file's name, which is borrowed. */
static void begin(void *arg, const struct pt_lua_script *script, int64_t budget_us)
{
    struct pt_session *self = arg;
    uint32_t line = self->status ? self->status->line : 0;
    for (size_t i = 0; i < self->nscripts; i++) {
        if (self->scripts[i].file != script->file) continue;
        bool same = self->status && self->status->script == i;
        pt_session_note(self, i);
        if (same) self->status->line = line;
    }
    pt_guard_arm(budget_us);
}

static void end(void *arg)
{
    (void)arg;
    pt_guard_disarm();
}

static void stays_at(void *arg, int line)
{
    const struct pt_session *self = arg;
    if (self->status && line > 0) self->status->line = (uint32_t)line;
}

/* ---- answer
 * ---------------------------------------------------------------------------------------------- */

static bool append_findings(bson_t *out, const struct pt_check *check)
{
    bson_t list, item;
    bool good = bson_append_array_begin(out, "findings", -1, &list);
    for (size_t i = 0; i < check->nfindings && good; i++) {
        const struct pt_finding *finding = &check->findings[i];
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        good = bson_append_document_begin(&list, index, -1, &item) &&
               bson_append_utf8(&item, "message", -1, finding->message, -1) &&
               bson_append_utf8(&item, "file", -1, finding->file, -1) &&
               (finding->line <= 0 || bson_append_int64(&item, "line", -1, finding->line)) &&
               bson_append_document_end(&list, &item);
    }
    return good && bson_append_array_end(out, &list);
}

static bool append_checked(bson_t *out, const struct pt_declaration *d,
                           const struct pt_check *check)
{
    bson_t child, notes;
    bool good = bson_append_document_begin(out, "checked", -1, &child) &&
                bson_append_utf8(&child, "name", -1, d->name, -1) &&
                bson_append_utf8(&child, "kind", -1, d->kind, -1) &&
                bson_append_int64(&child, "markets", -1, check->markets) &&
                bson_append_int64(&child, "calls", -1, check->calls) &&
                bson_append_int64(&child, "computed", -1, check->computed) &&
                bson_append_int64(&child, "elapsed_us", -1, check->elapsed_us) &&
                bson_append_int64(&child, "slowest_us", -1, check->slowest_us) &&
                bson_append_array_begin(&child, "notes", -1, &notes);
    for (size_t i = 0; i < check->nnotes && good; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        good = bson_append_utf8(&notes, index, -1, check->notes[i], -1);
    }
    return good && bson_append_array_end(&child, &notes) && bson_append_document_end(out, &child);
}

enum pt_code pt_session_check(struct pt_session *self, size_t i, bson_t *out,
                              struct pt_lua_fault *fault, struct pt_err *err)
{
    const struct pt_check_guard guard = { begin, end, stays_at, self };
    struct pt_lua_script **others = calloc(self->nscripts, sizeof *others);
    struct pt_check *check = calloc(1, sizeof *check);
    struct pt_check_opts opts = { .call_budget_us = self->call_budget_us,
                                  .file_budget_us = self->load_budget_us,
                                  .guard = &guard,
                                  .others = others,
                                  .record = self->store ? record : NULL,
                                  .record_arg = self };
    enum pt_code rc = others && check ? PT_OK : pt_fail(err, PT_ENOMEM, "checking a script");
    for (size_t k = 0; k < self->nscripts && rc == PT_OK; k++)
        others[opts.nothers++] = &self->scripts[k];
    if (rc == PT_OK) rc = pt_check_script(&self->scripts[i], &opts, check, err);
    if (rc == PT_OK && check->nfindings > 0) {
        const struct pt_finding *first = &check->findings[0];
        snprintf(fault->message, sizeof fault->message, "%s", first->message);
        snprintf(fault->file, sizeof fault->file, "%s", first->file);
        fault->line = first->line;
    }
    if (rc == PT_OK && !(append_checked(out, &self->scripts[i].declaration, check) &&
                         (check->nfindings == 0 || append_findings(out, check))))
        rc = pt_fail(err, PT_ENOMEM, "findings of %s", self->scripts[i].file);
    free(others);
    free(check);
    return rc;
}
