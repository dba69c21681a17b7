/* engine_internal.h - what engine.c, eval.c, compute.c and replay.c share.     [layer: flow] */
#ifndef PT_ENGINE_INTERNAL_H
#define PT_ENGINE_INTERNAL_H

#include "flow/cycle.h"
#include "flow/ingest.h"
#include "flow/reload.h"
#include "flow/round.h"
#include "flow/settings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct pt_engine {
    struct pt_conf *conf; /* a ref; replaced under the lock, on the loop */
    enum pt_engine_mode mode;
    struct pt_store *store;
    struct pt_loop *loop;
    struct pt_pool *pool;
    struct pt_ingest *ingest; /* serve */
    struct pt_cycle *cycle;   /* serve */
    struct pt_reload *reload; /* serve */
    struct pt_conf *started;  /* a ref: what only a restart changes is as it says */
    pt_reread_fn reread;
    void *reread_arg;
    bool terminal; /* it was started from one, and wants to end with it */
    struct pt_settings settings;
    sigset_t old_mask;
    bool masked;
    int signal_fd;
    struct event *signals;

    atomic_bool closing, stopped;
    atomic_uint_fast64_t generation;
    atomic_uint_fast64_t cycles, units, results, failures, anomalies;
    atomic_int_fast64_t last_cycle_us, cycle_wall_us;
    atomic_uint_fast64_t reloads, reload_failures;
    atomic_int_fast64_t last_reload_us, reload_wall_us;
    int64_t started_us;

    pthread_mutex_t lock; /* of what follows */
    struct pt_scripts *scripts;
    bson_t *outcome; /* of the last reload, or NULL */
    struct pt_err load_err;
    bool loaded;

    struct pt_round *volatile round; /* batch: the compute under way */
    volatile sig_atomic_t interrupted;
};

/* compute.c - batch: the units of a plan on the caller's thread. */
struct pt_batch {
    struct pt_engine *engine;
    pt_progress_fn progress; /* these three may be NULL */
    pt_cycle_row_fn row;
    void (*result)(void *arg, size_t unit, const struct pt_unit_result *result);
    void *arg;
    bool store, clear_marks;
    const bson_t *params; /* as in pt_round_opts */
    struct pt_cycle_sums sums;
    struct pt_err err; /* private, as `done` */
    bool done;
};
/* Runs the plan (taken, on failure too) to its end. PT_ECANCEL: interrupted, the units that were
 * under way are done. What else kept results from being stored or units from giving any. */
enum pt_code pt_batch_run(struct pt_batch *batch, struct pt_plan *plan, struct pt_err *err);

/* What is posted before the engine closes is still run; then nothing is posted: false. (any thread)
 */
bool pt_engine_post(struct pt_engine *engine, struct pt_task *task);

/* Loads the sources (taken); what comes of it goes live, and to the reload that began it. */
enum pt_code pt_engine_load(struct pt_engine *engine, const struct pt_conf *conf,
                            struct pt_sources *sources, struct pt_err *err);

#endif
