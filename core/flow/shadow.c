/* shadow.c - what a changed script gives on stored windows before it goes live. [layer: flow] */
#include "base/timefmt.h"
#include "flow/plan.h"
#include "flow/pool_internal.h"
#include "flow/result.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3 /* times a worker may end without a cause that is known */

void pt_shadow_fini(struct pt_shadow *shadow)
{
    for (size_t i = 0; i < shadow->n; i++) free(shadow->v[i].scripts);
    for (size_t i = 0; i < shadow->ntrials; i++) bson_destroy(shadow->trials[i].doc);
    free(shadow->v);
    free(shadow->fresh);
    free(shadow->trials);
    pt_job_free(shadow->job);
    pt_scripts_unref(shadow->scripts);
    *shadow = (struct pt_shadow){ 0 };
}

/* ---- what is run --------------------------------------------------------------------------- */

struct symbols {
    size_t n;
    char v[PT_SHADOW_SYMBOLS + 1][PT_SYMBOL_MAX];
    const char *benchmark;
};

static bool has(const struct symbols *symbols, const char *symbol)
{
    for (size_t i = 0; i < symbols->n; i++)
        if (strcmp(symbols->v[i], symbol) == 0) return true;
    return false;
}

static bool take_symbol(void *arg, const struct pt_series *series)
{
    struct symbols *symbols = arg;
    const char *symbol = series->key.symbol;
    if (series->key.kind != PT_CANDLES || series->rows == 0 || has(symbols, symbol)) return true;
    bool room = symbols->n < PT_SHADOW_SYMBOLS;
    if (room || (symbols->n == PT_SHADOW_SYMBOLS && strcmp(symbol, symbols->benchmark) == 0))
        memcpy(symbols->v[symbols->n++], symbol, PT_SYMBOL_MAX);
    return true;
}

static enum pt_code read_symbols(struct pt_pool *pool, struct symbols *symbols, struct pt_err *err)
{
    struct pt_read *read = NULL;
    if (!pool->opts.handle) return PT_OK;
    enum pt_code rc = pt_read_begin(pool->opts.handle, &read, err);
    if (rc == PT_OK) rc = pt_series_each(read, take_symbol, symbols, err);
    pt_read_end(read);
    /* a damaged corner of the store must not keep scripts from being changed */
    return rc == PT_EDAMAGE ? PT_OK : rc;
}

static bool add_unit(struct pt_shadow *shadow, const char *symbol, int64_t period_us,
                     const size_t *scripts, size_t n)
{
    struct pt_shadow_unit *grown = realloc(shadow->v, (shadow->n + 1) * sizeof *grown);
    if (!grown) return false;
    shadow->v = grown;
    struct pt_shadow_unit *unit = &grown[shadow->n];
    *unit = (struct pt_shadow_unit){ .period_us = period_us, .n = n };
    memcpy(unit->symbol, symbol, strnlen(symbol, PT_SYMBOL_MAX - 1));
    unit->scripts = malloc(n * sizeof *unit->scripts);
    if (!unit->scripts) return false;
    memcpy(unit->scripts, scripts, n * sizeof *unit->scripts);
    shadow->n++;
    return true;
}

/* The scripts to be tried at a period, those of the whole market or the others; how many. */
static size_t choose(const struct pt_shadow *shadow, bool market, int64_t period_us,
                     unsigned *periods, size_t *scratch)
{
    size_t n = 0;
    for (size_t i = 0; i < shadow->scripts->n; i++) {
        const struct pt_script *script = &shadow->scripts->v[i];
        if (!shadow->fresh[i] || script->status == PT_SCRIPT_QUARANTINED ||
            periods[i] == PT_SHADOW_PERIODS || pt_script_is_market(script) != market ||
            !pt_script_every(script, period_us))
            continue;
        periods[i]++;
        scratch[n++] = i;
    }
    return n;
}

/* The units of one period. periods: [scripts->n] how many each script has already. */
static bool plan_period(struct pt_shadow *shadow, const struct symbols *symbols, int64_t period_us,
                        unsigned *periods, size_t *scratch)
{
    if (symbols->n == 0) return true;
    size_t n = choose(shadow, false, period_us, periods, scratch);
    for (size_t k = 0; n > 0 && k < symbols->n; k++)
        if (!add_unit(shadow, symbols->v[k], period_us, scratch, n)) return false;
    n = choose(shadow, true, period_us, periods, scratch);
    return n == 0 || add_unit(shadow, "", period_us, scratch, n);
}

enum pt_code pt_shadow_plan(struct pt_pool *pool, struct pt_set *set, bool *any, struct pt_err *err)
{
    struct pt_shadow *shadow = &set->shadow;
    struct symbols symbols = { .benchmark = set->limits.benchmark };
    *any = false;
    pt_shadow_fini(shadow);
    shadow->pool = pool;
    if (!pool->active) return PT_OK; /* a start has nothing to compare with, and is waited for */
    enum pt_code rc = read_symbols(pool, &symbols, err);
    if (rc == PT_OK)
        rc =
            pt_registry_snapshot(&set->registry, NULL, pool->generation + 1, &shadow->scripts, err);
    if (rc != PT_OK) return rc;
    unsigned *periods = calloc(shadow->scripts->n + 1, sizeof *periods);
    size_t *scratch = calloc(shadow->scripts->n + 1, sizeof *scratch);
    shadow->fresh = calloc(shadow->scripts->n + 1, sizeof *shadow->fresh);
    bool ok = periods && scratch && shadow->fresh;
    if (ok) pt_plan_fresh(shadow->scripts, pool->active->scripts, shadow->fresh);
    for (const int64_t *period = pt_periods; ok && *period; period++)
        ok = plan_period(shadow, &symbols, *period, periods, scratch);
    free(periods);
    free(scratch);
    *any = shadow->n > 0;
    return ok ? PT_OK : pt_fail(err, PT_ENOMEM, "trying changed scripts");
}

/* ---- running it ---------------------------------------------------------------------------- */

static bool keep_trial(struct pt_set *set, const struct pt_shadow_unit *unit,
                       const struct pt_unit_result *result)
{
    struct pt_shadow *shadow = &set->shadow;
    struct pt_trial *grown = realloc(shadow->trials, (shadow->ntrials + 1) * sizeof *grown);
    if (!grown) return false;
    shadow->trials = grown;
    struct pt_trial *trial = &grown[shadow->ntrials++];
    *trial = (struct pt_trial){ .period_us = unit->period_us, .doc = bson_copy(result->doc) };
    memcpy(trial->symbol, unit->symbol, sizeof trial->symbol);
    snprintf(trial->name, sizeof trial->name, "%s", result->name);
    return true;
}

static void judge(struct pt_set *set, const struct pt_shadow_unit *unit,
                  const struct pt_unit_result *result)
{
    struct pt_shadow *shadow = &set->shadow;
    const struct pt_failure failure = { .name = result->name,
                                        .symbol = unit->symbol,
                                        .period_us = unit->period_us,
                                        .doc = result->doc };
    enum pt_blame blame = PT_BLAME_NOBODY;
    if (shadow->refused.code != PT_OK) return;
    if (pt_result_failed(result->doc))
        blame = pt_shadow_blame(shadow->pool, set, &failure, &shadow->refused);
    shadow->failed = shadow->failed || blame == PT_BLAME_SCRIPT;
    if (blame == PT_BLAME_NOBODY && set->tried && !keep_trial(set, unit, result))
        shadow->no_memory = true;
}

/* The callback of the shadow's units. err: nothing could be said, which blames no script. Those
 * that are other versions first: what they say of themselves is better than what can be told of
 * them by others. */
static void on_unit(void *arg, const struct pt_unit_result *results, size_t n,
                    const struct pt_err *err)
{
    struct pt_set *set = arg;
    struct pt_shadow *shadow = &set->shadow;
    (void)err;
    for (int others = 0; others <= 1; others++)
        for (size_t i = 0; i < n; i++) {
            const struct pt_script *script = pt_scripts_find(shadow->scripts, results[i].name);
            bool own = script && pt_shadow_other_text(shadow->pool->active->scripts, script);
            if (own == !others) judge(set, &shadow->v[shadow->next - 1], &results[i]);
        }
}

static enum pt_code next_job(struct pt_set *set, struct pt_err *err)
{
    struct pt_shadow *shadow = &set->shadow;
    const struct pt_shadow_unit *due = &shadow->v[shadow->next++];
    struct pt_unit unit = { .period_us = due->period_us, .as_of_us = INT64_MAX, .n = due->n };
    const char **names = calloc(due->n, sizeof *names);
    if (!names) return pt_fail(err, PT_ENOMEM, "trying changed scripts");
    for (size_t i = 0; i < due->n; i++) names[i] = shadow->scripts->v[due->scripts[i]].name;
    unit.names = names;
    memcpy(unit.symbol, due->symbol, sizeof unit.symbol);
    enum pt_code rc = pt_job_new(&unit, shadow->scripts, &shadow->job, err);
    free(names);
    if (rc != PT_OK) return rc;
    shadow->job->fn = on_unit;
    shadow->job->arg = set;
    return PT_OK;
}

void pt_shadow_next(struct pt_hand *hand)
{
    struct pt_set *set = hand->set;
    struct pt_shadow *shadow = &set->shadow;
    struct pt_err err;
    enum pt_code rc = PT_OK;
    for (;;) {
        if (!shadow->job &&
            (shadow->next == shadow->n || shadow->failed || shadow->refused.code != PT_OK))
            break;
        if (!shadow->job) rc = next_job(set, &err);
        if (rc == PT_OK) rc = pt_hand_send(hand, shadow->job, &err);
        if (rc != PT_OK) break;
        bool sent = shadow->job->sent_len > 0;
        if (!sent) pt_job_free(shadow->job);
        shadow->job = NULL; /* the hand's now */
        if (sent) return;
    }
    if (rc == PT_OK && shadow->refused.code != PT_OK) {
        err = shadow->refused;
        rc = err.code;
    }
    if (rc == PT_OK && shadow->no_memory) rc = pt_fail(&err, PT_ENOMEM, "trying changed scripts");
    pt_load_shadowed(hand, rc == PT_OK ? NULL : &err);
}

void pt_shadow_answered(struct pt_hand *hand, const bson_t *doc)
{
    struct pt_set *set = hand->set;
    struct pt_job *job = pt_hand_take(hand);
    (void)doc;                        /* a job that is done borrows from it */
    if (hand->pool->loading != set) { /* given up meanwhile */
        pt_job_free(job);
        return;
    }
    if (pt_job_done(job)) {
        pt_job_finish(job, NULL);
        pt_job_free(job);
    } else {
        set->shadow.job = job;
    }
    pt_shadow_next(hand);
}

/* Only of what is tried: others run with it because it needs them. */
static enum pt_blame blame_death(struct pt_pool *pool, struct pt_set *set, const struct pt_job *job,
                                 const struct pt_job_item *culprit, const char *words,
                                 struct pt_err *err)
{
    const struct pt_failure failure = {
        .name = culprit->name, .symbol = job->symbol, .period_us = job->period_us, .words = words
    };
    return set->shadow.fresh[culprit->script - set->shadow.scripts->v]
               ? pt_shadow_blame(pool, set, &failure, err)
               : PT_BLAME_NOBODY;
}

void pt_shadow_died(struct pt_hand *hand, struct pt_job *job, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    char words[240];
    const struct pt_job_item *culprit = NULL;
    bool again = false;
    enum pt_blame blame = PT_BLAME_NOBODY;
    if (pool->loading != set) {
        pt_job_free(job);
        return;
    }
    pt_death_words(death, pt_job_budget_us(job, set->limits.call_budget_us), words, sizeof words);
    size_t at = death->phase == PT_PHASE_RUN ? death->script : SIZE_MAX;
    bool goes_on = pt_job_died(job, at, death->outside, words, &culprit);
    if (culprit && culprit->script) blame = blame_death(pool, set, job, culprit, words, &err);
    if (blame != PT_BLAME_NOBODY) {
        pt_job_free(job);
        pt_shadow_fini(&set->shadow);
        if (blame == PT_BLAME_CONFIG ||
            pt_registry_check(&set->registry, set->conf, &again, &err) != PT_OK)
            pt_load_shadowed(hand, &err);
        else
            pt_load_again(pool);
        return;
    }
    /* nobody known yet, or one that is live already and whose deaths are counted elsewhere */
    if (goes_on && !pt_job_done(job) && (culprit || set->tries++ < TRIES_MAX))
        set->shadow.job = job;
    else
        pt_job_free(job);
    pt_load_again(pool);
}
