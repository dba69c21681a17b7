/* inputs.c - what the results of a unit rest on: pt_unit_inputs.               [layer: flow] */
#include "flow/inputs.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/job.h"

#include <string.h>
#include <xxhash.h>

/* Each piece is hashed with what came before as its seed. */
struct digest {
    struct pt_read *read;
    int64_t until_us; /* what is later is in no window */
    uint64_t sum;
    bool lost;
};

static void add(struct digest *digest, const void *bytes, size_t n)
{
    digest->sum = XXH3_64bits_withSeed(bytes, n, digest->sum);
}

static void add_text(struct digest *digest, const char *text)
{
    add(digest, text, strlen(text) + 1);
}

/* Of candles it matters too whether there are any: a series that has none is passed over where a
 * window is built. Of other kinds more can come at the time of the newest. */
static bool add_series(void *arg, const struct pt_series *series)
{
    struct digest *digest = arg;
    bool all = series->closed_us < digest->until_us; /* windows hold the newest, too */
    uint64_t rows = series->key.kind == PT_CANDLES ? series->rows > 0 : all ? series->rows : 0;
    const uint64_t state[] = { series->id, rows, series->corrected,
                               (uint64_t)(all ? series->closed_us : digest->until_us) };
    add(digest, state, sizeof state);
    return true;
}

static bool add_candles(void *arg, const struct pt_series *series)
{
    return series->key.kind != PT_CANDLES || add_series(arg, series);
}

/* Of all symbols: who counts as the benchmark or belongs to the market is told by their bars. */
static void add_market(struct digest *digest)
{
    struct pt_err err;
    digest->lost |= pt_series_each(digest->read, add_candles, digest, &err) != PT_OK;
}

static void add_one(struct digest *digest, const struct pt_series_key *key)
{
    struct pt_series series = { .key = *key, .closed_us = PT_MISSING };
    struct pt_err err;
    enum pt_code rc = pt_series_find(digest->read, key, &series, &err);
    digest->lost |= rc != PT_OK && rc != PT_ENOENT;
    add_series(digest, &series);
}

/* The candles of every period that is stored: which of them a window is built from depends on what
 * there is. */
static void add_symbol(struct digest *digest, const char *symbol,
                       const struct pt_script_needs *needs)
{
    struct pt_series_key key = { .kind = PT_CANDLES };
    memcpy(key.symbol, symbol, strlen(symbol));
    for (size_t i = 0; pt_periods[i] != 0; i++) {
        key.period_us = pt_periods[i];
        add_one(digest, &key);
    }
    const struct {
        bool wanted;
        enum pt_kind_id kind;
    } others[] = { { needs->trades, PT_TRADES },
                   { needs->funding_us > 0, PT_FUNDING },
                   { needs->marks_us > 0, PT_MARKS } };
    key.period_us = 0;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        key.kind = others[i].kind;
        if (others[i].wanted) add_one(digest, &key);
    }
}

static void add_item(struct digest *digest, const struct pt_job *job,
                     const struct pt_job_item *item, struct pt_script_needs *all)
{
    const struct pt_script *script = item->script;
    if (item->doc || script->needs.books_us > 0) { /* doc: it is not going to be run */
        digest->lost = true;
        return;
    }
    const struct pt_script_needs *needs = &script->needs;
    add_text(digest, script->source->hash);
    add_text(digest, script->source->file);
    if (item->params) add(digest, bson_get_data(item->params), item->params->len);
    /* the benchmark is the configuration's, which comes with a generation */
    if (needs->market || needs->benchmark)
        add(digest, &job->scripts->generation, sizeof job->scripts->generation);
    all->market |= needs->market || needs->benchmark;
    all->trades |= needs->trades;
    all->funding_us |= needs->funding_us;
    all->marks_us |= needs->marks_us;
}

static void add_unit(struct digest *digest, const struct pt_job *job, int64_t close_us)
{
    const int64_t times[] = { job->period_us, close_us };
    struct pt_script_needs all = { .every = 0 };
    add(digest, times, sizeof times);
    add_text(digest, job->symbol);
    add_text(digest, job->benchmark);
    for (size_t i = 0; i < job->items_len; i++) add_item(digest, job, &job->items[i], &all);
    if (digest->lost) return;
    if (all.market) add_market(digest);
    if (*job->symbol) add_symbol(digest, job->symbol, &all);
}

uint64_t pt_unit_inputs(struct pt_read *read, struct pt_scripts *scripts,
                        const struct pt_unit *unit, int64_t close_us)
{
    struct digest digest = { .read = read,
                             .until_us = close_us == PT_MISSING ? INT64_MAX : close_us };
    struct pt_job *job = NULL;
    struct pt_err err;
    if (pt_job_new(unit, scripts, &job, &err) == PT_OK)
        add_unit(&digest, job, close_us);
    else
        digest.lost = true;
    pt_job_free(job);
    return digest.lost ? 0 : digest.sum | 1;
}
