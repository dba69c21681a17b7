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

struct pt_pool_opts { /* texts are copied */
    const char *worker; /* path of petrosa-worker */
    const char *store;  /* folder */
    const char *benchmark;
    unsigned count;     /* 0 = number of cores */
    int64_t call_budget_us, load_budget_us, memory_bytes;
    struct pt_store *handle; /* of the same store: reader slots of dead workers are freed in it; may be NULL */
};
enum pt_code pt_pool_new(struct event_base *base, const struct pt_pool_opts *opts, struct pt_pool **pool,
                         struct pt_err *err);
/* Kills all workers; units under way are answered with PT_ECANCEL, and so is every one that is submitted later. */
void pt_pool_stop(struct pt_pool *pool);
void pt_pool_free(struct pt_pool *pool); /* stops it first; accepts NULL */

/* Starts a set of workers on `sources` (taken; emptied for the caller) and answers, on the loop, with the snapshot
 * (borrowed for the call): scripts that failed are in it as PT_SCRIPT_FAILED; `scripts` is NULL, and the old set
 * stays, when no worker could be started or the configuration is wrong. From then on units run on the new set; old
 * workers finish their unit and leave. config parameters of `[calculator NAME]` sections become the defaults in
 * force; a mistake in them is PT_EINVAL. fn is called again with a newer snapshot if a script that had loaded ends
 * a worker that loads it anew. PT_EBUSY: a load is under way. */
typedef void (*pt_loaded_fn)(void *arg, struct pt_scripts *scripts, const struct pt_err *err);
enum pt_code pt_pool_load(struct pt_pool *pool, const struct pt_conf *conf, struct pt_sources *sources,
                          pt_loaded_fn fn, void *arg, struct pt_err *err);

struct pt_unit {
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us, as_of_us; /* as_of INT64_MAX = newest */
    size_t n;
    const char *const *names;    /* scripts to run, borrowed for the call */
    const bson_t *const *params; /* per script, or NULL */
    bool urgent;                 /* a person waits: goes before scheduled units */
    enum pt_inspect inspect;     /* of the only script asked */
};
struct pt_unit_result {
    const char *name;
    const bson_t *doc; /* result document of unit.h, borrowed for the call */
    int64_t elapsed_us;
};
/* Once per unit, on the loop: n results in the order asked. err NULL unless the whole unit failed. Scripts that
 * need others' metrics get them: of scripts of the same unit with the parameters asked here, else with those in force. */
typedef void (*pt_unit_fn)(void *arg, const struct pt_unit_result *results, size_t n, const struct pt_err *err);
enum pt_code pt_pool_submit(struct pt_pool *pool, const struct pt_unit *unit, pt_unit_fn fn, void *arg,
                            struct pt_err *err);

struct pt_pool_stats {
    unsigned workers, busy;
    size_t queued;
    uint64_t units, deaths, retries;
};
void pt_pool_stats(const struct pt_pool *pool, struct pt_pool_stats *stats); /* any thread */

#endif
