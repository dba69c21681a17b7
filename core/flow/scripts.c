/* scripts.c - the set of scripts that is live, and its counters.               [layer: flow] */
#include "flow/scripts.h"

#include "base/timefmt.h"
#include "flow/params.h"
#include "flow/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pt_scripts *pt_scripts_ref(struct pt_scripts *scripts)
{
    atomic_fetch_add_explicit(&scripts->refs, 1, memory_order_relaxed);
    return scripts;
}

void pt_scripts_unref(struct pt_scripts *scripts)
{
    if (!scripts || atomic_fetch_sub_explicit(&scripts->refs, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < scripts->n; i++) {
        bson_destroy(scripts->v[i].declaration); /* accepts NULL */
        bson_destroy(scripts->v[i].configured);
        pt_script_stats_unref(scripts->v[i].stats);
    }
    free(scripts->v);
    pt_sources_fini(&scripts->sources);
    free(scripts);
}

const char *pt_script_status_text(enum pt_script_status status)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        PT_SCRIPT_STATUSES(X)
#undef X
    };
    return texts[status];
}

const struct pt_script *pt_scripts_find(const struct pt_scripts *scripts, const char *name)
{
    for (size_t low = 0, high = scripts->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, scripts->v[middle].name);
        if (order < 0) {
            high = middle;
        } else if (order > 0) {
            low = middle + 1;
        } else {
            /* a failed script may carry the same name as a live one: its file's */
            while (middle > 0 && strcmp(name, scripts->v[middle - 1].name) == 0) middle--;
            for (; middle < scripts->n && strcmp(name, scripts->v[middle].name) == 0; middle++)
                if (scripts->v[middle].status != PT_SCRIPT_FAILED) return &scripts->v[middle];
            return NULL;
        }
    }
    return NULL;
}

const struct pt_script *pt_scripts_named(const struct pt_scripts *scripts, const char *name)
{
    const struct pt_script *script = pt_scripts_find(scripts, name);
    for (size_t i = 0; !script && i < scripts->n; i++)
        if (strcmp(scripts->v[i].name, name) == 0) script = &scripts->v[i];
    return script;
}

bool pt_script_is_market(const struct pt_script *script)
{
    return script->needs.market;
}

bool pt_script_every(const struct pt_script *script, int64_t period_us)
{
    return script->needs.every >> pt_period_place(period_us) & 1;
}

enum pt_code pt_script_param(const struct pt_script *script, const char *name, const char *value,
                             bson_t *params, struct pt_err *err)
{
    bson_t entry;
    char names[200];
    if (!script->declaration)
        return pt_fail(err, PT_ESCRIPT, "script %s is not live: %s", script->name, script->message);
    if (pt_param_find(script->declaration, name, &entry))
        return pt_param_append(&entry, value, params, err);
    pt_param_names(script->declaration, names, sizeof names);
    if (!names[0])
        return pt_fail(err, PT_EINVAL, "parameter %s: %s has no parameters", name, script->name);
    return pt_fail(err, PT_EINVAL, "parameter %s is unknown to %s, which has: %s", name,
                   script->name, names);
}

struct pt_script_stats *pt_script_stats_new(void)
{
    struct pt_script_stats *stats = calloc(1, sizeof *stats);
    if (stats) atomic_init(&stats->refs, 1);
    return stats;
}

struct pt_script_stats *pt_script_stats_ref(struct pt_script_stats *stats)
{
    atomic_fetch_add_explicit(&stats->refs, 1, memory_order_relaxed);
    return stats;
}

void pt_script_stats_unref(struct pt_script_stats *stats)
{
    if (stats && atomic_fetch_sub_explicit(&stats->refs, 1, memory_order_acq_rel) == 1) free(stats);
}

/* Bucket i holds times in [2^(i/4), 2^((i+1)/4)) us; the last one all that is longer. */
void pt_script_stats_count(struct pt_script_stats *stats, int64_t elapsed_us, int64_t now_us,
                           bool failed)
{
    size_t bucket = elapsed_us > 1 ? (size_t)(4.0 * log2((double)elapsed_us)) : 0;
    if (bucket >= PT_LATENCY_BUCKETS) bucket = PT_LATENCY_BUCKETS - 1;
    atomic_fetch_add_explicit(&stats->calls, 1, memory_order_relaxed);
    if (failed) atomic_fetch_add_explicit(&stats->errors, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&stats->bucket[bucket], 1, memory_order_relaxed);
    atomic_store_explicit(&stats->last_run_us, now_us, memory_order_relaxed);
}

uint64_t pt_script_errors(const struct pt_script *script)
{
    return atomic_load_explicit(&script->stats->errors, memory_order_relaxed) -
           script->errors_before;
}

int64_t pt_script_quantile_us(const struct pt_script_stats *stats, double q)
{
    uint64_t counts[PT_LATENCY_BUCKETS], total = 0, seen = 0;
    for (size_t i = 0; i < PT_LATENCY_BUCKETS; i++) {
        counts[i] = atomic_load_explicit(&stats->bucket[i], memory_order_relaxed);
        total += counts[i];
    }
    if (total == 0) return 0;
    double rank = q * (double)total;
    for (size_t i = 0; i < PT_LATENCY_BUCKETS; i++) {
        seen += counts[i];
        /* the geometric middle of the bucket: off by 9 % at most */
        if (counts[i] > 0 && (double)seen >= rank) return llround(exp2(((double)i + 0.5) / 4.0));
    }
    return llround(exp2((double)PT_LATENCY_BUCKETS / 4.0));
}

static int64_t span_at(const bson_t *declaration, const char *path)
{
    const char *text;
    int64_t us = 0;
    return pt_doc_text(declaration, path, &text) && pt_span_parse(text, strlen(text), &us) == PT_OK
               ? us
               : 0;
}

static bool flag(const bson_t *declaration, const char *path)
{
    bool set = false;
    return pt_doc_bool(declaration, path, &set) && set;
}

static uint32_t read_every(const bson_t *declaration)
{
    bson_t list;
    bson_iter_t iter;
    uint32_t every = 0;
    if (!pt_doc_child(declaration, "every", &list) || !bson_iter_init(&iter, &list)) return 0;
    while (bson_iter_next(&iter)) {
        int64_t period_us = 0;
        uint32_t len = 0;
        if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
        const char *text = bson_iter_utf8(&iter, &len);
        if (pt_period_parse(text, len, &period_us) == PT_OK)
            every |= UINT32_C(1) << pt_period_place(period_us);
    }
    return every;
}

void pt_script_needs_read(const bson_t *declaration, struct pt_script_needs *needs)
{
    bson_t market;
    *needs = (struct pt_script_needs){
        .every = read_every(declaration),
        .market = pt_doc_child(declaration, "needs.market", &market),
        .benchmark = flag(declaration, "needs.candles.benchmark"),
        .trades = flag(declaration, "needs.candles.trades"),
        .books_us = span_at(declaration, "needs.books.span"),
        .book_age_us = span_at(declaration, "needs.books.max_age"),
        .funding_us = span_at(declaration, "needs.funding.span"),
        .marks_us = span_at(declaration, "needs.marks.span"),
    };
}

bool pt_script_books(const struct pt_script *script, int64_t *span_us, int64_t *max_age_us)
{
    const struct pt_script_needs *needs = &script->needs;
    if (needs->books_us == 0 || needs->book_age_us == 0) return false;
    if (span_us) *span_us = needs->books_us;
    if (max_age_us) *max_age_us = needs->book_age_us;
    return true;
}
