/* engine.c - the assembled house: store, writer, feeds, workers, cycle.        [layer: flow] */
#include "base/clock.h"
#include "base/log.h"
#include "base/sched.h"
#include "base/timefmt.h"
#include "flow/engine_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_US 1000000
#define FEED_END_US (3 * PT_US_SEC)

/* ---- the parts ----------------------------------------------------------------------------- */

static enum pt_code open_store(struct pt_engine *engine, struct pt_err *err)
{
    const struct pt_conf *conf = engine->conf;
    const struct pt_store_opts opts = {
        .path = pt_conf_text(conf, "store", "path"),
        .readonly = engine->mode == PT_ENGINE_READ,
        .full_sync = strcmp(pt_conf_text(conf, "store", "sync"), "full") == 0,
        .max_bytes = (uint64_t)pt_conf_int(conf, "store", "max_size")
    };
    struct stat st;
    /* a question about a store that is not there makes none */
    if (engine->mode != PT_ENGINE_SERVE && stat(opts.path, &st) != 0)
        return pt_fail(err, PT_ENOENT,
                       "no store in %s: import something first, or set [store] path", opts.path);
    enum pt_code rc = pt_store_open(&opts, &engine->store, err);
    if (rc == PT_OK && engine->mode == PT_ENGINE_SERVE) rc = pt_store_claim(engine->store, err);
    return rc;
}

static enum pt_code start_pool(struct pt_engine *engine, struct pt_err *err)
{
    struct pt_pool_opts opts = { .worker = engine->settings.worker,
                                 .store = pt_store_path(engine->store),
                                 .check = engine->mode == PT_ENGINE_SERVE,
                                 .express = engine->mode == PT_ENGINE_SERVE,
                                 .give_way = engine->mode != PT_ENGINE_READ,
                                 .handle = engine->store };
    pt_settings_limits(engine->conf, &opts.limits);
    return pt_pool_new(pt_loop_base(engine->loop), &opts, &engine->pool, err);
}

/* On the loop: a new snapshot, or why there is none. */
static void on_loaded(void *arg, struct pt_scripts *scripts, const struct pt_err *err)
{
    struct pt_engine *engine = arg;
    pthread_mutex_lock(&engine->lock);
    if (scripts) {
        pt_scripts_unref(engine->scripts);
        engine->scripts = pt_scripts_ref(scripts);
        atomic_store(&engine->generation, scripts->generation);
    } else {
        engine->load_err = *err;
    }
    bool first = !engine->loaded;
    engine->loaded = true;
    pthread_mutex_unlock(&engine->lock);
    if (scripts && engine->cycle) pt_cycle_scripts(engine->cycle, scripts);
    if (first) pt_loop_stop(engine->loop);
    /* news of the live set may come while the next is being loaded */
    if (pt_reload_loading(engine->reload) && (!scripts || !pt_pool_loading(engine->pool)))
        pt_reload_loaded(engine->reload, scripts, err);
}

enum pt_code pt_engine_load(struct pt_engine *engine, const struct pt_conf *conf,
                            struct pt_sources *sources, struct pt_err *err)
{
    return pt_pool_load(engine->pool, conf, sources, on_loaded, engine, err);
}

static enum pt_code load_scripts(struct pt_engine *engine, struct pt_err *err)
{
    enum pt_code rc = pt_engine_load(engine, engine->conf, &engine->settings.sources, err);
    while (rc == PT_OK && !engine->loaded && !atomic_load(&engine->stopped))
        rc = pt_loop_run(engine->loop, err);
    if (rc != PT_OK || engine->scripts) return rc;
    if (!engine->loaded) return pt_fail(err, PT_ECANCEL, "stopped while the scripts were loaded");
    *err = engine->load_err;
    return err->code;
}

static void on_committed(void *arg)
{
    struct pt_engine *engine = arg;
    if (engine->cycle) pt_cycle_poke(engine->cycle);
}

static void on_round(void *arg, const struct pt_round_sums *sums, bool scanning)
{
    struct pt_engine *engine = arg;
    atomic_fetch_add(&engine->units, sums->cycle.units);
    atomic_fetch_add(&engine->failures, sums->cycle.failed);
    atomic_fetch_add(&engine->anomalies, sums->cycle.anomalies);
    if (scanning) return; /* it stores no results, and is no cycle */
    atomic_fetch_add(&engine->cycles, 1);
    atomic_fetch_add(&engine->results, sums->cycle.results);
    atomic_store(&engine->last_cycle_us, pt_now_us());
    atomic_store(&engine->cycle_wall_us, sums->cycle.wall_us);
}

static enum pt_code start_writer(struct pt_engine *engine, struct pt_err *err)
{
    const struct pt_conf *conf = engine->conf;
    const struct pt_ingest_opts opts = { .loop = engine->loop,
                                         .store = engine->store,
                                         .commit_interval_us =
                                             pt_conf_int(conf, "store", "commit_interval"),
                                         .retry_us = RETRY_US,
                                         .retention_every_us = PT_US_HOUR,
                                         .end_us = FEED_END_US,
                                         .commit_rows =
                                             (size_t)pt_conf_int(conf, "store", "commit_rows"),
                                         .ring_bytes = (size_t)pt_conf_int(conf, "feed", "ring"),
                                         .rules = engine->settings.rules,
                                         .nrules = engine->settings.nrules,
                                         .committed = on_committed,
                                         .arg = engine };
    engine->settings.rules = NULL; /* the ingest's now */
    engine->settings.nrules = 0;
    enum pt_code rc = pt_ingest_new(&opts, &engine->ingest, err);
    if (rc != PT_OK) return rc;
    const struct pt_cycle_host host = { .loop = engine->loop,
                                        .store = engine->store,
                                        .pool = engine->pool,
                                        .write = pt_ingest_write,
                                        .write_arg = engine->ingest,
                                        .benchmark = pt_conf_text(conf, "cycle", "benchmark"),
                                        .pairs = engine->settings.pairs,
                                        .interval_us = pt_conf_int(conf, "cycle", "interval"),
                                        .ended = on_round,
                                        .arg = engine };
    rc = pt_cycle_new(&host, &engine->cycle, err);
    if (rc == PT_OK) pt_cycle_scripts(engine->cycle, engine->scripts);
    return rc;
}

/* Does the session still have its terminal? */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) close(fd);
    return fd >= 0 || (errno != ENXIO && errno != EIO);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct pt_engine *engine = arg;
    struct signalfd_siginfo info;
    if (read((int)fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo == SIGHUP && !(engine->terminal && !has_terminal())) {
        pt_log(PT_INFO, "engine", "hangup", "reloading=yes");
        pt_reload_wish(engine->reload); /* begins once everything runs */
        return;
    }
    pt_log(PT_INFO, "engine", "stopping", "signal=SIG%s", sigabbrev_np((int)info.ssi_signo));
    pt_engine_stop(engine);
}

/* Signals come through a descriptor; all threads that are started from here on inherit the mask. */
static enum pt_code take_signals(struct pt_engine *engine, struct pt_err *err)
{
    sigset_t mask;
    struct sigaction hangup;
    /* under nohup it is meant to outlive its terminal */
    engine->terminal =
        has_terminal() && sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    int failed = pthread_sigmask(SIG_BLOCK, &mask, &engine->old_mask);
    if (failed) return pt_fail(err, PT_EIO, "signal mask: %s", strerror(failed));
    engine->masked = true;
    engine->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (engine->signal_fd < 0) return pt_fail(err, PT_EIO, "signalfd: %s", strerror(errno));
    engine->signals = event_new(pt_loop_base(engine->loop), engine->signal_fd, EV_READ | EV_PERSIST,
                                on_signal, engine);
    if (!engine->signals || event_add(engine->signals, NULL) != 0)
        return pt_fail(err, PT_ENOMEM, "signals");
    return PT_OK;
}

/* What the files say, and from then on what changes in them. A mistake in the configuration is told
 * before what keeps its folders from being watched. */
static enum pt_code read_files(struct pt_engine *engine, const char *extra, struct pt_err *err)
{
    bool serve = engine->mode == PT_ENGINE_SERVE;
    struct pt_err unwatched;
    enum pt_code watched = PT_OK, rc = PT_OK;
    if (serve) rc = pt_reload_new(engine, &engine->reload, err);
    if (rc == PT_OK && serve) watched = pt_reload_watch(engine->reload, &unwatched);
    if (rc == PT_OK) rc = pt_settings_read(engine->conf, serve, extra, &engine->settings, err);
    if (rc == PT_OK && watched != PT_OK) {
        *err = unwatched;
        rc = watched;
    }
    return rc;
}

enum pt_code pt_engine_new(const struct pt_conf *conf, enum pt_engine_mode mode, const char *extra,
                           struct pt_engine **out, struct pt_err *err)
{
    struct pt_err own;
    if (!err) err = &own;
    *out = NULL;
    struct pt_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return pt_fail(err, PT_ENOMEM, "engine");
    engine->conf = pt_conf_ref(conf);
    engine->started = pt_conf_ref(conf);
    engine->mode = mode;
    engine->signal_fd = -1;
    engine->started_us = pt_now_us();
    pthread_mutex_init(&engine->lock, NULL);
    enum pt_code rc = pt_loop_new(&engine->loop, err);
    if (rc == PT_OK) rc = read_files(engine, extra, err);
    if (rc == PT_OK) rc = open_store(engine, err);
    if (rc == PT_OK && mode == PT_ENGINE_SERVE) rc = take_signals(engine, err);
    if (rc == PT_OK) rc = start_pool(engine, err);
    if (rc == PT_OK) rc = load_scripts(engine, err);
    if (rc == PT_OK && mode == PT_ENGINE_SERVE) rc = start_writer(engine, err);
    if (rc == PT_OK)
        *out = engine;
    else
        pt_engine_free(engine);
    return rc;
}

/* Ends everything that goes on, in the order that loses nothing: feeds, what they brought, workers.
 */
static void shut_down(struct pt_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool again = atomic_exchange(&engine->closing, true);
    pthread_mutex_unlock(&engine->lock);
    if (again) return;
    pt_reload_stop(engine->reload);
    if (engine->cycle) pt_cycle_stop(engine->cycle);
    if (engine->ingest) pt_ingest_stop(engine->ingest);
    if (engine->pool) pt_pool_stop(engine->pool); /* whoever waits for a unit is told */
    if (engine->loop) pt_loop_flush(engine->loop);
}

void pt_engine_free(struct pt_engine *engine)
{
    if (!engine) return;
    shut_down(engine);
    pt_cycle_free(engine->cycle);
    pt_ingest_free(engine->ingest);
    if (engine->signals) event_free(engine->signals);
    if (engine->signal_fd >= 0) close(engine->signal_fd);
    if (engine->loop) pt_loop_flush(engine->loop);
    pt_pool_free(engine->pool);
    pt_reload_free(engine->reload);
    pt_loop_free(engine->loop);
    pt_store_close(engine->store);
    pt_scripts_unref(engine->scripts);
    if (engine->masked) pthread_sigmask(SIG_SETMASK, &engine->old_mask, NULL);
    pthread_mutex_destroy(&engine->lock);
    pt_settings_fini(&engine->settings);
    pt_conf_free(engine->conf);
    pt_conf_free(engine->started);
    bson_destroy(engine->outcome); /* accepts NULL */
    free(engine);
}

enum pt_code pt_engine_run(struct pt_engine *engine, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    if (engine->mode != PT_ENGINE_SERVE)
        return pt_fail(err, PT_EINVAL, "the engine was made for batch work");
    for (size_t i = 0; rc == PT_OK && i < engine->settings.nfeeds; i++) {
        struct pt_feed *feed = engine->settings.feeds[i];
        engine->settings.feeds[i] = NULL;
        rc = pt_ingest_feed(engine->ingest, feed, err);
    }
    if (rc == PT_OK) pt_reload_start(engine->reload);
    pt_sched_prompt(0); /* units of whoever waits pass through here */
    while (rc == PT_OK && !atomic_load(&engine->stopped)) rc = pt_loop_run(engine->loop, err);
    shut_down(engine);
    return rc;
}

void pt_engine_stop(struct pt_engine *engine)
{
    atomic_store(&engine->stopped, true);
    pt_loop_stop(engine->loop);
}

void pt_engine_reread(struct pt_engine *engine, pt_reread_fn fn, void *arg)
{
    engine->reread = fn;
    engine->reread_arg = arg;
}

bool pt_engine_post(struct pt_engine *engine, struct pt_task *task)
{
    pthread_mutex_lock(&engine->lock);
    bool closing = atomic_load(&engine->closing);
    if (!closing) pt_loop_post(engine->loop, task);
    pthread_mutex_unlock(&engine->lock);
    return !closing;
}

static void run_ask(struct pt_task *task)
{
    struct pt_reload_ask *ask = (struct pt_reload_ask *)task;
    pt_reload_take(ask->engine->reload, ask);
}

enum pt_code pt_engine_reload(struct pt_engine *engine, bool diff, pt_reload_fn fn, void *arg,
                              struct pt_err *err)
{
    struct pt_reload_ask *ask = calloc(1, sizeof *ask);
    if (!ask) return pt_fail(err, PT_ENOMEM, "reload");
    *ask = (struct pt_reload_ask){
        .task = { .run = run_ask }, .engine = engine, .diff = diff, .fn = fn, .arg = arg
    };
    if (pt_engine_post(engine, &ask->task)) return PT_OK;
    free(ask);
    return pt_fail(err, PT_ECANCEL, "the engine is stopping");
}

bson_t *pt_engine_outcome(struct pt_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bson_t *outcome = engine->outcome ? bson_copy(engine->outcome) : NULL;
    pthread_mutex_unlock(&engine->lock);
    return outcome;
}

struct pt_store *pt_engine_store(struct pt_engine *engine)
{
    return engine->store;
}

struct pt_conf *pt_engine_conf(struct pt_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct pt_conf *conf = pt_conf_ref(engine->conf);
    pthread_mutex_unlock(&engine->lock);
    return conf;
}

struct pt_scripts *pt_engine_scripts(struct pt_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct pt_scripts *scripts = pt_scripts_ref(engine->scripts);
    pthread_mutex_unlock(&engine->lock);
    return scripts;
}

uint64_t pt_engine_generation(struct pt_engine *engine)
{
    return atomic_load_explicit(&engine->generation, memory_order_relaxed);
}

/* ---- figures ------------------------------------------------------------------------------- */

void pt_engine_stats(struct pt_engine *engine, struct pt_engine_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->store_ok = true;
    stats->started_us = engine->started_us;
    stats->last_cycle_us = atomic_load(&engine->last_cycle_us);
    stats->cycle_wall_us = atomic_load(&engine->cycle_wall_us);
    stats->cycles = atomic_load(&engine->cycles);
    stats->units = atomic_load(&engine->units);
    stats->results = atomic_load(&engine->results);
    stats->failures = atomic_load(&engine->failures);
    stats->anomalies = atomic_load(&engine->anomalies);
    stats->reloads = atomic_load(&engine->reloads);
    stats->reload_failures = atomic_load(&engine->reload_failures);
    stats->last_reload_us = atomic_load(&engine->last_reload_us);
    stats->reload_wall_us = atomic_load(&engine->reload_wall_us);
    if (engine->cycle) stats->to_scan = pt_cycle_to_scan(engine->cycle);
    if (engine->pool) pt_pool_stats(engine->pool, &stats->pool);
    if (engine->ingest) pt_ingest_stats(engine->ingest, stats);
}

void pt_engine_rejects(struct pt_engine *engine, pt_reason_fn fn, void *arg)
{
    if (engine->ingest) pt_ingest_rejects(engine->ingest, fn, arg);
}
