/* pool.h - worker processes: started, fed, killed and replaced.                [layer: flow]
 *
 * Lives on one event loop (single-threaded). A unit whose worker dies is retried on a fresh worker without the
 * script that was running; that script's result then has status "error" and says how the worker ended. */
#ifndef PT_POOL_H
#define PT_POOL_H

#include "data/schema.h"
#include "flow/scripts.h"

struct event_base;
struct pt_pool;
struct pt_store;

struct pt_pool_limits { /* what a reload may change */
    char benchmark[PT_SYMBOL_MAX];
    unsigned count; /* 0 = number of cores */
    int64_t call_budget_us, load_budget_us, memory_bytes;
};
struct pt_pool_opts { /* texts are copied */
    const char *worker; /* path of petrosa-worker */
    const char *store;  /* folder */
    struct pt_pool_limits limits;
    bool check; /* workers check each version of a script once (data/unit.h), before it goes live */
    bool give_way; /* workers let others of the machine go first */
    /* There is one worker more, which takes only urgent units and gives way to nobody. What is urgent goes behind nothing
     * that is not, as long as it is there; a reload goes live when the new one is there, too, and was asked what was
     * asked for lately, or has failed to come. */
    bool express;
    struct pt_store *handle; /* of the same store: reader slots of dead workers are freed in it; may be NULL */
};
enum pt_code pt_pool_new(struct event_base *base, const struct pt_pool_opts *opts, struct pt_pool **pool,
                         struct pt_err *err);
/* Kills all workers; units under way are answered with PT_ECANCEL, and so is every one that is submitted later. */
void pt_pool_stop(struct pt_pool *pool);
void pt_pool_free(struct pt_pool *pool); /* stops it first; accepts NULL */

/* The sets that are loaded from now on run under these; one that is live keeps its own. */
void pt_pool_limits(struct pt_pool *pool, const struct pt_pool_limits *limits);

/* Starts a set of workers on `sources` (taken; emptied for the caller) and answers, on the loop, with the snapshot
 * (borrowed for the call): `scripts` is NULL, and the old set stays, when no worker could be started or the
 * configuration is wrong. From then on units run on the new set; old workers finish their unit and leave. config
 * parameters of `[calculator NAME]` sections become the defaults in force; a mistake in them is PT_EINVAL.
 * A script that changed is first run on a few stored windows, if a set is live (shadow.h). A script that fails to
 * load or there is in the snapshot as PT_SCRIPT_PREVIOUS, its last good version, or as PT_SCRIPT_FAILED when it has
 * none. fn is called again with a newer snapshot if a script that had loaded ends a worker that loads it anew, and
 * when one is quarantined: because calls with the parameters in force ended their worker PT_STRIKES_OUT times (those
 * with a caller's own do not count, nor those of urgent units: a reader must not be able to switch a script off). PT_EBUSY: a load is under way. */
typedef void (*pt_loaded_fn)(void *arg, struct pt_scripts *scripts, const struct pt_err *err);
enum pt_code pt_pool_load(struct pt_pool *pool, const struct pt_conf *conf, struct pt_sources *sources,
                          pt_loaded_fn fn, void *arg, struct pt_err *err);

bool pt_pool_loading(const struct pt_pool *pool); /* or trying */

/* The same up to the point where the set would go live: then it is dropped. trials: what the changed scripts gave on
 * stored windows, borrowed for the call. */
struct pt_trial {
    char name[PT_SCRIPT_NAME_MAX], symbol[PT_SYMBOL_MAX];
    int64_t period_us;
    bson_t *doc;
};
typedef void (*pt_tried_fn)(void *arg, struct pt_scripts *scripts, const struct pt_trial *trials, size_t n,
                            const struct pt_err *err);
enum pt_code pt_pool_try(struct pt_pool *pool, const struct pt_conf *conf, struct pt_sources *sources, pt_tried_fn fn,
                         void *arg, struct pt_err *err);

struct pt_unit {
    char symbol[PT_SYMBOL_MAX];    /* "": the whole market, for scripts that need it and only for them */
    char benchmark[PT_SYMBOL_MAX]; /* of a market: who stands in where the configured one is not there; "": the first */
    int64_t period_us, as_of_us; /* as_of INT64_MAX = newest */
    size_t n;
    const char *const *names;    /* scripts to run, borrowed for the call */
    const bson_t *const *params; /* per script, or NULL */
    bool urgent;                 /* a person waits: goes before scheduled units */
    enum pt_inspect inspect;     /* of the only script asked */
    bool whole;                  /* detectors tell of all of the window (data/unit.h); such results are never stored */
};
struct pt_unit_result {
    const char *name;
    const bson_t *doc; /* result document of unit.h, borrowed for the call */
    int64_t elapsed_us;
    bool failed; /* a script of the unit did, itself or one that is needed: asked again it may be another result */
};
/* Once per unit, on the loop: n results in the order asked. err NULL unless the whole unit failed. Scripts that
 * need others' metrics get them: of scripts of the same unit with the parameters asked here, else with those in force. */
typedef void (*pt_unit_fn)(void *arg, const struct pt_unit_result *results, size_t n, const struct pt_err *err);
enum pt_code pt_pool_submit(struct pt_pool *pool, const struct pt_unit *unit, pt_unit_fn fn, void *arg,
                            struct pt_err *err);

struct pt_pool_stats {
    unsigned workers, busy;
    size_t queued;
    uint64_t units, deaths, retries, quarantines;
};
void pt_pool_stats(const struct pt_pool *pool, struct pt_pool_stats *stats); /* any thread */

#endif
