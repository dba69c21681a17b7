/* reload.c - one reload after the other, each with the newest files.           [layer: flow]
 *
 *     wish, ask ──> configuration ──> options, folders ──> load (pool) ──> in force ──> feeds ──>
 * told │ a mistake        │ a mistake         │ no worker
 *                     └──────────────────┴───────────────────┴──> refused: all stays as it was
 *
 * One runs at a time. Whatever is wished for meanwhile is one more reload afterwards, however often
 * it was wished for; so the last state on disk is always the one that ends up in force, and whoever
 * waits is told of a reload that began after he had asked. */
#include "flow/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "flow/diff.h"
#include "flow/engine_internal.h"
#include "flow/refeed.h"
#include "flow/watch.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct feed_change {
    char name[64];
    const char *action; /* static */
};

struct pt_reload {
    struct pt_engine *engine;
    struct pt_watch *watch;
    struct pt_timer next; /* begins what waits, from the loop */
    bool started, stopped;
    bool wished; /* nobody waits for it */
    struct pt_reload_ask *waiting, *serving;

    /* of the one under way */
    bool running, loading;
    struct pt_conf *conf; /* a ref */
    struct pt_settings settings;
    struct pt_outcome outcome;
    struct pt_diff *diff;
    int64_t started_us; /* monotonic */
    struct feed_change feeds[2 * PT_FEEDS_MAX];
    size_t nfeeds;
    unsigned pending; /* feeds that are at it, and one until all were asked */
};

bool pt_reload_loading(const struct pt_reload *reload)
{
    return reload && reload->loading;
}

/* ---- the end of one ------------------------------------------------------------------------ */

static void answer(struct pt_reload_ask **asks, const bson_t *doc, const struct pt_err *err)
{
    while (*asks) {
        struct pt_reload_ask *ask = *asks;
        *asks = ask->next;
        ask->fn(ask->arg, doc, err);
        free(ask);
    }
}

static void clear(struct pt_reload *reload)
{
    pt_diff_free(reload->diff);
    pt_conf_free(reload->conf);
    pt_settings_fini(&reload->settings);
    pt_outcome_fini(&reload->outcome);
    reload->diff = NULL;
    reload->conf = NULL;
    reload->nfeeds = 0;
    reload->running = reload->loading = false;
}

static void finish(struct pt_reload *reload)
{
    struct pt_engine *engine = reload->engine;
    struct pt_outcome *outcome = &reload->outcome;
    if (reload->stopped) return;
    outcome->generation = pt_engine_generation(engine);
    outcome->duration_us = pt_mono_us() - reload->started_us;
    pt_outcome_log(outcome);
    bson_t *doc = pt_outcome_doc(outcome);
    if (!outcome->diff) {
        atomic_fetch_add(&engine->reloads, 1);
        if (!pt_outcome_ok(outcome)) atomic_fetch_add(&engine->reload_failures, 1);
        atomic_store(&engine->last_reload_us, pt_now_us());
        atomic_store(&engine->reload_wall_us, outcome->duration_us);
        pthread_mutex_lock(&engine->lock);
        bson_destroy(engine->outcome); /* accepts NULL */
        engine->outcome = bson_copy(doc);
        pthread_mutex_unlock(&engine->lock);
    }
    answer(&reload->serving, doc, NULL);
    bson_destroy(doc);
    clear(reload);
    malloc_trim(
        0); /* a set is much at once, made by one thread and freed by many: it leaves holes */
    if (reload->wished || reload->waiting) pt_timer_start(&reload->next, 0);
}

static void refuse(struct pt_reload *reload, const struct pt_err *err)
{
    struct pt_pool_limits limits;
    pt_settings_limits(reload->engine->conf, &limits);
    pt_pool_limits(reload->engine->pool, &limits);
    reload->outcome.err = *err;
    bson_destroy(reload->outcome.changed); /* accepts NULL; nothing of it is in force */
    reload->outcome.changed = NULL;
    finish(reload);
}

/* ---- in force ------------------------------------------------------------------------------ */

static bool in_list(const struct pt_conf *conf, const char *name)
{
    const char *item;
    for (size_t i = 0; (item = pt_conf_item(conf, "feed", "enabled", i)); i++)
        if (strcmp(item, name) == 0) return true;
    return false;
}

struct section {
    const char *name;
    bool differs;
};

static void look_section(void *arg, const char *section, const char *name, const char *key,
                         bool live)
{
    struct section *mine = arg;
    (void)key;
    (void)live;
    if (name && strcmp(section, "feed") == 0 && strcmp(name, mine->name) == 0) mine->differs = true;
}

static bool is_open(struct pt_engine *engine, const char *name)
{
    struct pt_engine_stats stats = { 0 };
    pt_ingest_stats(engine->ingest, &stats);
    for (size_t i = 0; i < stats.nfeeds; i++)
        if (stats.feeds[i].open && strcmp(stats.feeds[i].name, name) == 0) return true;
    return false;
}

static void feed_done(struct pt_reload *reload)
{
    if (--reload->pending == 0) finish(reload);
}

static void on_feed(void *arg, const char *name, const struct pt_err *err)
{
    struct pt_reload *reload = arg;
    const char *action = "opened";
    if (reload->stopped) return;
    for (size_t i = 0; i < reload->nfeeds; i++)
        if (strcmp(reload->feeds[i].name, name) == 0) action = reload->feeds[i].action;
    pt_outcome_feed(&reload->outcome, name, action, err);
    if (!err) pt_log(PT_INFO, "reload", "feed", "feed=%s action=%s", name, action);
    feed_done(reload);
}

/* feed: taken; NULL: it goes. */
static void change_feed(struct pt_reload *reload, const char *name, struct pt_feed *feed,
                        const char *action)
{
    struct feed_change *change = &reload->feeds[reload->nfeeds++];
    snprintf(change->name, sizeof change->name, "%s", name);
    change->action = action;
    reload->pending++;
    pt_ingest_refeed(reload->engine->ingest, change->name, feed, on_feed, reload);
}

/* Feeds whose section has changed, that are new, that go, or that did not open last time. */
static void change_feeds(struct pt_reload *reload)
{
    struct pt_engine *engine = reload->engine;
    const char *item;
    reload->pending = 1;
    for (size_t i = 0; (item = pt_conf_item(engine->conf, "feed", "enabled", i)); i++)
        if (!in_list(reload->conf, item)) change_feed(reload, item, NULL, "closed");
    for (size_t i = 0; i < reload->settings.nfeeds; i++) {
        struct pt_feed *feed = reload->settings.feeds[i];
        struct section section = { .name = feed->name };
        bool was = in_list(engine->conf, feed->name);
        reload->settings.feeds[i] = NULL;
        pt_conf_differences(engine->conf, reload->conf, look_section, &section);
        if (was && !section.differs && is_open(engine, feed->name))
            pt_feed_free(feed);
        else
            change_feed(reload, feed->name, feed, was ? "reopened" : "opened");
    }
    reload->settings.nfeeds = 0;
}

static void apply(struct pt_reload *reload)
{
    struct pt_engine *engine = reload->engine;
    struct pt_conf *before = engine->conf;
    struct pt_settings old = engine->settings;
    enum pt_level level = PT_INFO;
    const char *words = pt_conf_text(reload->conf, "log", "level");
    if (strcmp(words, pt_conf_text(before, "log", "level")) != 0 &&
        pt_log_parse_level(words, &level))
        pt_log_set_level(level);
    change_feeds(reload);
    pt_ingest_rules(engine->ingest, reload->settings.rules, reload->settings.nrules);
    reload->settings.rules = NULL;
    reload->settings.nrules = 0;
    pt_cycle_settings(engine->cycle, pt_conf_text(reload->conf, "cycle", "benchmark"),
                      reload->settings.pairs, pt_conf_int(reload->conf, "cycle", "interval"));
    pthread_mutex_lock(&engine->lock);
    engine->conf = reload->conf;
    pthread_mutex_unlock(&engine->lock);
    engine->settings = reload->settings;
    reload->conf = NULL;
    reload->settings = (struct pt_settings){ .nfeeds = 0 };
    pt_settings_fini(&old);
    pt_conf_free(before);
    feed_done(reload);
}

void pt_reload_loaded(struct pt_reload *reload, struct pt_scripts *scripts,
                      const struct pt_err *err)
{
    reload->loading = false;
    if (!scripts) {
        refuse(reload, err);
        return;
    }
    reload->outcome.after = pt_scripts_ref(scripts);
    pt_outcome_unused(&reload->outcome, reload->conf);
    apply(reload);
}

/* ---- only to see --------------------------------------------------------------------------- */

static void on_compared(void *arg)
{
    finish(arg);
}

static void on_tried(void *arg, struct pt_scripts *scripts, const struct pt_trial *trials, size_t n,
                     const struct pt_err *err)
{
    struct pt_reload *reload = arg;
    struct pt_engine *engine = reload->engine;
    struct pt_err own;
    if (scripts) {
        reload->outcome.after = pt_scripts_ref(scripts);
        pt_outcome_unused(&reload->outcome, reload->conf);
        if (pt_diff_start(pt_loop_base(engine->loop), engine->pool, trials, n, &reload->outcome,
                          on_compared, reload, &reload->diff, &own) == PT_OK)
            return;
        err = &own;
    }
    refuse(reload, err);
}

/* ---- the begin of one ---------------------------------------------------------------------- */

static enum pt_code load(struct pt_reload *reload, struct pt_err *err)
{
    struct pt_engine *engine = reload->engine;
    struct pt_pool_limits limits;
    pt_settings_limits(reload->conf, &limits);
    pt_pool_limits(engine->pool, &limits);
    if (reload->outcome.diff)
        return pt_pool_try(engine->pool, reload->conf, &reload->settings.sources, on_tried, reload,
                           err);
    reload->loading = true;
    enum pt_code rc = pt_engine_load(engine, reload->conf, &reload->settings.sources, err);
    if (rc != PT_OK) reload->loading = false;
    return rc;
}

static void begin(struct pt_reload *reload)
{
    struct pt_engine *engine = reload->engine;
    struct pt_err err;
    enum pt_code rc = PT_OK;
    reload->running = true;
    reload->started_us = pt_mono_us();
    reload->outcome.started_us = pt_now_us();
    reload->outcome.before = pt_engine_scripts(engine);
    if (engine->reread)
        rc = engine->reread(engine->reread_arg, &reload->conf, &err);
    else
        reload->conf = pt_conf_ref(engine->conf);
    /* before the files are read: what changes after that is news again */
    if (rc == PT_OK && !reload->outcome.diff &&
        pt_watch_set(reload->watch, reload->conf, &err) != PT_OK)
        pt_log(PT_WARN, "reload", "not_watching", "error=\"%s\"", err.text);
    if (rc == PT_OK) rc = pt_settings_read(reload->conf, true, NULL, &reload->settings, &err);
    if (rc == PT_OK) {
        pt_outcome_config(&reload->outcome, engine->started, engine->conf, reload->conf);
        rc = load(reload, &err);
    }
    if (rc != PT_OK) refuse(reload, &err);
}

/* Those who want the same as the first are served together. */
static void take_asks(struct pt_reload *reload, bool diff)
{
    struct pt_reload_ask **at = &reload->waiting, **last = &reload->serving;
    while (*at) {
        struct pt_reload_ask *ask = *at;
        if (ask->diff != diff) {
            at = &ask->next;
            continue;
        }
        *at = ask->next;
        ask->next = NULL;
        *last = ask;
        last = &ask->next;
    }
}

static void on_next(void *arg)
{
    struct pt_reload *reload = arg;
    if (!reload->started || reload->stopped || reload->running ||
        (!reload->wished && !reload->waiting))
        return;
    bool diff = !reload->wished;
    for (const struct pt_reload_ask *ask = reload->waiting; ask; ask = ask->next)
        diff = diff && ask->diff;
    if (!diff) reload->wished = false;
    take_asks(reload, diff);
    reload->outcome.diff = diff;
    begin(reload);
}

void pt_reload_wish(struct pt_reload *reload)
{
    reload->wished = true;
    pt_timer_start(&reload->next, 0);
}

void pt_reload_take(struct pt_reload *reload, struct pt_reload_ask *ask)
{
    struct pt_reload_ask **at = &reload->waiting;
    while (*at) at = &(*at)->next;
    ask->next = NULL;
    *at = ask;
    pt_timer_start(&reload->next, 0);
}

/* ---- outside ------------------------------------------------------------------------------- */

static void on_change(void *arg)
{
    struct pt_reload *reload = arg;
    pt_log(PT_INFO, "reload", "files_changed", "watching=yes");
    pt_reload_wish(reload);
}

enum pt_code pt_reload_new(struct pt_engine *engine, struct pt_reload **out, struct pt_err *err)
{
    struct event_base *base = pt_loop_base(engine->loop);
    *out = NULL;
    struct pt_reload *reload = calloc(1, sizeof *reload);
    if (!reload) return pt_fail(err, PT_ENOMEM, "reload");
    reload->engine = engine;
    enum pt_code rc = pt_timer_init(&reload->next, base, on_next, reload, err);
    if (rc == PT_OK) rc = pt_watch_new(base, on_change, reload, &reload->watch, err);
    if (rc == PT_OK)
        *out = reload;
    else
        pt_reload_free(reload);
    return rc;
}

enum pt_code pt_reload_watch(struct pt_reload *reload, struct pt_err *err)
{
    return pt_watch_set(reload->watch, reload->engine->conf, err);
}

void pt_reload_start(struct pt_reload *reload)
{
    reload->started = true;
    pt_timer_start(&reload->next, 0);
}

void pt_reload_stop(struct pt_reload *reload)
{
    struct pt_err err;
    if (!reload || reload->stopped) return;
    reload->stopped = true;
    pt_timer_stop(&reload->next);
    pt_fail(&err, PT_ECANCEL, "the engine is stopping");
    answer(&reload->serving, NULL, &err);
    answer(&reload->waiting, NULL, &err);
}

void pt_reload_free(struct pt_reload *reload)
{
    if (!reload) return;
    pt_reload_stop(reload);
    clear(reload);
    pt_watch_free(reload->watch);
    pt_timer_fini(&reload->next);
    free(reload);
}
