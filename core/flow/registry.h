/* registry.h - building a snapshot of scripts out of what a worker said.       [layer: flow]
 * Private to the pool and its tests. */
#ifndef PT_REGISTRY_H
#define PT_REGISTRY_H

#include "flow/scripts.h"

struct pt_script_stats *pt_script_stats_new(void); /* one reference; NULL: no memory */
struct pt_script_stats *pt_script_stats_ref(struct pt_script_stats *stats);
void pt_script_stats_unref(struct pt_script_stats *stats); /* accepts NULL */
void pt_script_stats_count(struct pt_script_stats *stats, int64_t elapsed_us, int64_t now_us,
                           bool failed);

/* A script on its way into a snapshot. */
struct pt_candidate {
    const struct pt_source *source;
    bson_t *declaration; /* owned; NULL until a worker gave it */
    bson_t *configured;  /* owned; parameters set by the configuration that differ from the file's
                            defaults */
    bool failed;
    bool check; /* a worker that loads it also checks whether it is pure */
    char message[512], error_file[256];
    int error_line;
};

/* All of one load. Libraries are in sources only. */
struct pt_registry {
    struct pt_sources sources; /* owned */
    size_t n;
    struct pt_candidate *v; /* in the order they are loaded */
};
/* Takes the sources, on failure too. */
enum pt_code pt_registry_init(struct pt_registry *registry, struct pt_sources *sources,
                              struct pt_err *err);
void pt_registry_fini(struct pt_registry *registry);
void pt_registry_fail(struct pt_candidate *candidate, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The first candidate of that declared name that has not failed, or NULL. */
struct pt_candidate *pt_registry_find(const struct pt_registry *registry, const char *name);
/* The declared name, else the file's without folder and .lua. */
void pt_candidate_name(const struct pt_candidate *candidate, char out[PT_SCRIPT_NAME_MAX]);

/* The message that makes a worker load all candidates that have not failed; index[k] = candidate of
 * the k-th. */
struct pt_load_params {
    const char *store, *benchmark; /* store NULL: none, scripts are loaded only */
    int64_t call_budget_us, load_budget_us, memory_bytes;
};
enum pt_code pt_registry_message(const struct pt_registry *registry,
                                 const struct pt_load_params *params, bson_t *doc, size_t *index,
                                 size_t *n, struct pt_err *err);

/* Takes what a worker answered to such a message. *news: a candidate failed that had not.
 * PT_EDAMAGE: the answer is no such answer. */
enum pt_code pt_registry_loaded(struct pt_registry *registry, const size_t *index, size_t n,
                                const bson_t *answer, bool *news, struct pt_err *err);

/* Fails candidates whose name is taken (*again: a worker has to load anew without them), whose
 * needs nobody gives or that need each other in a circle. */
enum pt_code pt_registry_check(struct pt_registry *registry, bool *again, struct pt_err *err);

/* Checks the `[calculator NAME] param = v` sections. PT_EINVAL names every mistake. */
enum pt_code pt_registry_configure(struct pt_registry *registry, const struct pt_conf *conf,
                                   struct pt_err *err);

/* A new snapshot, one reference. old (may be NULL): where counters go on. */
enum pt_code pt_registry_snapshot(const struct pt_registry *registry, const struct pt_scripts *old,
                                  uint64_t generation, struct pt_scripts **scripts,
                                  struct pt_err *err);

/* Calls fn with each name in a declaration's needs.metrics ("volatility.percentile" ->
 * "volatility"). */
typedef void (*pt_need_fn)(void *arg, const char *name);
void pt_needs_each(const bson_t *declaration, pt_need_fn fn, void *arg);

#endif
