/* load.c - bringing a set of scripts to life: pt_pool_load.                    [layer: flow]
 *
 * One worker goes first. What it says (or what kills it) decides which scripts are live; scripts
 * that end it are left out and another goes first. Only then is the set made active and the other
 * workers started. So a broken script costs one worker, not one for each core. */
#include "flow/pool_internal.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3

void pt_set_unref(struct pt_set *set)
{
    if (!set || --set->refs > 0) return;
    pt_scripts_unref(set->scripts);
    pt_registry_fini(&set->registry);
    free(set);
}

enum pt_code pt_pool_load(struct pt_pool *pool, const struct pt_conf *conf,
                          struct pt_sources *sources, pt_loaded_fn fn, void *arg,
                          struct pt_err *err)
{
    if (pool->loading) return pt_fail(err, PT_EBUSY, "scripts are being loaded");
    struct pt_set *set = calloc(1, sizeof *set);
    if (!set) return pt_fail(err, PT_ENOMEM, "scripts");
    set->refs = 1;
    set->fn = fn;
    set->arg = arg;
    set->conf = conf;
    enum pt_code rc = pt_registry_init(&set->registry, sources, err);
    if (rc == PT_OK) rc = pt_hand_start(pool, set, err);
    if (rc == PT_OK)
        pool->loading = set;
    else
        pt_set_unref(set);
    return rc;
}

static void give_up(struct pt_pool *pool, const struct pt_err *err)
{
    struct pt_set *set = pool->loading;
    pool->loading = NULL;
    for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
        if (hand->set == set) pt_worker_leave(hand->worker);
    set->fn(set->arg, NULL, err);
    pt_set_unref(set);
}

/* The next worker to go first. */
static void go_first(struct pt_pool *pool)
{
    struct pt_err err;
    if (pt_hand_start(pool, pool->loading, &err) != PT_OK) give_up(pool, &err);
}

static void log_failures(const struct pt_scripts *scripts)
{
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (script->status == PT_SCRIPT_FAILED)
            pt_log(PT_ERROR, "scripts", "failed", "script=%s at=%s:%d message=\"%s\"", script->name,
                   script->error_file, script->error_line, script->message);
    }
}

/* Makes what the registry now says the snapshot of the set, and the set the active one. */
static enum pt_code publish(struct pt_pool *pool, struct pt_set *set, struct pt_err *err)
{
    struct pt_scripts *scripts = NULL;
    const struct pt_scripts *old = set->scripts   ? set->scripts
                                   : pool->active ? pool->active->scripts
                                                  : NULL;
    enum pt_code rc =
        pt_registry_snapshot(&set->registry, old, pool->generation + 1, &scripts, err);
    if (rc != PT_OK) return rc;
    pool->generation++;
    pt_scripts_unref(set->scripts);
    set->scripts = scripts;
    if (pool->loading == set) {
        struct pt_set *before = pool->active;
        pool->active = set;
        pool->loading = NULL;
        pool->start_failures = 0;
        pt_set_unref(before);
        for (struct pt_hand *hand = pool->hands; hand; hand = hand->next)
            pt_hand_leave_if_old(hand);
    }
    log_failures(scripts);
    set->fn(set->arg, scripts, NULL);
    return PT_OK;
}

bool pt_load_answered(struct pt_hand *hand, const bson_t *doc)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    const char *op = "";
    bool news = false, again = false;
    pt_doc_text(doc, "op", &op);
    enum pt_code rc =
        strcmp(op, "loaded") == 0
            ? pt_registry_loaded(&set->registry, hand->index, hand->index_len, doc, &news, &err)
            : pt_fail(&err, PT_EDAMAGE, "an answer to load that is called '%.40s'", op);
    if (rc != PT_OK) {
        pt_worker_kill(hand->worker, err.text);
        return false;
    }
    if (pool->loading == set) {
        rc = pt_registry_check(&set->registry, &again, &err);
        if (rc == PT_OK && again) {
            pt_worker_leave(hand->worker);
            go_first(pool);
            return true;
        }
        if (rc == PT_OK) rc = pt_registry_configure(&set->registry, set->conf, &err);
        if (rc == PT_OK) rc = publish(pool, set, &err);
        if (rc != PT_OK) give_up(pool, &err);
        return true;
    }
    if (news) {
        rc = pt_registry_check(&set->registry, &again, &err);
        if (rc == PT_OK) rc = publish(pool, set, &err);
        if (rc != PT_OK) pt_log(PT_ERROR, "scripts", "stale", "%s", err.text);
    }
    return true;
}

void pt_load_died(struct pt_hand *hand, const struct pt_death *death)
{
    struct pt_pool *pool = hand->pool;
    struct pt_set *set = hand->set;
    struct pt_err err;
    bool again = false;
    if (death->phase == PT_PHASE_LOAD && death->script < hand->index_len && !death->outside) {
        struct pt_candidate *candidate = &set->registry.v[hand->index[death->script]];
        if (death->budget)
            pt_registry_fail(candidate,
                             "ran over its time budget of %" PRId64 " ms while it was loaded",
                             pool->opts.load_budget_us / 1000);
        else
            pt_registry_fail(candidate, "its worker %s while it was loaded", death->words);
        if (pool->loading == set) {
            go_first(pool);
        } else if (pool->active == set) {
            enum pt_code rc = pt_registry_check(&set->registry, &again, &err);
            if (rc == PT_OK) rc = publish(pool, set, &err);
            if (rc != PT_OK) pt_log(PT_ERROR, "scripts", "stale", "%s", err.text);
        }
        return;
    }
    pt_fail(&err, PT_EIO, "%s %s before it was ready", pool->worker, death->words);
    if (pool->loading == set) {
        if (++set->tries < TRIES_MAX)
            go_first(pool);
        else
            give_up(pool, &err);
    } else if (pool->active == set) {
        pt_pool_start_failed(pool, &err);
    }
}
