#include "serve/overview.h"

#include "base/decimal.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/result.h"
#include "serve/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const pt_overview_names[PT_OV_METRICS] = { "volatility", "volume", "trend", "regime" };

/* ---- one pair ---- */

struct newest {
    bool found;
    bson_t doc;
};

static bool take_newest(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    struct newest *newest = arg;
    (void)key;
    (void)key_len;
    newest->found = bson_init_static(&newest->doc, bson_get_data(view), view->len);
    return false;
}

/* From good to bad; a word that is not among them is as bad as can be. */
static const char *const statuses[] = { "ok", "gap", "stale", "warming", "empty", "error" };

static size_t badness(const char *status)
{
    size_t i = 0;
    while (i < sizeof statuses / sizeof statuses[0] - 1 && strcmp(statuses[i], status) != 0) i++;
    return i;
}

static void take_status(struct pt_overview *line, const char *status)
{
    size_t bad = badness(status);
    if (bad > badness(line->status)) line->status = statuses[bad];
}

static bool take_number(const bson_t *doc, const char *path, double *out)
{
    return pt_doc_double(doc, path, out) && isfinite(*out);
}

static bool take_word(const bson_t *doc, const char *path, char out[PT_TRAIL_WORD_MAX])
{
    const char *word;
    if (!pt_doc_text(doc, path, &word) || strlen(word) >= PT_TRAIL_WORD_MAX) return false;
    strcpy(out, word);
    return true;
}

static bool take_fields(struct pt_overview *line, int metric, const bson_t *doc)
{
    bool one, two = false;
    switch (metric) {
    case PT_OV_VOLATILITY: one = take_number(doc, "data.annualized", &line->annualized); break;
    case PT_OV_VOLUME: one = take_number(doc, "data.volume_spike_ratio", &line->spike_ratio); break;
    case PT_OV_TREND:
        one = take_word(doc, "data.crossover_signal", line->direction);
        two = take_number(doc, "data.rate_of_change", &line->roc);
        break;
    default:
        one = take_word(doc, "data.regime", line->classification);
        two = take_number(doc, "data.confidence", &line->confidence);
        break;
    }
    return one || two;
}

static void take_result(struct pt_overview *line, int metric, int64_t period_us, int64_t now_us,
                        const bson_t *doc)
{
    const char *status = "error";
    int64_t as_of_us;
    pt_doc_text(doc, "status", &status);
    if (!pt_result_as_of(doc, &as_of_us) || pt_result_failed(doc)) {
        take_status(line, "error");
        return;
    }
    int64_t stale_us = pt_results_stale_us(NULL, as_of_us, period_us);
    if (as_of_us > line->as_of_us || line->as_of_us == PT_MISSING) line->as_of_us = as_of_us;
    if (now_us <= stale_us && stale_us < line->stale_us) line->stale_us = stale_us;
    take_status(line, status);
    if (now_us > stale_us) take_status(line, "stale"); /* old does not make what is worse better */
    line->there[metric] = take_fields(line, metric, doc);
}

enum pt_code pt_overview_read(struct pt_read *read, int64_t period_us, int64_t now_us,
                              struct pt_overview *line, struct pt_err *err)
{
    uint8_t from[16], to[16];
    enum pt_code rc = PT_OK;
    struct pt_overview fresh = { .annualized = NAN,
                                 .spike_ratio = NAN,
                                 .roc = NAN,
                                 .confidence = NAN,
                                 .status = "ok",
                                 .as_of_us = PT_MISSING,
                                 .stale_us = INT64_MAX };
    strcpy(fresh.pair, line->pair);
    *line = fresh;
    pt_result_key(period_us, 0, from);
    pt_result_key(period_us, INT64_MAX, to);
    line->available = true;
    for (int metric = 0; metric < PT_OV_METRICS && rc == PT_OK; metric++) {
        char collection[PT_COLLECTION_MAX];
        struct newest newest = { 0 };
        pt_result_collection(line->pair, pt_overview_names[metric], collection);
        rc = pt_docs_scan(read, collection, from, sizeof from, to, sizeof to, true, take_newest,
                          &newest, err);
        if (rc == PT_EDAMAGE) { /* takes no other pair with it */
            pt_log(PT_WARN, "overview", "damaged", "collection=%s error=\"%s\"", collection,
                   err->text);
            take_status(line, "error");
            rc = PT_OK;
        } else if (newest.found) {
            take_result(line, metric, period_us, now_us, &newest.doc);
        } else {
            take_status(line, "empty");
        }
        line->available = line->available && line->there[metric];
    }
    return rc;
}

/* ---- which pairs ---- */

struct symbols {
    int64_t period_us;
    char (*v)[PT_SYMBOL_MAX];
    size_t n, cap;
    bool failed;
};

static bool take_symbol(void *arg, const struct pt_series *series)
{
    struct symbols *symbols = arg;
    const struct pt_series_key *key = &series->key;
    if (key->kind != PT_CANDLES || series->rows == 0 || key->period_us > symbols->period_us ||
        symbols->period_us % key->period_us != 0)
        return true;
    if (symbols->n == symbols->cap) {
        size_t cap = symbols->cap == 0 ? 64 : symbols->cap * 2;
        void *v = realloc(symbols->v, cap * sizeof *symbols->v);
        if (v == NULL) {
            symbols->failed = true;
            return false;
        }
        symbols->v = v;
        symbols->cap = cap;
    }
    strcpy(symbols->v[symbols->n++], key->symbol);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum pt_code pt_overview_pairs(struct pt_read *read, int64_t period_us,
                               char (**pairs)[PT_SYMBOL_MAX], size_t *n, struct pt_err *err)
{
    struct symbols symbols = { .period_us = period_us };
    enum pt_code rc = pt_series_each(read, take_symbol, &symbols, err);
    if (rc == PT_OK && symbols.failed) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    if (symbols.n > 1) qsort(symbols.v, symbols.n, sizeof *symbols.v, by_name);
    size_t kept = 0;
    for (size_t i = 0; i < symbols.n; i++) {
        if (kept > 0 && strcmp(symbols.v[kept - 1], symbols.v[i]) == 0) continue;
        memmove(symbols.v[kept++], symbols.v[i], sizeof *symbols.v);
    }
    *pairs = symbols.v;
    *n = kept;
    return rc;
}
