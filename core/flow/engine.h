/* engine.h - the assembled house: store, writer, feeds, workers, cycle, on one main loop. [layer:
 * flow]
 *
 * `serve` and `demo` run it with feeds and timers; `compute` and `eval` run it in batch mode: no
 * feed, no timer, no claim on the store, writes done by themselves. Functions marked (any thread)
 * may be called from HTTP threads. */
#ifndef PT_ENGINE_H
#define PT_ENGINE_H

#include "flow/pool.h"
#include "store/anomaly.h"

struct pt_engine;

/* READ: batch on a store that is only read; nothing can be stored. */
enum pt_engine_mode { PT_ENGINE_SERVE, PT_ENGINE_BATCH, PT_ENGINE_READ };

/* Opens the store, loads plugins and scripts, starts workers and (serve) the writer thread. Every
 * mistake of configuration, options and paths is named before anything is started. `extra`: one
 * more script file (eval FILE.lua) or NULL. conf must not be changed any more. */
enum pt_code pt_engine_new(const struct pt_conf *conf, enum pt_engine_mode mode, const char *extra,
                           struct pt_engine **engine, struct pt_err *err);
void pt_engine_free(
    struct pt_engine *engine); /* drains feeds, commits, stops workers; accepts NULL */

/* Serve: opens the feeds and runs the loop until pt_engine_stop. SIGTERM and SIGINT stop it. SIGHUP
 * reloads, or stops it when it came because the terminal it was started from has gone. */
enum pt_code pt_engine_run(struct pt_engine *engine, struct pt_err *err);
void pt_engine_stop(struct pt_engine *engine); /* any thread */

/* Serve: where a reload gets the configuration from; without it the one of the start stays. Called
 * on the loop: a new configuration, or every mistake in it. Before pt_engine_run. */
typedef enum pt_code (*pt_reread_fn)(void *arg, struct pt_conf **conf, struct pt_err *err);
void pt_engine_reread(struct pt_engine *engine, pt_reread_fn fn, void *arg);

/* Serve: reads configuration and scripts anew and puts them in force, or, with diff, says what
 * would change. fn: once, on the loop, with the outcome (outcome.h, borrowed) of a reload that
 * began after the call; err instead when the engine stops. (any thread) */
typedef void (*pt_reload_fn)(void *arg, const bson_t *outcome, const struct pt_err *err);
enum pt_code pt_engine_reload(struct pt_engine *engine, bool diff, pt_reload_fn fn, void *arg,
                              struct pt_err *err);
/* Of the last reload; NULL: there was none. (any thread; bson_destroy) */
bson_t *pt_engine_outcome(struct pt_engine *engine);

struct pt_store *pt_engine_store(struct pt_engine *engine); /* any thread; borrowed */
/* In force now; a reload puts another in its place. (any thread; a ref: pt_conf_free) */
struct pt_conf *pt_engine_conf(struct pt_engine *engine);
struct pt_scripts *
pt_engine_scripts(struct pt_engine *engine); /* any thread; a ref: pt_scripts_unref */
/* Changes when the live set changed: a reader may keep its ref until then. (any thread, one relaxed
 * load) */
uint64_t pt_engine_generation(struct pt_engine *engine);

/* Runs a unit for someone who waits (any thread; fn on the loop thread, must hand over and return).
 */
enum pt_code pt_engine_eval(struct pt_engine *engine, const struct pt_unit *unit, pt_unit_fn fn,
                            void *arg, struct pt_err *err);

/* Serve: runs one detector over all of its newest window and puts what it finds into the log of
 * anomalies. fn: on the loop, once, when that is durable: the result (borrowed) and how many of its
 * hits the log did not have; err instead when there is none, or it could not be kept: then those
 * that were logged until then stay. (any thread) */
typedef void (*pt_detect_fn)(void *arg, const bson_t *doc, uint64_t logged,
                             const struct pt_err *err);
enum pt_code pt_engine_detect(struct pt_engine *engine, const struct pt_unit *unit, pt_detect_fn fn,
                              void *arg, struct pt_err *err);

/* Serve: acknowledges or resolves an anomaly. fn: on the loop, once, when that is durable: its
 * document (borrowed), or err as of pt_anomaly_settle. (any thread) */
typedef void (*pt_settle_fn)(void *arg, const bson_t *doc, const struct pt_err *err);
enum pt_code pt_engine_settle(struct pt_engine *engine, const char *id,
                              enum pt_anomaly_status status, pt_settle_fn fn, void *arg,
                              struct pt_err *err);

/* Batch: one unit, waiting for it. */
enum pt_code pt_engine_eval_wait(struct pt_engine *engine, const struct pt_unit *unit,
                                 pt_unit_fn fn, void *arg, struct pt_err *err);

/* Batch: one full cycle over the store: every series x every script, results stored. pairs/periods:
 * NULL-ended lists, NULL = all / those the scripts ask for. as_of INT64_MAX = newest. */
struct pt_cycle_row { /* one script at one period */
    const char *script;
    int64_t period_us;
    uint64_t computed, failed, warming, elapsed_us;
};
struct pt_cycle_sums {
    uint64_t units, results, failed;
    uint64_t anomalies; /* hits of detectors that were not in the log before */
    int64_t wall_us;
};
typedef void (*pt_cycle_row_fn)(void *arg, const struct pt_cycle_row *row);
typedef void (*pt_progress_fn)(void *arg, uint64_t done, uint64_t total);
struct pt_cycle_opts {
    const char *const *pairs;
    const int64_t *periods_us; /* ended by 0 */
    int64_t as_of_us;
    pt_progress_fn progress; /* may be NULL */
    pt_cycle_row_fn row;     /* called at the end, sorted by script, period */
    void *arg;
};
enum pt_code pt_engine_compute(struct pt_engine *engine, const struct pt_cycle_opts *opts,
                               struct pt_cycle_sums *sums, struct pt_err *err);

/* Batch: one script at every closed bar of a range, as it ran, or would have run, when the bar
 * closed. */
#define PT_REPLAY_MARKET_BYTES ((size_t)2 << 30)
struct pt_replay_opts {
    const char *name;         /* a live script */
    const char *const *pairs; /* ended by NULL; of a script of the market: none */
    int64_t period_us;        /* of the bars */
    int64_t start_us, end_us; /* as_of: from, inclusive; to, exclusive */
    const bson_t *params;     /* what differs from those in force, or NULL */
    bool store;               /* stores the results, as a cycle does; not with params */
    /* Of the market a result may have megabytes: what is kept of all; 0: PT_REPLAY_MARKET_BYTES */
    size_t market_bytes;
    pt_progress_fn progress;  /* may be NULL */
    void *arg;
};
struct pt_replay {
    size_t n, failed; /* failed: results with status "error" */
    /* [n], owned, by pair in the order given, then by time: { symbol, as_of, status, symbols?, data,
     * error? } of the result; NULL where an interrupt came first */
    bson_t **docs;
    int64_t *at_us; /* [n], owned: the close of each bar, which a script that looks at books is not as of */
    struct pt_cycle_sums sums;
    struct pt_err fault; /* code PT_OK, or what of the market is damaged and was left out */
};
/* PT_ENOENT: a symbol, or the market, has no such bars. PT_EINVAL: pairs for a script of the market,
 * or none for another. PT_ERANGE: a market's results are more than is kept. PT_ECANCEL: interrupted,
 * what was under way is done. The replay is there also on failure, with what was computed. */
enum pt_code pt_engine_replay(struct pt_engine *engine, const struct pt_replay_opts *opts,
                              struct pt_replay *replay, struct pt_err *err);
void pt_replay_fini(struct pt_replay *replay);

/* Asks a running compute or replay to stop after the units under way; async-signal-safe. */
void pt_engine_interrupt(struct pt_engine *engine);

/* Figures for health, status and metrics (any thread). */
struct pt_engine_feed {
    char name[64];
    uint64_t messages, rows, ignored, rejected, full; /* full: pushes refused by a full ring */
    uint64_t bookless; /* order book differences that found no valid book to change */
    int64_t last_message_us;                          /* 0 = never */
    size_t ring_used;
    bool open;
};
struct pt_engine_stats {
    int64_t started_us, last_cycle_us, last_commit_us;
    uint64_t cycles, units, results, failures, commits, rows, late;
    uint64_t anomalies; /* logged hits of detectors */
    uint64_t to_scan;   /* closed bars that they have yet to scan, at most */
    uint64_t findings, findings_dropped; /* of ingest: logged, and beyond what it may log */
    int64_t cycle_wall_us;             /* of the last one */
    uint64_t reloads, reload_failures; /* failures: something of it was not put in force */
    int64_t last_reload_us, reload_wall_us;
    struct pt_pool_stats pool;
    bool store_ok; /* false while commits fail (disk full): ingest is paused */
    char store_error[256];
    size_t nfeeds;
    struct pt_engine_feed feeds[8];
    uint64_t rejects_total;
};
void pt_engine_stats(struct pt_engine *engine, struct pt_engine_stats *stats);
/* Rejected messages by reason word: calls fn for each (any thread). */
typedef void (*pt_reason_fn)(void *arg, const char *type, const char *reason, uint64_t count);
void pt_engine_rejects(struct pt_engine *engine, pt_reason_fn fn, void *arg);

#endif
