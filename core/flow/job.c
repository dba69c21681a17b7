/* job.c - one unit of work on its way: planned, tried, retried, settled.       [layer: flow]
 *
 * A worker answers a unit as a whole. When it dies over one, the status page usually says at which
 * script; that one is settled with an error and the rest is asked again. When it does not say, the
 * unit goes solo: one script a request, with the scripts it needs (known to be good by then), so
 * that the next death has only one possible cause. */
#include "flow/job.h"

#include "base/clock.h"
#include "flow/registry.h"
#include "flow/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTSIDE_MAX 2 /* times a unit is tried again after a kill that was nobody's fault */
#define MARGIN_US 2000000

static void count(struct pt_job *job, const struct pt_job_item *item, const bson_t *doc)
{
    const char *status = "";
    pt_doc_text(doc, "status", &status);
    bool failed = strcmp(status, "error") == 0;
    job->failed |= failed;
    pt_script_stats_count(item->script->stats, item->elapsed_us, job->now_us, failed);
}

/* The script has no result: one that says so. */
static void settle_without(struct pt_job *job, struct pt_job_item *item, const char *status,
                           const char *words)
{
    struct pt_result_error error = { .status = status,
                                     .script = item->script,
                                     .name = item->name,
                                     .symbol = job->symbol,
                                     .period_us = job->period_us,
                                     .as_of_us = job->as_of_us,
                                     .now_us = job->now_us,
                                     .params = item->params,
                                     .message = words };
    item->doc = pt_result_error(&error);
    item->broken = job->failed = true;
}

static void settle_error(struct pt_job *job, struct pt_job_item *item, const char *words)
{
    settle_without(job, item, "error", words);
    if (item->script) count(job, item, item->doc);
}

void pt_job_forget(struct pt_job *job)
{
    for (size_t i = 0; i < job->items_len; i++) {
        bson_destroy(job->items[i].params); /* accepts NULL */
        bson_destroy(job->items[i].doc);    /* a view is left alone */
    }
    free(job->items);
    free(job->sent);
    job->items = NULL;
    job->sent = NULL;
    job->items_len = job->sent_len = 0;
    job->solo = job->failed = false;
    pt_scripts_unref(job->scripts); /* accepts NULL */
    job->scripts = NULL;
}

static bool same_params(const bson_t *a, const bson_t *b)
{
    return a && b ? bson_equal(a, b) : a == b;
}

bool pt_job_alike(const struct pt_job *a, const struct pt_job *b)
{
    bool alike = a->n == b->n && a->period_us == b->period_us && a->whole == b->whole &&
                 strcmp(a->symbol, b->symbol) == 0 && strcmp(a->benchmark, b->benchmark) == 0;
    for (size_t i = 0; alike && i < a->n; i++)
        alike = strcmp(a->names[i], b->names[i]) == 0 && same_params(a->params[i], b->params[i]);
    return alike;
}

void pt_job_free(struct pt_job *job)
{
    if (!job) return;
    pt_job_forget(job);
    if (job->params)
        for (size_t i = 0; i < job->n; i++) bson_destroy(job->params[i]);
    free(job->params);
    free(job->names);
    free(job);
}

/* ---- plan ---------------------------------------------------------------------------------- */

static struct pt_job_item *item_of(const struct pt_job *job, const char *name)
{
    for (size_t i = 0; i < job->items_len; i++)
        if (strcmp(job->items[i].name, name) == 0) return &job->items[i];
    return NULL;
}

static size_t place_asked(const struct pt_job *job, const char *name)
{
    size_t i = 0;
    while (i < job->n && strcmp(job->names[i], name) != 0) i++;
    return i;
}

/* The configuration's values, then the caller's over them. */
static bson_t *merge(const bson_t *configured, const bson_t *asked)
{
    bson_t *out = bson_new();
    bson_iter_t iter;
    if (configured && bson_iter_init(&iter, configured))
        while (bson_iter_next(&iter))
            if (!asked || !bson_has_field(asked, bson_iter_key(&iter)))
                bson_append_iter(out, bson_iter_key(&iter), -1, &iter);
    if (asked) bson_concat(out, asked);
    return out;
}

/* Depth first: what a script needs comes before it. A snapshot has no circles. */
static void plan_script(void *arg, const char *name)
{
    struct pt_job *job = arg;
    size_t asked = place_asked(job, name);
    const bson_t *params = asked < job->n ? job->params[asked] : NULL;
    if (item_of(job, name)) return;
    const struct pt_script *script = pt_scripts_find(job->scripts, name);
    bool runs = script && script->status != PT_SCRIPT_QUARANTINED;
    if (!runs && asked == job->n) return; /* those that need it are given nothing of it */
    if (runs) pt_needs_each(script->declaration, plan_script, job);
    struct pt_job_item *item = &job->items[job->items_len++];
    *item = (struct pt_job_item){ .script = script,
                                  .name = script ? script->name : job->names[asked],
                                  .asked = asked < job->n };
    if (script && (script->configured || params)) item->params = merge(script->configured, params);
}

enum pt_code pt_job_plan(struct pt_job *job, struct pt_scripts *scripts, struct pt_err *err)
{
    pt_scripts_ref(scripts);
    pt_job_forget(job);
    job->scripts = scripts;
    size_t most = job->n + scripts->n;
    job->items = calloc(most, sizeof *job->items);
    job->sent = calloc(most, sizeof *job->sent);
    if (!job->items || !job->sent) return pt_fail(err, PT_ENOMEM, "unit of %zu scripts", job->n);
    for (size_t i = 0; i < job->n; i++) plan_script(job, job->names[i]);
    for (size_t i = 0; i < job->items_len; i++) {
        struct pt_job_item *item = &job->items[i];
        if (!item->script)
            settle_error(job, item, "is no longer live");
        else if (item->script->status == PT_SCRIPT_QUARANTINED)
            settle_without(job, item, "quarantined", item->script->message);
    }
    return PT_OK;
}

enum pt_code pt_job_new(const struct pt_unit *unit, struct pt_scripts *scripts, struct pt_job **out,
                        struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    if (unit->n == 0) return pt_fail(err, PT_EINVAL, "a unit without scripts");
    struct pt_job *job = calloc(1, sizeof *job);
    if (!job) return pt_fail(err, PT_ENOMEM, "unit");
    memcpy(job->symbol, unit->symbol, sizeof job->symbol);
    job->symbol[sizeof job->symbol - 1] = '\0';
    memcpy(job->benchmark, unit->benchmark, sizeof job->benchmark);
    job->benchmark[sizeof job->benchmark - 1] = '\0';
    job->period_us = unit->period_us;
    job->as_of_us = unit->as_of_us;
    job->now_us = pt_now_us();
    job->urgent = unit->urgent;
    job->inspect = unit->inspect;
    job->whole = unit->whole;
    job->n = unit->n;
    job->names = calloc(unit->n, sizeof *job->names);
    job->params = calloc(unit->n, sizeof *job->params);
    if (!job->names || !job->params) {
        rc = pt_fail(err, PT_ENOMEM, "unit of %zu scripts", unit->n);
        goto out;
    }
    for (size_t i = 0; i < unit->n; i++) {
        const struct pt_script *script = pt_scripts_find(scripts, unit->names[i]);
        if (!script) {
            rc = pt_fail(err, PT_ENOENT, "no live script is called '%.60s'", unit->names[i]);
            goto out;
        }
        if (pt_script_is_market(script) != !*unit->symbol) {
            rc = pt_fail(err, PT_EINVAL,
                         *unit->symbol ? "'%s' is about the whole market, not about %s"
                                       : "'%s' is about one symbol, not about the whole market%s",
                         script->name, unit->symbol);
            goto out;
        }
        memcpy(job->names[i], unit->names[i], strlen(unit->names[i]) + 1); /* found: not too long */
        if (place_asked(job, unit->names[i]) < i) {
            rc = pt_fail(err, PT_EINVAL, "script '%s' is asked twice in one unit", unit->names[i]);
            goto out;
        }
        if (!unit->params || !unit->params[i]) continue;
        job->params[i] = bson_copy(unit->params[i]);
    }
    rc = pt_job_plan(job, scripts, err);
out:
    if (rc == PT_OK)
        *out = job;
    else
        pt_job_free(job);
    return rc;
}

/* ---- request and answer -------------------------------------------------------------------- */

struct pick {
    struct pt_job *job;
    bool *wanted;
};

static void pick_need(void *arg, const char *name)
{
    struct pick *pick = arg;
    struct pt_job_item *item = item_of(pick->job, name);
    if (!item || !item->script) return;
    pick->wanted[item - pick->job->items] = true;
    pt_needs_each(item->script->declaration, pick_need, pick);
}

/* Which items the next request has: those not settled (solo: the first of them) and what they need.
 * A need that failed is left out; what becomes of those that need it is theirs to say. */
static enum pt_code choose(struct pt_job *job, struct pt_err *err)
{
    bool *wanted = calloc(job->items_len, sizeof *wanted);
    struct pick pick = { .job = job, .wanted = wanted };
    if (!wanted) return pt_fail(err, PT_ENOMEM, "unit of %zu scripts", job->n);
    for (size_t i = 0; i < job->items_len; i++) {
        if (job->items[i].doc) continue;
        wanted[i] = true;
        pt_needs_each(job->items[i].script->declaration, pick_need, &pick);
        if (job->solo) break;
    }
    job->sent_len = 0;
    for (size_t i = 0; i < job->items_len; i++)
        if (wanted[i] && !job->items[i].broken) job->sent[job->sent_len++] = i;
    free(wanted);
    return PT_OK;
}

enum pt_code pt_job_request(struct pt_job *job, bson_t *doc, struct pt_err *err)
{
    bson_t list, item, params;
    char key[24];
    enum pt_code rc = choose(job, err);
    if (rc != PT_OK) return rc;
    bool ok = bson_append_utf8(doc, "op", -1, "run", -1) &&
              bson_append_int64(doc, "id", -1, (int64_t)job->id) &&
              bson_append_utf8(doc, "symbol", -1, job->symbol, -1) &&
              bson_append_int64(doc, "period_us", -1, job->period_us) &&
              bson_append_int64(doc, "as_of_us", -1, job->as_of_us) &&
              bson_append_int64(doc, "now_us", -1, job->now_us) &&
              (!*job->benchmark || bson_append_utf8(doc, "benchmark", -1, job->benchmark, -1)) &&
              (job->inspect == PT_INSPECT_NONE ||
               bson_append_int64(doc, "inspect", -1, (int64_t)job->inspect)) &&
              (!job->whole || bson_append_bool(doc, "whole", -1, true)) &&
              bson_append_array_begin(doc, "scripts", -1, &list);
    bson_init(&params);
    for (size_t i = 0; ok && i < job->sent_len; i++) {
        const struct pt_job_item *sent = &job->items[job->sent[i]];
        snprintf(key, sizeof key, "%zu", i);
        ok = bson_append_document_begin(&list, key, -1, &item) &&
             bson_append_utf8(&item, "name", -1, sent->name, -1) &&
             bson_append_document(&item, "params", -1, sent->params ? sent->params : &params) &&
             bson_append_document_end(&list, &item);
    }
    ok = ok && bson_append_array_end(doc, &list);
    bson_destroy(&params);
    job->tries++;
    return ok ? PT_OK
              : pt_fail(err, PT_ERANGE, "the request of a unit of %zu scripts is too large",
                        job->n);
}

int64_t pt_job_budget_us(const struct pt_job *job, int64_t call_budget_us)
{
    return *job->symbol ? call_budget_us : PT_MARKET_BUDGET * call_budget_us;
}

int64_t pt_job_allowance_us(const struct pt_job *job, int64_t call_budget_us)
{
    size_t calls = job->sent_len + (job->inspect == PT_INSPECT_NONE ? 0 : PT_INSPECT_BUDGETS);
    return (int64_t)calls * PT_CLOCK_BUDGETS * pt_job_budget_us(job, call_budget_us) + MARGIN_US;
}

static bool known_status(const char *status)
{
    static const char *const words[] = { "ok", "warming", "gap", "error", "empty", NULL };
    for (const char *const *word = words; *word; word++)
        if (strcmp(*word, status) == 0) return true;
    return false;
}

/* The k-th result of an answer: must be that of the k-th script that was sent. */
static bool read_result(const struct pt_job *job, size_t k, const bson_iter_t *iter, bson_t *doc,
                        int64_t *elapsed_us)
{
    bson_t result;
    uint32_t len = 0;
    const uint8_t *data = NULL;
    const char *name, *status, *symbol;
    if (!BSON_ITER_HOLDS_DOCUMENT(iter) || k >= job->sent_len) return false;
    bson_iter_document(iter, &len, &data);
    return data && bson_init_static(&result, data, len) && pt_doc_text(&result, "name", &name) &&
           strcmp(name, job->items[job->sent[k]].name) == 0 &&
           pt_doc_int(&result, "elapsed_us", elapsed_us) && pt_doc_child(&result, "doc", doc) &&
           doc->len <= (*job->symbol && !job->whole ? PT_RESULT_MAX : PT_MARKET_RESULT_MAX) &&
           pt_doc_text(doc, "status", &status) && known_status(status) &&
           pt_doc_text(doc, "symbol", &symbol) && strcmp(symbol, job->symbol) == 0;
}

/* Does what was sent settle all that is asked? */
static bool completes(const struct pt_job *job)
{
    size_t open = 0, sent = 0;
    for (size_t i = 0; i < job->items_len; i++) open += job->items[i].asked && !job->items[i].doc;
    for (size_t k = 0; k < job->sent_len; k++) {
        const struct pt_job_item *item = &job->items[job->sent[k]];
        sent += item->asked && !item->doc;
    }
    return open == sent;
}

/* last: nothing more will be asked, so the answer need not be copied. */
static void settle(struct pt_job *job, struct pt_job_item *item, const bson_t *doc,
                   int64_t elapsed_us, bool last)
{
    if (item->doc) return; /* by an earlier answer: it was sent as a need */
    item->elapsed_us = elapsed_us;
    count(job, item, doc);
    if (!last) {
        item->doc = bson_copy(doc);
        return;
    }
    item->bytes = bson_get_data(doc);
    item->len = doc->len;
}

enum pt_code pt_job_answer(struct pt_job *job, const bson_t *answer, struct pt_err *err)
{
    bson_t list, doc;
    bson_iter_t iter;
    int64_t id = -1, elapsed_us;
    size_t k = 0;
    if (!pt_doc_int(answer, "id", &id) || id != (int64_t)job->id ||
        !pt_doc_child(answer, "results", &list))
        return pt_fail(err, PT_EDAMAGE, "answered something else than was asked");
    for (bson_iter_init(&iter, &list); bson_iter_next(&iter); k++)
        if (!read_result(job, k, &iter, &doc, &elapsed_us))
            return pt_fail(err, PT_EDAMAGE, "gave an answer whose result %zu is none", k);
    if (k != job->sent_len)
        return pt_fail(err, PT_EDAMAGE, "gave %zu results for %zu scripts", k, job->sent_len);
    bool last = completes(job);
    k = 0;
    for (bson_iter_init(&iter, &list); bson_iter_next(&iter); k++)
        if (read_result(job, k, &iter, &doc, &elapsed_us))
            settle(job, &job->items[job->sent[k]], &doc, elapsed_us, last);
    return PT_OK;
}

/* ---- death --------------------------------------------------------------------------------- */

bool pt_job_died(struct pt_job *job, size_t at, bool outside, const char *words,
                 const struct pt_job_item **culprit)
{
    *culprit = NULL;
    if (outside && job->outside < OUTSIDE_MAX) {
        job->outside++;
        return true;
    }
    if (at >= job->sent_len) {
        /* of a solo request only the last is new; all before it had answered once */
        if (!job->solo && job->sent_len > 1) {
            job->solo = true;
            return true;
        }
        at = job->sent_len - 1;
    }
    struct pt_job_item *item = &job->items[job->sent[at]];
    bson_destroy(item->doc); /* it may have been good before, as a need of another */
    item->doc = NULL;
    *culprit = item;
    settle_error(job, item, words);
    return job->tries < 2 * job->items_len + OUTSIDE_MAX + 4;
}

bool pt_job_in_force(const struct pt_job *job, const struct pt_job_item *item)
{
    size_t asked = place_asked(job, item->name);
    return asked == job->n || !job->params[asked] || bson_empty(job->params[asked]);
}

bool pt_job_done(const struct pt_job *job)
{
    for (size_t i = 0; i < job->items_len; i++)
        if (job->items[i].asked && !job->items[i].doc && !job->items[i].bytes) return false;
    return true;
}

void pt_job_finish(struct pt_job *job, const struct pt_err *err)
{
    struct pt_unit_result *results = NULL;
    bson_t *views = NULL; /* libbson wants them aligned as it likes */
    struct pt_err no_memory;
    if (!err) {
        results = calloc(job->n, sizeof *results);
        views = aligned_alloc(_Alignof(bson_t), job->n * sizeof *views);
        if (!results || !views) {
            pt_fail(&no_memory, PT_ENOMEM, "unit of %zu scripts", job->n);
            err = &no_memory;
        }
    }
    for (size_t i = 0; !err && i < job->n; i++) {
        const struct pt_job_item *item = item_of(job, job->names[i]);
        bool view = !item->doc && bson_init_static(&views[i], item->bytes, item->len);
        results[i] = (struct pt_unit_result){ .name = item->name,
                                              .doc = view ? &views[i] : item->doc,
                                              .elapsed_us = item->elapsed_us,
                                              .failed = job->failed };
    }
    job->fn(job->arg, err ? NULL : results, err ? 0 : job->n, err);
    free(views);
    free(results);
}
