/* replay.c - batch: one script at every closed bar of a range.                 [layer: flow]
 *
 * A unit a bar, the same unit a cycle makes when the bar closes: same reading, same worker, same
 * call. So a replayed value is the live one, bit for bit, and a script that loops or dies at one
 * bar costs that bar. Of a script of the market it is a unit a bar time at which any symbol has a
 * bar. */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/engine_internal.h"
#include "flow/result.h"
#include "store/bars.h"
#include "store/books.h"
#include "store/symbols.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_BARS 65536 /* read at a time while bars are listed */

/* ---- the plan: which bars there are -------------------------------------------------------- */

struct listing {
    const struct pt_replay_opts *opts;
    struct pt_plan *plan;
    struct pt_err *err;
};

static enum pt_code add_units(struct listing *listing, const char *symbol,
                              const struct pt_frame *frame)
{
    struct pt_plan *plan = listing->plan;
    const struct pt_replay_opts *opts = listing->opts;
    if (plan->n + frame->n > plan->cap) {
        size_t cap = plan->n + frame->n + plan->cap;
        struct pt_plan_unit *v = realloc(plan->v, cap * sizeof *v);
        if (!v) return pt_fail(listing->err, PT_ENOMEM, "plan of %zu bars", cap);
        plan->v = v;
        plan->cap = cap;
    }
    for (size_t i = 0; i < frame->n; i++) {
        struct pt_plan_unit *unit = &plan->v[plan->n++];
        *unit = (struct pt_plan_unit){ .period_us = opts->period_us,
                                       .as_of_us = frame->val[PT_C_TIME][i] + opts->period_us };
        memcpy(unit->symbol, symbol, strnlen(symbol, sizeof unit->symbol - 1));
    }
    return PT_OK;
}

/* A script may look at books alone, and a symbol have nothing else. */
static enum pt_code no_bars_to_step_by(struct listing *listing, struct pt_read *read,
                                       const char *symbol, const char *period)
{
    int64_t book_us;
    enum pt_code rc = pt_books_last(read, symbol, INT64_MAX, &book_us, listing->err);
    if (rc != PT_OK) return rc;
    if (book_us == PT_MISSING)
        return pt_fail(listing->err, PT_ENOENT,
                       "the store has no bars of %s that %s could be made of; import some first",
                       symbol, period);
    return pt_fail(listing->err, PT_ENOENT,
                   "replay goes from closed bar to closed bar, and the store has order books of %s "
                   "but no bars that %s could be made of; import its candles of the same time, or "
                   "ask eval --as-of for one moment",
                   symbol, period);
}

static enum pt_code no_bars(struct listing *listing, struct pt_read *read, const char *symbol,
                            const struct pt_bars_source *source)
{
    char period[PT_PERIOD_TEXT_MAX], first[PT_TIME_TEXT_MAX], last[PT_TIME_TEXT_MAX];
    pt_period_print(listing->opts->period_us, period);
    if (source->period_us == 0) return no_bars_to_step_by(listing, read, symbol, period);
    pt_time_print(source->series.first_us, first);
    pt_time_print(source->series.last_us, last);
    return pt_fail(
        listing->err, PT_ENOENT,
        "%s has no closed bar of %s that ends in this range; its bars open from %s to %s", symbol,
        period, first, last);
}

/* Adds a unit of `whose` for each bar of the symbol, which may have none. */
static enum pt_code list_symbol(struct listing *listing, struct pt_read *read, const char *symbol,
                                const char *whose, struct pt_bars_source *source)
{
    const struct pt_replay_opts *opts = listing->opts;
    struct pt_frame frame;
    enum pt_code rc = pt_bars_source(read, symbol, opts->period_us, source, listing->err);
    if (rc != PT_OK || source->period_us == 0 || source->series.rows == 0) return rc;
    /* far ends are cut to what is stored; a bar opens one period before its as_of */
    int64_t from = pt_period_floor(opts->period_us, source->series.first_us);
    int64_t to = source->series.last_us + 1;
    if (opts->start_us > from + opts->period_us) from = opts->start_us - opts->period_us;
    if (opts->end_us < to + opts->period_us) to = opts->end_us - opts->period_us;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    while (rc == PT_OK && from < to) {
        int64_t step = SLICE_BARS * opts->period_us;
        int64_t next = to - from > step ? from + step : to;
        pt_frame_clear(&frame);
        rc = pt_bars_read(read, symbol, opts->period_us, from, next, 1u << PT_C_CLOSED, &frame,
                          NULL, listing->err);
        if (rc == PT_OK) rc = add_units(listing, whose, &frame);
        from = next;
    }
    pt_frame_fini(&frame);
    return rc;
}

static enum pt_code list_bars(struct listing *listing, struct pt_read *read, const char *symbol)
{
    struct pt_bars_source source;
    size_t before = listing->plan->n;
    enum pt_code rc = list_symbol(listing, read, symbol, symbol, &source);
    if (rc == PT_OK && listing->plan->n == before) rc = no_bars(listing, read, symbol, &source);
    return rc;
}

/* ---- of the market ------------------------------------------------------------------------- */

/* Units of two symbols, [0, middle) and behind it, both by time: one of each time. */
static enum pt_code merge_times(struct listing *listing, size_t middle)
{
    struct pt_plan *plan = listing->plan;
    size_t n = 0, i = 0, j = middle;
    if (middle == 0 || middle == plan->n) return PT_OK;
    struct pt_plan_unit *v = malloc(plan->n * sizeof *v);
    if (!v) return pt_fail(listing->err, PT_ENOMEM, "plan of %zu bars", plan->n);
    while (i < middle || j < plan->n) {
        bool first = j == plan->n || (i < middle && plan->v[i].as_of_us <= plan->v[j].as_of_us);
        const struct pt_plan_unit *unit = &plan->v[first ? i : j];
        if (first && j < plan->n && plan->v[j].as_of_us == unit->as_of_us) j++;
        if (first)
            i++;
        else
            j++;
        v[n++] = *unit;
    }
    free(plan->v);
    plan->v = v;
    plan->cap = plan->n;
    plan->n = n;
    return PT_OK;
}

/* Damage in one symbol is told, and the market goes on without it, as in a cycle. */
static enum pt_code go_around(struct listing *listing, enum pt_code rc)
{
    if (rc != PT_EDAMAGE) return rc;
    if (listing->plan->fault.code == PT_OK) listing->plan->fault = *listing->err;
    return PT_OK;
}

static enum pt_code list_market(struct listing *listing, struct pt_read *read)
{
    struct pt_plan *plan = listing->plan;
    struct pt_symbols symbols = { 0 };
    struct pt_bars_source source;
    char period[PT_PERIOD_TEXT_MAX];
    enum pt_code rc =
        go_around(listing, pt_symbols_read(read, 1u << PT_CANDLES, &symbols, listing->err));
    for (size_t i = 0; rc == PT_OK && i < symbols.n; i++) {
        size_t before = plan->n;
        rc = go_around(listing, list_symbol(listing, read, symbols.v[i], "", &source));
        if (rc == PT_OK) rc = merge_times(listing, before);
    }
    pt_period_print(listing->opts->period_us, period);
    if (rc == PT_OK && plan->n == 0 && plan->fault.code != PT_OK) {
        *listing->err = plan->fault;
        rc = plan->fault.code;
    } else if (rc == PT_OK && plan->n == 0) {
        rc = pt_fail(listing->err, PT_ENOENT,
                     "none of the %zu symbols of the store has a closed bar of %s that ends in "
                     "this range",
                     symbols.n, period);
    }
    pt_symbols_fini(&symbols);
    return rc;
}

static enum pt_code list_all(struct listing *listing, struct pt_read *read,
                             const struct pt_script *script)
{
    const char *const *pair = listing->opts->pairs;
    bool market = pt_script_is_market(script);
    enum pt_code rc = PT_OK;
    if (market != !*pair)
        return pt_fail(listing->err, PT_EINVAL,
                       market ? "'%s' is about the whole market and takes no symbols"
                              : "'%s' is about one symbol: name some",
                       script->name);
    if (market) return list_market(listing, read);
    for (; rc == PT_OK && *pair; pair++) rc = list_bars(listing, read, *pair);
    return rc;
}

static enum pt_code make_plan(struct pt_engine *engine, const struct pt_replay_opts *opts,
                              struct pt_plan *plan, struct pt_err *err)
{
    struct listing listing = { .opts = opts, .plan = plan, .err = err };
    struct pt_read *read = NULL;
    *plan = (struct pt_plan){ .scripts = pt_scripts_ref(engine->scripts) };
    const struct pt_script *script = pt_scripts_find(plan->scripts, opts->name);
    enum pt_code rc =
        script ? PT_OK : pt_fail(err, PT_ENOENT, "no live script is called '%.60s'", opts->name);
    if (rc == PT_OK) rc = pt_read_begin(engine->store, &read, err);
    if (rc == PT_OK) rc = list_all(&listing, read, script);
    pt_read_end(read);
    size_t stride = plan->scripts->n;
    if (rc == PT_OK && !(plan->wanted = calloc(plan->n, stride)))
        rc = pt_fail(err, PT_ENOMEM, "plan of %zu bars", plan->n);
    for (size_t i = 0; rc == PT_OK && i < plan->n; i++)
        plan->wanted[i * stride + (size_t)(script - plan->scripts->v)] = 1;
    if (rc != PT_OK) pt_plan_fini(plan);
    return rc;
}

/* ---- the run ------------------------------------------------------------------------------- */

struct replaying {
    const struct pt_replay_opts *opts;
    struct pt_replay *replay;
    struct pt_engine *engine;
    size_t bytes; /* of the market: of all results that are kept */
    bool lost;    /* no memory for a result */
    bool full;    /* they are more than may be kept */
};

static bool is_kept(const char *key)
{
    static const char *const members[] = { "symbol", "as_of", "status", "data", "symbols", NULL };
    for (const char *const *name = members; *name; name++)
        if (strcmp(*name, key) == 0) return true;
    return false;
}

/* What a reader of values wants of a result: a third of it, so that a year of minutes fits. */
static bson_t *extract(const bson_t *doc, bool failed)
{
    bson_t *out = bson_sized_new(doc->len), error;
    bson_iter_t iter;
    bool good = bson_iter_init(&iter, doc);
    while (good && bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        if (is_kept(key)) good = bson_append_iter(out, key, -1, &iter);
    }
    if (good && failed && pt_doc_child(doc, "metadata.error", &error))
        good = bson_append_document(out, "error", -1, &error);
    bson_t *kept = good ? bson_copy(out) : NULL; /* in no more memory than it needs */
    bson_destroy(out);
    return kept;
}

static size_t most_bytes(const struct pt_replay_opts *opts)
{
    return opts->market_bytes > 0 ? opts->market_bytes : PT_REPLAY_MARKET_BYTES;
}

static void on_result(void *arg, size_t unit, const struct pt_unit_result *result)
{
    struct replaying *replaying = arg;
    struct pt_replay *replay = replaying->replay;
    bool failed = pt_result_failed(result->doc);
    replay->failed += failed;
    replay->docs[unit] = extract(result->doc, failed);
    if (!replay->docs[unit]) {
        replaying->lost = true;
        return;
    }
    if (*replaying->opts->pairs) return;
    replaying->bytes += replay->docs[unit]->len;
    replaying->full |= replaying->bytes > most_bytes(replaying->opts);
    if (replaying->full && replaying->engine->round) pt_round_stop(replaying->engine->round);
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    const struct replaying *replaying = arg;
    if (replaying->opts->progress) replaying->opts->progress(replaying->opts->arg, done, total);
}

enum pt_code pt_engine_replay(struct pt_engine *engine, const struct pt_replay_opts *opts,
                              struct pt_replay *replay, struct pt_err *err)
{
    struct replaying replaying = { .opts = opts, .replay = replay, .engine = engine };
    struct pt_plan plan;
    *replay = (struct pt_replay){ 0 };
    if (opts->store && opts->params && !bson_empty(opts->params))
        return pt_fail(err, PT_EINVAL,
                       "results are stored with the parameters in force only, never with others");
    enum pt_code rc = make_plan(engine, opts, &plan, err);
    if (rc != PT_OK) return rc;
    replay->docs = calloc(plan.n, sizeof(bson_t *));
    replay->at_us = calloc(plan.n, sizeof *replay->at_us);
    if (!replay->docs || !replay->at_us) {
        rc = pt_fail(err, PT_ENOMEM, "replay of %zu bars", plan.n);
        pt_plan_fini(&plan);
        return rc;
    }
    replay->n = plan.n;
    replay->fault = plan.fault;
    for (size_t i = 0; i < plan.n; i++) replay->at_us[i] = plan.v[i].as_of_us;
    struct pt_batch batch = { .engine = engine,
                              .progress = on_progress,
                              .result = on_result,
                              .arg = &replaying,
                              .store = opts->store,
                              .params = opts->params };
    rc = pt_batch_run(&batch, &plan, err);
    replay->sums = batch.sums;
    if (rc == PT_OK && replaying.lost) rc = pt_fail(err, PT_ENOMEM, "results of a replay");
    if (replaying.full)
        rc =
            pt_fail(err, PT_ERANGE,
                    "the results of %zu bars of the market take more than the %zu MB that a replay "
                    "keeps of it; replay a shorter range",
                    replay->n, most_bytes(opts) >> 20);
    return rc;
}

void pt_replay_fini(struct pt_replay *replay)
{
    for (size_t i = 0; i < replay->n; i++) bson_destroy(replay->docs[i]); /* accepts NULL */
    free(replay->docs);
    free(replay->at_us);
    *replay = (struct pt_replay){ 0 };
}
