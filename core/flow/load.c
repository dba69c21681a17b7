/* load.c - bringing a set of scripts to life: pt_pool_load, pt_pool_try.        [layer: flow]
 *
 *     load ──> the worker that goes first ──> answers ──> rules ──> shadow ──> express ──> live
 *                 ^                             │           │         │
 *                 └── again, with what is left ─┴───────────┴─────────┘
 *
 * One worker goes first. What it says (or what kills it), what the rules between scripts say and
 * what the shadow says decides which versions are live; where one fails, its last good version
 * stands in or it is left out, and another worker goes first. Each turn takes a version out, or is
 * one of TRIES_MAX, so it ends. Only then is the set made active and the other workers started. So
 * a broken script costs one worker, not one for each core, and units never see a set that is half
 * there. Where there is an express worker, the old workers answer until the new one has come and
 * knows what people ask for (warm.c): whoever asks in the meantime does not notice. It is waited
 * for, not judged, and not for ever: what becomes of it is what becomes of any worker of a live
 * set. */
#include "base/log.h"
#include "flow/pool_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3
#define EXPRESS_US 2000000 /* the express worker is waited for; most load within 0.1 s */

void pt_set_unref(struct pt_set *set)
{
    if (!set || --set->refs > 0) return;
    pt_shadow_fini(&set->shadow);
    pt_warm_fini(set->warm);
    pt_scripts_unref(set->warm_scripts);
    pt_scripts_unref(set->scripts);
    pt_registry_fini(&set->registry);
    pt_conf_free(set->conf);
    free(set);
}

/* ---- begin and end ------------------------------------------------------------------------- */

/* A version that is out is not loaded, as long as nothing of it is new. */
static void quarantine_known(struct pt_pool *pool, struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        const char *words = pt_strikes_out(&pool->strikes, candidate->source->hash);
        if (!words || candidate->failed || !candidate->declaration) continue;
        candidate->quarantined = true;
        candidate->previous = false;
        snprintf(candidate->message, sizeof candidate->message, "%s", words);
        snprintf(candidate->error_file, sizeof candidate->error_file, "%s",
                 candidate->source->file);
        candidate->error_line = 0;
    }
}

/* Takes the sources. */
static enum pt_code begin(struct pt_pool *pool, const struct pt_conf *conf,
                          struct pt_sources *sources, struct pt_set **out, struct pt_err *err)
{
    if (pool->loading) return pt_fail(err, PT_EBUSY, "scripts are being loaded");
    if (pool->closing) return pt_fail(err, PT_ECANCEL, "the engine is stopping");
    struct pt_set *set = calloc(1, sizeof *set);
    if (!set) return pt_fail(err, PT_ENOMEM, "scripts");
    set->refs = 1;
    set->conf = pt_conf_ref(conf);
    set->limits = pool->limits;
    enum pt_code rc = pt_registry_init(&set->registry, sources, err);
    if (rc == PT_OK && pool->active)
        rc = pt_registry_inherit(&set->registry, &pool->active->registry, err);
    if (rc == PT_OK) rc = pt_hand_start(pool, set, PT_ROLE_FIRST, err);
    if (rc == PT_OK)
        pool->loading = *out = set;
    else
        pt_set_unref(set);
    return rc;
}

enum pt_code pt_pool_load(struct pt_pool *pool, const struct pt_conf *conf,
                          struct pt_sources *sources, pt_loaded_fn fn, void *arg,
                          struct pt_err *err)
{
    struct pt_set *set = NULL;
    enum pt_code rc = begin(pool, conf, sources, &set, err);
    if (rc != PT_OK) return rc;
    set->fn = fn;
    set->arg = arg;
    return PT_OK;
}

enum pt_code pt_pool_try(struct pt_pool *pool, const struct pt_conf *conf,
                         struct pt_sources *sources, pt_tried_fn fn, void *arg, struct pt_err *err)
{
    struct pt_set *set = NULL;
    enum pt_code rc = begin(pool, conf, sources, &set, err);
    if (rc != PT_OK) return rc;
    set->tried = fn;
    set->arg = arg;
    return PT_OK;
}

static void send_away(struct pt_pool *pool, const struct pt_set *set)
{
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->set == set) pt_worker_leave(hand->worker);
}

/* The set does not go live, because of err, or NULL: it was only tried. */
static void drop(struct pt_pool *pool, const struct pt_err *err)
{
    struct pt_set *set = pool->loading;
    pool->loading = NULL;
    send_away(pool, set);
    if (set->tried)
        set->tried(set->arg, err ? NULL : set->scripts, set->shadow.trials,
                   err ? 0 : set->shadow.ntrials, err);
    else
        set->fn(set->arg, NULL, err);
    pt_set_unref(set);
}

void pt_load_again(struct pt_pool *pool)
{
    struct pt_err err;
    send_away(pool, pool->loading); /* what is left out must not stay loaded under a name */
    if (pt_hand_start(pool, pool->loading, PT_ROLE_FIRST, &err) != PT_OK) drop(pool, &err);
}

/* A version was taken out: what was found of the set is not of what is left. */
static void again_without(struct pt_pool *pool, struct pt_set *set)
{
    pt_shadow_fini(&set->shadow);
    pt_load_again(pool);
}

bool pt_pool_loading(const struct pt_pool *pool)
{
    return pool->loading != NULL;
}

/* ---- going live ---------------------------------------------------------------------------- */

static void log_failures(const struct pt_scripts *scripts, const struct pt_scripts *old)
{
    if (scripts->libs_message[0])
        pt_log(PT_ERROR, "scripts", "libraries_kept", "at=%s:%d message=\"%s\"", scripts->libs_file,
               scripts->libs_line, scripts->libs_message);
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (script->status == PT_SCRIPT_LIVE) continue;
        const struct pt_script *was = old ? pt_scripts_find(old, script->name) : NULL;
        if (was && was->status == script->status && strcmp(was->message, script->message) == 0)
            continue; /* said before */
        pt_log(PT_ERROR, "scripts", pt_script_status_text(script->status),
               "script=%s at=%s:%d message=\"%s\"", script->name, script->error_file,
               script->error_line, script->message);
    }
}

static enum pt_code snapshot(struct pt_pool *pool, struct pt_set *set, struct pt_err *err)
{
    struct pt_scripts *scripts = NULL;
    const struct pt_scripts *old = set->scripts   ? set->scripts
                                   : pool->active ? pool->active->scripts
                                                  : NULL;
    quarantine_known(pool, &set->registry);
    enum pt_code rc =
        pt_registry_snapshot(&set->registry, old, pool->generation + 1, &scripts, err);
    if (rc != PT_OK) return rc;
    pt_scripts_unref(set->scripts);
    set->scripts = scripts;
    return PT_OK;
}

/* Makes what the registry now says the snapshot of the set, and the set the active one. */
static enum pt_code publish(struct pt_pool *pool, struct pt_set *set, struct pt_err *err)
{
    struct pt_scripts *before = set->scripts   ? pt_scripts_ref(set->scripts)
                                : pool->active ? pt_scripts_ref(pool->active->scripts)
                                               : NULL;
    enum pt_code rc = snapshot(pool, set, err);
    if (rc == PT_OK) {
        pool->generation++;
        if (pool->loading == set) {
            struct pt_set *old = pool->active;
            pool->active = set;
            pool->loading = NULL;
            pool->start_failures = 0;
            pt_registry_settle(&set->registry);
            pt_shadow_fini(&set->shadow);
            pt_set_unref(old);
            for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
                pt_hand_leave_if_old(hand);
        }
        pt_strikes_keep(&pool->strikes, set->scripts);
        log_failures(set->scripts, before);
        set->fn(set->arg, set->scripts, NULL);
    }
    pt_scripts_unref(before);
    return rc;
}

/* It has passed all there is, and its express worker is there, will not be, or is late. */
void pt_load_live(struct pt_pool *pool, struct pt_set *set)
{
    struct pt_err err;
    pt_timer_stop(&pool->express);
    if (publish(pool, set, &err) != PT_OK) {
        drop(pool, &err);
        return;
    }
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->set == set && hand->loaded && hand->depth == 0) pt_hand_ready(hand);
    pt_pool_maintain(pool); /* also when all of them have ended meanwhile */
}

void pt_load_express_late(void *arg)
{
    struct pt_pool *pool = arg;
    pt_log(PT_WARN, "pool", "express_late", "waited_ms=%d", EXPRESS_US / 1000);
    pt_load_live(pool, pool->loading);
}

/* The loading set has passed all there is. */
static void finish(struct pt_pool *pool, struct pt_set *set)
{
    struct pt_err err;
    if (set->tried)
        drop(pool, snapshot(pool, set, &err) == PT_OK ? NULL : &err);
    else if (!pool->opts.express || !pool->active ||
             pt_hand_start(pool, set, PT_ROLE_EXPRESS, &err) != PT_OK)
        pt_load_live(pool, set); /* a worker that could not be started will be tried again */
    else
        pt_timer_start(&pool->express, EXPRESS_US);
}

/* The live set has lost a script. */
static void publish_loss(struct pt_pool *pool, struct pt_set *set)
{
    struct pt_err err;
    bool again = false;
    enum pt_code rc = pt_registry_check(&set->registry, set->conf, &again, &err);
    if (rc == PT_OK) rc = publish(pool, set, &err);
    if (rc != PT_OK) pt_log(PT_ERROR, "scripts", "stale", "%s", err.text);
}

void pt_load_quarantine(struct pt_pool *pool, struct pt_set *set, const char *hash)
{
    struct pt_err err;
    bool there = false;
    for (size_t i = 0; i < set->registry.n; i++)
        there = there || strcmp(set->registry.v[i].source->hash, hash) == 0;
    if (!there) return; /* the version has gone meanwhile */
    atomic_fetch_add_explicit(&pool->quarantines, 1, memory_order_relaxed);
    if (publish(pool, set, &err) != PT_OK) pt_log(PT_ERROR, "scripts", "stale", "%s", err.text);
}

/* ---- the worker that goes first ------------------------------------------------------------ */

void pt_load_shadowed(struct pt_hand *hand, const struct pt_err *failed)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    bool again = false;
    if (failed) {
        drop(pool, failed);
        return;
    }
    if (!set->shadow.failed) {
        finish(pool, set);
        return;
    }
    if (pt_registry_check(&set->registry, set->conf, &again, &err) != PT_OK)
        drop(pool, &err);
    else
        again_without(pool, set);
}

static void first_answered(struct pt_hand *hand)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    bool again = false, failed = false;
    bool any = set->shadow.scripts != NULL; /* it goes on where another ended */
    enum pt_code rc = pt_registry_check(&set->registry, set->conf, &again, &err);
    if (rc == PT_OK && !again && !any) {
        rc = pt_registry_configure(&set->registry, set->conf,
                                   pool->active ? pool->active->conf : NULL, &failed, &err);
        if (rc == PT_OK && failed) rc = pt_registry_check(&set->registry, set->conf, &again, &err);
        again = again || failed;
    }
    if (rc == PT_OK && again) {
        again_without(pool, set);
        return;
    }
    if (rc == PT_OK && !any) rc = pt_shadow_plan(pool, set, &any, &err);
    if (rc != PT_OK)
        drop(pool, &err);
    else if (any)
        pt_shadow_next(hand);
    else
        finish(pool, set);
}

/* Has it loaded all of the n that were sent? */
static bool loaded_all(const bson_t *answer, size_t n)
{
    bson_t list, item, declaration;
    bson_iter_t iter;
    size_t k = 0;
    if (!pt_doc_child(answer, "scripts", &list) || !bson_iter_init(&iter, &list)) return false;
    for (; pt_doc_next(&iter, &item); k++)
        if (!pt_doc_child(&item, "declaration", &declaration)) return false;
    return k == n;
}

void pt_load_answered(struct pt_hand *hand, const bson_t *doc)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    const char *op = "";
    bool news = false, express = pool->loading == set && hand->express;
    /* the set had passed: what only this worker says of it is said of a live one */
    if (express && !loaded_all(doc, hand->index_len)) pt_load_live(pool, set);
    pt_doc_text(doc, "op", &op);
    enum pt_code rc =
        strcmp(op, "loaded") == 0
            ? pt_registry_loaded(&set->registry, hand->index, hand->index_len, doc, &news, &err)
            : pt_fail(&err, PT_EDAMAGE, "an answer to load that is called '%.40s'", op);
    if (rc != PT_OK) {
        if (express && pool->loading == set) pt_load_live(pool, set);
        pt_worker_kill(hand->worker, err.text);
        return;
    }
    hand->loaded = true;
    if (pool->loading == set && express) {
        quarantine_known(pool, &set->registry); /* meanwhile */
        pt_warm_begin(hand);
        return;
    }
    if (pool->loading == set) {
        first_answered(hand);
        return;
    }
    if (news && pool->active == set) publish_loss(pool, set);
    pt_hand_ready(hand);
}

/* line: 0 when it is not known. */
static void blame_with_place(struct pt_candidate *candidate, const char *text, uint32_t line)
{
    if (!candidate->previous) {
        snprintf(candidate->error_file, sizeof candidate->error_file, "%s",
                 candidate->source->file);
        candidate->error_line = (int)line;
    }
    pt_registry_fail(candidate, "%s", text);
}

/* The worker ended while it loaded this one. A version that has loaded before may just have had bad
 * luck on a busy machine: it is tried again, but not for ever. */
static void blame_for_load(struct pt_hand *hand, struct pt_candidate *candidate,
                           const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    char words[300], text[360];
    bool again = false, checked = pool->loading == set && pool->opts.check && !candidate->passed;
    if (checked)
        pt_death_load_words(death, set->limits.load_budget_us, set->limits.call_budget_us, words,
                            sizeof words);
    else
        pt_death_words(death, set->limits.load_budget_us, words, sizeof words);
    snprintf(text, sizeof text, "%s%s", words,
             !checked        ? " while it was loaded"
             : death->budget ? ""
                             : " while it was loaded or checked");
    pt_log(PT_WARN, "pool", "worker_died", "file=%s words=\"%s\"", candidate->source->file, text);
    if (pool->loading == set) {
        if (candidate->passed && set->tries++ < TRIES_MAX) {
            pt_load_again(pool);
            return;
        }
        blame_with_place(candidate, text, death->line);
        if (pt_registry_check(&set->registry, set->conf, &again, &err) != PT_OK)
            drop(pool, &err);
        else
            again_without(pool, set);
    } else if (pool->active == set &&
               pt_strikes_add(&pool->strikes, candidate->source->hash, text)) {
        pt_load_quarantine(pool, set, candidate->source->hash);
    }
}

void pt_load_died(struct pt_hand *hand, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    if (pool->loading == set && hand->express) pt_load_live(pool, set);
    if (death->phase == PT_PHASE_LOAD && death->script < hand->index_len && !death->outside) {
        blame_for_load(hand, &set->registry.v[hand->index[death->script]], death);
        return;
    }
    pt_fail(&err, PT_EIO, "%s %s before it was ready", pool->worker, death->words);
    if (pool->loading == set) {
        if (++set->tries < TRIES_MAX)
            pt_load_again(pool);
        else
            drop(pool, &err);
    } else if (pool->active == set) {
        pt_pool_start_failed(pool, &err);
    }
}
