/* catalog.c - the list of datasets, made of the store's own records. [layer: serve] */
#include "serve/catalog.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "analytics_"
#define PERIODS_MAX 32 /* of one collection of results; more are counted, not judged */

void pt_catalog_fini(struct pt_catalog *catalog)
{
    free(catalog->v);
    *catalog = (struct pt_catalog){ 0 };
}

struct making {
    struct pt_catalog *catalog;
    bool failed; /* no memory */
};

static struct pt_dataset *add(struct making *making)
{
    struct pt_catalog *catalog = making->catalog;
    if (catalog->n == catalog->cap) {
        size_t cap = catalog->cap == 0 ? 64 : catalog->cap * 2;
        struct pt_dataset *v = realloc(catalog->v, cap * sizeof *v);
        if (v == NULL) {
            making->failed = true;
            return NULL;
        }
        catalog->v = v;
        catalog->cap = cap;
    }
    struct pt_dataset *dataset = &catalog->v[catalog->n++];
    *dataset = (struct pt_dataset){
        .first_us = PT_MISSING, .last_us = PT_MISSING, .updated_us = PT_MISSING, .score = NAN
    };
    return dataset;
}

static bool add_series(void *arg, const struct pt_series *series)
{
    struct pt_dataset *dataset = add(arg);
    if (dataset == NULL) return false;
    _Static_assert(sizeof dataset->id >= PT_SERIES_TEXT_MAX, "room for the name of a series");
    pt_series_print(&series->key, dataset->id);
    memcpy(dataset->symbol, series->key.symbol, sizeof dataset->symbol);
    dataset->series = *series;
    dataset->rows = series->rows;
    dataset->first_us = series->first_us;
    dataset->last_us = series->last_us;
    dataset->updated_us = series->updated_us;
    return true;
}

/* "analytics_BTCUSDT_trend": symbols have no small letters, names of scripts begin with one. */
static bool add_results(void *arg, const char *name)
{
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0) return true;
    const char *symbol = name + sizeof PREFIX - 1, *metric = symbol;
    while (*metric != '\0' && !(*metric >= 'a' && *metric <= 'z')) metric++;
    size_t symbol_len = metric > symbol ? (size_t)(metric - symbol - 1) : 0;
    size_t len = strlen(name), metric_len = strlen(metric);
    if (len >= PT_COLLECTION_MAX || symbol_len >= PT_SYMBOL_MAX || metric_len == 0 ||
        metric_len >= PT_SCRIPT_NAME_MAX)
        return true; /* none of ours */
    struct pt_dataset *dataset = add(arg);
    if (dataset == NULL) return false;
    memcpy(dataset->id, name, len + 1);
    memcpy(dataset->symbol, symbol, symbol_len);
    memcpy(dataset->metric, metric, metric_len + 1);
    return true;
}

/* ---- results ---- */

struct keys {
    struct pt_dataset *dataset;
    uint8_t newest[PERIODS_MAX][16]; /* the last key of each period */
    size_t n;
};

static int64_t key_number(const uint8_t *bytes) /* of pt_result_key */
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | bytes[i];
    return (int64_t)(v ^ UINT64_C(1) << 63);
}

static bool take_key(void *arg, const void *key, size_t len)
{
    struct keys *keys = arg;
    struct pt_dataset *dataset = keys->dataset;
    dataset->rows++;
    if (len != 16) return true;
    int64_t as_of_us = key_number((const uint8_t *)key + 8);
    if (dataset->first_us == PT_MISSING || as_of_us < dataset->first_us)
        dataset->first_us = as_of_us;
    if (dataset->last_us == PT_MISSING || as_of_us > dataset->last_us) dataset->last_us = as_of_us;
    bool other = keys->n == 0 || memcmp(keys->newest[keys->n - 1], key, 8) != 0;
    if (other && keys->n == PERIODS_MAX) return true;
    if (other) keys->n++;
    memcpy(keys->newest[keys->n - 1], key, 16);
    return true;
}

static void take_time(struct pt_dataset *dataset, const bson_t *doc)
{
    bson_iter_t top, iter;
    if (!bson_iter_init(&top, doc) ||
        !bson_iter_find_descendant(&top, "metadata.computed_at", &iter) ||
        !BSON_ITER_HOLDS_DATE_TIME(&iter))
        return;
    int64_t us = bson_iter_date_time(&iter) * 1000;
    if (dataset->updated_us == PT_MISSING || us > dataset->updated_us) dataset->updated_us = us;
}

/* The worst of the newest results of its periods. */
static enum pt_code judge_results(struct pt_read *read, struct pt_dataset *dataset, int64_t now_us,
                                  struct pt_err *err)
{
    struct keys keys = { .dataset = dataset };
    enum pt_code rc = pt_docs_keys(read, dataset->id, take_key, &keys, err);
    for (size_t i = 0; i < keys.n && rc == PT_OK; i++) {
        bson_t doc;
        double completeness = 0;
        rc = pt_docs_get(read, dataset->id, keys.newest[i], 16, &doc, err);
        if (rc != PT_OK) return rc;
        pt_doc_double(&doc, "metadata.completeness", &completeness);
        take_time(dataset, &doc);
        int64_t period_us = key_number(keys.newest[i]);
        int64_t age_us = now_us - key_number(keys.newest[i] + 8);
        double score = pt_score(completeness, pt_freshness(age_us, period_us));
        if (pt_result_failed(&doc)) score = 0;
        if (isnan(dataset->score) || score < dataset->score) dataset->score = score;
    }
    return rc;
}

static enum pt_code judge(struct pt_read *read, struct pt_dataset *dataset, int64_t now_us,
                          struct pt_err *err)
{
    struct pt_span span;
    if (dataset->metric[0] != '\0') return judge_results(read, dataset, now_us, err);
    if (dataset->series.key.kind != PT_CANDLES) return PT_OK;
    enum pt_code rc = pt_span_read(read, &dataset->series, &span, err);
    if (rc == PT_OK && span.close_us != PT_MISSING) {
        double fresh = pt_freshness(now_us - span.close_us, dataset->series.key.period_us);
        dataset->score = pt_score(pt_span_percent(&span), fresh);
    }
    return rc;
}

/* ---- the list ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct pt_dataset *)a)->id, ((const struct pt_dataset *)b)->id);
}

enum pt_code pt_catalog_refresh(struct pt_catalog *catalog, struct pt_store *store, int64_t now_us,
                                struct pt_err *err)
{
    uint64_t commit = pt_store_commit_id(store);
    int64_t age_us = now_us - catalog->made_us, start_us = pt_mono_us();
    /* what is kept also grows older: freshness is of the time when it was made */
    bool young = age_us >= 0 && age_us < (commit == catalog->commit ? PT_US_SEC : 0);
    if (catalog->made && (young || (age_us >= 0 && age_us < PT_CATALOG_SHARE * catalog->cost_us)))
        return PT_OK;
    struct making making = { .catalog = catalog };
    struct pt_read *read = NULL;
    catalog->n = 0;
    catalog->made = false;
    enum pt_code rc = pt_read_begin(store, &read, err);
    if (rc == PT_OK) rc = pt_series_each(read, add_series, &making, err);
    if (rc == PT_OK) rc = pt_docs_collections(read, add_results, &making, err);
    if (rc == PT_OK && making.failed) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    for (size_t i = 0; i < catalog->n && rc == PT_OK; i++) {
        rc = judge(read, &catalog->v[i], now_us, err);
        if (rc != PT_EDAMAGE) continue;
        /* one that cannot be read is as bad as can be, and takes no other with it */
        pt_log(PT_WARN, "catalog", "damaged", "dataset=%s error=\"%s\"", catalog->v[i].id,
               err->text);
        catalog->v[i].score = 0;
        rc = PT_OK;
    }
    pt_read_end(read);
    if (rc != PT_OK) return rc;
    if (catalog->n > 1) qsort(catalog->v, catalog->n, sizeof *catalog->v, by_id);
    catalog->made_us = now_us;
    catalog->cost_us = pt_mono_us() - start_us;
    catalog->commit = commit;
    catalog->made = true;
    return PT_OK;
}

const struct pt_dataset *pt_catalog_find(const struct pt_catalog *catalog, const char *id)
{
    size_t low = 0, high = catalog->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(catalog->v[mid].id, id);
        if (c == 0) return &catalog->v[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
