/* engine.c - the assembled house: store, writer, feeds, workers, cycle.        [layer: flow] */
#include "flow/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/cycle.h"
#include "flow/ingest.h"
#include "flow/places.h"
#include "flow/plan.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_US 1000000
#define FEEDS_MAX (sizeof((struct pt_engine_stats *)0)->feeds / sizeof(struct pt_engine_feed))

struct pt_engine {
    const struct pt_conf *conf;
    enum pt_engine_mode mode;
    struct pt_store *store;
    struct pt_loop *loop;
    struct pt_pool *pool;
    struct pt_ingest *ingest;         /* serve */
    struct pt_cycle *cycle;           /* serve */
    struct pt_feed *feeds[FEEDS_MAX]; /* loaded, not yet opened */
    size_t nfeeds;
    struct pt_retention *rules;
    size_t nrules;
    const char **pairs; /* [cycle] pairs, ended by NULL; NULL: all */
    sigset_t old_mask;
    bool masked;
    int signal_fd;
    struct event *signals;

    atomic_bool closing, stopped;
    atomic_uint_fast64_t generation;
    atomic_uint_fast64_t cycles, units, results, failures;
    atomic_int_fast64_t last_cycle_us, cycle_wall_us;
    int64_t started_us;

    pthread_mutex_t lock; /* of what follows */
    struct pt_scripts *scripts;
    struct pt_err load_err;
    bool loaded;

    struct pt_round *volatile round; /* batch: the compute under way */
    volatile sig_atomic_t interrupted;
};

/* ---- configuration: every mistake named before anything starts ----------------------------------
 */

static void add_mistake(struct pt_buf *mistakes, const char *text)
{
    pt_buf_printf(mistakes, "%s%s", mistakes->len > 0 ? "; " : "", text);
}

static enum pt_code read_rules(struct pt_engine *engine, struct pt_buf *mistakes)
{
    const char *word;
    struct pt_err err;
    for (size_t i = 0; (word = pt_conf_item(engine->conf, "store", "keep", i)); i++) {
        struct pt_retention *grown = realloc(engine->rules, (i + 1) * sizeof *grown);
        if (!grown) return PT_ENOMEM;
        engine->rules = grown;
        if (pt_retention_parse(word, &engine->rules[engine->nrules], &err) == PT_OK)
            engine->nrules++;
        else
            add_mistake(mistakes, err.text);
    }
    return PT_OK;
}

static enum pt_code read_pairs(struct pt_engine *engine, struct pt_buf *mistakes)
{
    size_t n = 0;
    char symbol[PT_SYMBOL_MAX];
    while (pt_conf_item(engine->conf, "cycle", "pairs", n)) n++;
    if (n > 0 && !(engine->pairs = calloc(n + 1, sizeof *engine->pairs))) return PT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        engine->pairs[i] = pt_conf_item(engine->conf, "cycle", "pairs", i);
        if (pt_symbol_parse(engine->pairs[i], strlen(engine->pairs[i]), symbol) != PT_OK)
            pt_buf_printf(mistakes, "%s[cycle] pairs: '%s' is no symbol",
                          mistakes->len > 0 ? "; " : "", engine->pairs[i]);
    }
    return PT_OK;
}

static enum pt_code load_feeds(struct pt_engine *engine, struct pt_buf *mistakes)
{
    const char *name;
    for (size_t i = 0; (name = pt_conf_item(engine->conf, "feed", "enabled", i)); i++) {
        if (engine->nfeeds == FEEDS_MAX) {
            add_mistake(mistakes, "[feed] enabled: more than 8 feeds");
            break;
        }
        if (pt_feed_load(engine->conf, name, &engine->feeds[engine->nfeeds], mistakes) == PT_OK)
            engine->nfeeds++;
    }
    return PT_OK;
}

static enum pt_code read_config(struct pt_engine *engine, const char *extra, char worker[PATH_MAX],
                                struct pt_sources *sources, struct pt_err *err)
{
    struct pt_buf mistakes = { 0 };
    struct pt_err one;
    char symbol[PT_SYMBOL_MAX];
    const char *benchmark = pt_conf_text(engine->conf, "cycle", "benchmark");
    bool serve = engine->mode == PT_ENGINE_SERVE;
    enum pt_code rc = PT_OK, worst = PT_EINVAL;
    if (pt_symbol_parse(benchmark, strlen(benchmark), symbol) != PT_OK)
        pt_buf_printf(&mistakes, "[cycle] benchmark: '%s' is no symbol", benchmark);
    if (pt_place_worker(engine->conf, worker, &one) != PT_OK)
        add_mistake(&mistakes, one.text), worst = one.code;
    if (pt_sources_read(engine->conf, sources, &one) != PT_OK)
        add_mistake(&mistakes, one.text), worst = one.code;
    if (extra && pt_sources_add(sources, extra, &one) != PT_OK)
        add_mistake(&mistakes, one.text), worst = one.code;
    rc = read_pairs(engine, &mistakes);
    if (rc == PT_OK && serve) rc = read_rules(engine, &mistakes);
    if (rc == PT_OK && serve) rc = load_feeds(engine, &mistakes);
    if (rc != PT_OK || mistakes.failed)
        rc = pt_fail(err, PT_ENOMEM, "configuration");
    else if (mistakes.len > 0)
        rc = pt_fail(err, worst, "%s", mistakes.data);
    pt_buf_fini(&mistakes);
    return rc;
}

/* ---- the parts --------------------------------------------------------------------------------
 */

static enum pt_code open_store(struct pt_engine *engine, struct pt_err *err)
{
    const struct pt_conf *conf = engine->conf;
    const struct pt_store_opts opts = {
        .path = pt_conf_text(conf, "store", "path"),
        .full_sync = strcmp(pt_conf_text(conf, "store", "sync"), "full") == 0,
        .max_bytes = (uint64_t)pt_conf_int(conf, "store", "max_size")
    };
    struct stat st;
    /* a question about a store that is not there makes none */
    if (engine->mode == PT_ENGINE_BATCH && stat(opts.path, &st) != 0)
        return pt_fail(err, PT_ENOENT,
                       "no store in %s: import something first, or set [store] path", opts.path);
    enum pt_code rc = pt_store_open(&opts, &engine->store, err);
    if (rc == PT_OK && engine->mode == PT_ENGINE_SERVE) rc = pt_store_claim(engine->store, err);
    return rc;
}

static enum pt_code start_pool(struct pt_engine *engine, const char *worker, struct pt_err *err)
{
    const struct pt_conf *conf = engine->conf;
    const struct pt_pool_opts opts = { .worker = worker,
                                       .store = pt_store_path(engine->store),
                                       .benchmark = pt_conf_text(conf, "cycle", "benchmark"),
                                       .count = (unsigned)pt_conf_int(conf, "workers", "count"),
                                       .call_budget_us =
                                           pt_conf_int(conf, "scripts", "call_budget"),
                                       .load_budget_us =
                                           pt_conf_int(conf, "scripts", "load_budget"),
                                       .memory_bytes = pt_conf_int(conf, "scripts", "memory"),
                                       .handle = engine->store };
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
}

static enum pt_code load_scripts(struct pt_engine *engine, struct pt_sources *sources,
                                 struct pt_err *err)
{
    enum pt_code rc = pt_pool_load(engine->pool, engine->conf, sources, on_loaded, engine, err);
    while (rc == PT_OK && !engine->loaded) rc = pt_loop_run(engine->loop, err);
    if (rc != PT_OK || engine->scripts) return rc;
    *err = engine->load_err;
    return err->code;
}

static void on_committed(void *arg)
{
    struct pt_engine *engine = arg;
    if (engine->cycle) pt_cycle_poke(engine->cycle);
}

static void on_round(void *arg, const struct pt_round_sums *sums)
{
    struct pt_engine *engine = arg;
    atomic_fetch_add(&engine->cycles, 1);
    atomic_fetch_add(&engine->units, sums->cycle.units);
    atomic_fetch_add(&engine->results, sums->cycle.results);
    atomic_fetch_add(&engine->failures, sums->cycle.failed);
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
                                         .commit_rows =
                                             (size_t)pt_conf_int(conf, "store", "commit_rows"),
                                         .ring_bytes = (size_t)pt_conf_int(conf, "feed", "ring"),
                                         .rules = engine->rules,
                                         .nrules = engine->nrules,
                                         .committed = on_committed,
                                         .arg = engine };
    enum pt_code rc = pt_ingest_new(&opts, &engine->ingest, err);
    if (rc != PT_OK) return rc;
    const struct pt_cycle_host host = { .loop = engine->loop,
                                        .store = engine->store,
                                        .pool = engine->pool,
                                        .write = pt_ingest_write,
                                        .write_arg = engine->ingest,
                                        .benchmark = pt_conf_text(conf, "cycle", "benchmark"),
                                        .pairs = engine->pairs,
                                        .interval_us = pt_conf_int(conf, "cycle", "interval"),
                                        .ended = on_round,
                                        .arg = engine };
    rc = pt_cycle_new(&host, &engine->cycle, err);
    if (rc == PT_OK) pt_cycle_scripts(engine->cycle, engine->scripts);
    return rc;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct pt_engine *engine = arg;
    struct signalfd_siginfo info;
    if (read((int)fd, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo == SIGHUP) {
        pt_log(PT_WARN, "engine", "hangup",
               "this version takes new scripts and configuration at its start only");
        return;
    }
    pt_log(PT_INFO, "engine", "stopping", "signal=SIG%s", sigabbrev_np((int)info.ssi_signo));
    pt_engine_stop(engine);
}

/* Signals come through a descriptor; all threads that are started from here on inherit the mask. */
static enum pt_code take_signals(struct pt_engine *engine, struct pt_err *err)
{
    sigset_t mask;
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

enum pt_code pt_engine_new(const struct pt_conf *conf, enum pt_engine_mode mode, const char *extra,
                           struct pt_engine **out, struct pt_err *err)
{
    char worker[PATH_MAX];
    struct pt_sources sources = { 0 };
    struct pt_err own;
    if (!err) err = &own;
    *out = NULL;
    struct pt_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return pt_fail(err, PT_ENOMEM, "engine");
    engine->conf = conf;
    engine->mode = mode;
    engine->signal_fd = -1;
    engine->started_us = pt_now_us();
    pthread_mutex_init(&engine->lock, NULL);
    enum pt_code rc = read_config(engine, extra, worker, &sources, err);
    if (rc == PT_OK) rc = open_store(engine, err);
    if (rc == PT_OK) rc = pt_loop_new(&engine->loop, err);
    if (rc == PT_OK && mode == PT_ENGINE_SERVE) rc = take_signals(engine, err);
    if (rc == PT_OK) rc = start_pool(engine, worker, err);
    if (rc == PT_OK) rc = load_scripts(engine, &sources, err);
    if (rc == PT_OK && mode == PT_ENGINE_SERVE) rc = start_writer(engine, err);
    pt_sources_fini(&sources);
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
    if (atomic_exchange(&engine->closing, true)) return;
    if (engine->cycle) pt_cycle_stop(engine->cycle);
    if (engine->ingest) pt_ingest_stop(engine->ingest);
    if (engine->pool) pt_pool_stop(engine->pool); /* whoever waits for a unit is told */
    if (engine->loop) pt_loop_flush(engine->loop);
}

void pt_engine_free(struct pt_engine *engine)
{
    if (!engine) return;
    shut_down(engine);
    for (size_t i = 0; i < engine->nfeeds; i++) pt_feed_free(engine->feeds[i]);
    pt_cycle_free(engine->cycle);
    pt_ingest_free(engine->ingest);
    if (engine->signals) event_free(engine->signals);
    if (engine->signal_fd >= 0) close(engine->signal_fd);
    if (engine->loop) pt_loop_flush(engine->loop);
    pt_pool_free(engine->pool);
    pt_loop_free(engine->loop);
    pt_store_close(engine->store);
    pt_scripts_unref(engine->scripts);
    if (engine->masked) pthread_sigmask(SIG_SETMASK, &engine->old_mask, NULL);
    pthread_mutex_destroy(&engine->lock);
    free(engine->rules);
    free(engine->pairs);
    free(engine);
}

enum pt_code pt_engine_run(struct pt_engine *engine, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    if (engine->mode != PT_ENGINE_SERVE)
        return pt_fail(err, PT_EINVAL, "the engine was made for batch work");
    for (size_t i = 0; rc == PT_OK && i < engine->nfeeds; i++) {
        struct pt_feed *feed = engine->feeds[i];
        engine->feeds[i] = NULL;
        rc = pt_ingest_feed(engine->ingest, feed, err);
    }
    while (rc == PT_OK && !atomic_load(&engine->stopped)) rc = pt_loop_run(engine->loop, err);
    shut_down(engine);
    return rc;
}

void pt_engine_stop(struct pt_engine *engine)
{
    atomic_store(&engine->stopped, true);
    pt_loop_stop(engine->loop);
}

struct pt_store *pt_engine_store(struct pt_engine *engine)
{
    return engine->store;
}

const struct pt_conf *pt_engine_conf(struct pt_engine *engine)
{
    return engine->conf;
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

/* ---- units for someone who waits --------------------------------------------------------------
 */

struct call {            /* a unit on its way to the loop */
    struct pt_task task; /* must be first */
    struct pt_engine *engine;
    struct pt_unit unit;
    char **names;
    bson_t **params;
    pt_unit_fn fn;
    void *arg;
};

static void free_call(struct call *call)
{
    for (size_t i = 0; i < call->unit.n; i++) {
        if (call->names) free(call->names[i]);
        if (call->params) bson_destroy(call->params[i]);
    }
    free(call->names);
    free(call->params);
    free(call);
}

static void run_call(struct pt_task *task)
{
    struct call *call = (struct call *)task;
    struct pt_err err;
    enum pt_code rc = pt_pool_submit(call->engine->pool, &call->unit, call->fn, call->arg, &err);
    if (rc != PT_OK) call->fn(call->arg, NULL, 0, &err);
    free_call(call);
}

static struct call *copy_call(const struct pt_unit *unit)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) return NULL;
    call->unit = *unit;
    call->names = calloc(unit->n, sizeof *call->names);
    call->params = calloc(unit->n, sizeof *call->params);
    bool ok = call->names && call->params;
    for (size_t i = 0; ok && i < unit->n; i++) {
        call->names[i] = strdup(unit->names[i]);
        if (unit->params && unit->params[i]) call->params[i] = bson_copy(unit->params[i]);
        ok = call->names[i] != NULL;
    }
    if (!ok) {
        free_call(call);
        return NULL;
    }
    call->unit.names = (const char *const *)call->names;
    call->unit.params = (const bson_t *const *)call->params;
    return call;
}

enum pt_code pt_engine_eval(struct pt_engine *engine, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err)
{
    if (unit->n == 0) return pt_fail(err, PT_EINVAL, "a unit without scripts");
    if (atomic_load(&engine->closing)) return pt_fail(err, PT_ECANCEL, "the engine is stopping");
    struct call *call = copy_call(unit);
    if (!call) return pt_fail(err, PT_ENOMEM, "unit of %zu scripts", unit->n);
    call->engine = engine;
    call->fn = fn;
    call->arg = arg;
    call->task.run = run_call;
    pt_loop_post(engine->loop, &call->task);
    return PT_OK;
}

struct waiting {
    struct pt_engine *engine;
    pt_unit_fn fn;
    void *arg;
    bool done;
};

static void on_waited(void *arg, const struct pt_unit_result *results, size_t n,
                      const struct pt_err *err)
{
    struct waiting *waiting = arg;
    waiting->fn(waiting->arg, results, n, err);
    waiting->done = true;
    pt_loop_stop(waiting->engine->loop);
}

enum pt_code pt_engine_eval_wait(struct pt_engine *engine, const struct pt_unit *unit,
                                 pt_unit_fn fn, void *arg, struct pt_err *err)
{
    struct waiting waiting = { .engine = engine, .fn = fn, .arg = arg };
    enum pt_code rc = pt_pool_submit(engine->pool, unit, on_waited, &waiting, err);
    while (rc == PT_OK && !waiting.done) rc = pt_loop_run(engine->loop, err);
    return rc;
}

/* ---- batch compute ----------------------------------------------------------------------------
 */

static void job_done(struct pt_task *task)
{
    struct pt_write_job *job = (struct pt_write_job *)task;
    job->done(job);
}

/* Batch: the caller is its own writer. */
static void write_here(void *arg, struct pt_write_job *job)
{
    struct pt_engine *engine = arg;
    struct pt_write *write = NULL;
    job->rc = pt_write_begin(engine->store, &write, &job->err);
    if (job->rc == PT_OK) {
        job->rc = job->write(job, write, &job->err);
        if (job->rc == PT_OK)
            job->rc = pt_write_commit(write, &job->err);
        else
            pt_write_abort(write);
    }
    job->task.run = job_done;
    pt_loop_post(engine->loop, &job->task);
}

struct computing {
    struct pt_engine *engine;
    const struct pt_cycle_opts *opts;
    struct pt_cycle_sums *sums;
    struct pt_err err;
    bool done;
};

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    struct computing *computing = arg;
    if (computing->engine->interrupted) pt_round_stop(computing->engine->round);
    if (computing->opts->progress) computing->opts->progress(computing->opts->arg, done, total);
}

static void on_computed(void *arg, struct pt_round *round)
{
    struct computing *computing = arg;
    const struct pt_round_sums *sums = pt_round_sums(round);
    *computing->sums = sums->cycle;
    computing->err = sums->err;
    if (sums->err.code == PT_OK && sums->stopped)
        pt_fail(&computing->err, PT_ECANCEL,
                "interrupted: %" PRIu64 " of %" PRIu64 " units are computed and stored",
                sums->cycle.units, sums->planned);
    if (computing->opts->row) pt_round_rows(round, computing->opts->row, computing->opts->arg);
    computing->engine->round = NULL;
    pt_round_free(round);
    computing->done = true;
    pt_loop_stop(computing->engine->loop);
}

enum pt_code pt_engine_compute(struct pt_engine *engine, const struct pt_cycle_opts *opts,
                               struct pt_cycle_sums *sums, struct pt_err *err)
{
    struct computing computing = { .engine = engine, .opts = opts, .sums = sums };
    struct pt_round *round = NULL;
    struct pt_plan plan;
    struct pt_err own;
    if (!err) err = &own;
    bool whole = !opts->pairs && !opts->periods_us && opts->as_of_us == INT64_MAX;
    const struct pt_plan_opts planned = { .scripts = engine->scripts,
                                          .benchmark =
                                              pt_conf_text(engine->conf, "cycle", "benchmark"),
                                          .pairs = opts->pairs ? opts->pairs : engine->pairs,
                                          .periods_us = opts->periods_us,
                                          .as_of_us = opts->as_of_us,
                                          .all = true,
                                          .marks = whole,
                                          .settled = true,
                                          .now_us = pt_now_us() };
    const struct pt_round_opts how = { .pool = engine->pool,
                                       .write = write_here,
                                       .write_arg = engine,
                                       .clear_marks = whole,
                                       .progress = on_progress,
                                       .done = on_computed,
                                       .arg = &computing };
    *sums = (struct pt_cycle_sums){ 0 };
    enum pt_code rc = pt_plan_make(engine->store, &planned, &plan, err);
    if (rc == PT_OK) computing.err = plan.fault;
    if (rc == PT_OK) rc = pt_round_start(pt_loop_base(engine->loop), &how, &plan, &round, err);
    if (rc != PT_OK) return rc;
    struct pt_err fault = computing.err;
    engine->round = round;
    while (rc == PT_OK && !computing.done) rc = pt_loop_run(engine->loop, err);
    if (rc == PT_OK && computing.err.code == PT_OK) computing.err = fault;
    if (rc == PT_OK && computing.err.code != PT_OK) {
        *err = computing.err;
        rc = err->code;
    }
    return rc;
}

void pt_engine_interrupt(struct pt_engine *engine)
{
    if (engine) engine->interrupted = 1;
}

/* ---- figures ----------------------------------------------------------------------------------
 */

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
    if (engine->pool) pt_pool_stats(engine->pool, &stats->pool);
    if (engine->ingest) pt_ingest_stats(engine->ingest, stats);
}

void pt_engine_rejects(struct pt_engine *engine, pt_reason_fn fn, void *arg)
{
    if (engine->ingest) pt_ingest_rejects(engine->ingest, fn, arg);
}
