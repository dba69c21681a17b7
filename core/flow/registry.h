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
    bool check;   /* a worker that loads it also checks whether it is pure */
    bool related; /* it failed for another's sake: a name that is taken, a need that is not there */
    bool passed;  /* this very version has loaded once, checked where checks are made */
    bool previous;    /* its last version stands in; the message is about the file as it is now */
    bool overridden;  /* a script of a later folder takes its place */
    bool quarantined; /* it killed its worker too often: not loaded any more */
    char twin[PT_SCRIPT_NAME_MAX]; /* failed: the name it would have, but another file has it */
    char message[512], error_file[256];
    int error_line;
    struct pt_source
        last; /* owned: the version that was live until now; text NULL: there is none */
    bson_t *last_declaration; /* owned */
};

/* All of one load. Libraries are in sources only. */
struct pt_registry {
    struct pt_sources sources; /* owned */
    size_t n;
    struct pt_candidate *v; /* in the order they are loaded */
    struct pt_sources
        old_libs; /* owned: the libraries in force until now, where they have changed */
    bool libs_changed;
    bool libs_back; /* the new libraries broke what had not changed: the old ones stay in force */
    char libs_message[512], libs_file[256];
    int libs_line;
};
/* Takes the sources, on failure too. */
enum pt_code pt_registry_init(struct pt_registry *registry, struct pt_sources *sources,
                              struct pt_err *err);
void pt_registry_fini(struct pt_registry *registry);
void pt_registry_fail(struct pt_candidate *candidate, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Fails it with the { message, file?, line? } at doc's path. */
void pt_registry_blame(struct pt_candidate *candidate, const bson_t *doc, const char *path);
/* The first candidate of that declared name that has not failed, or NULL. */
struct pt_candidate *pt_registry_find(const struct pt_registry *registry, const char *name);
/* The declared name, else the file's without folder and .lua. */
void pt_candidate_name(const struct pt_candidate *candidate, char out[PT_SCRIPT_NAME_MAX]);

/* inherit.c: what was live until now. */
/* Gives each candidate the version of its file that is good in `old` (NULL: none was). Those come
 * first: a name stays with the file that has it. PT_ENOMEM. */
enum pt_code pt_registry_inherit(struct pt_registry *registry, const struct pt_registry *old,
                                 struct pt_err *err);
/* Puts the last version in the place of one that failed; false when there is none. */
bool pt_registry_fall_back(struct pt_registry *registry, struct pt_candidate *candidate);
/* Puts the old libraries in force again; false when they are. */
bool pt_registry_libs_back(struct pt_registry *registry, const struct pt_candidate *because);
/* The set is live: nothing falls back any more, the old versions are forgotten. */
void pt_registry_settle(struct pt_registry *registry);
const struct pt_sources *pt_registry_libs(const struct pt_registry *registry); /* in force */

/* The message that makes a worker load all candidates that have not failed; index[k] = candidate of
 * the k-th; checks: how many of them are to be checked, too. */
struct pt_load_params {
    const char *store, *benchmark; /* store NULL: none, scripts are loaded only */
    int64_t call_budget_us, load_budget_us, memory_bytes;
    bool gives_way;
    bool check; /* those that have not passed */
};
enum pt_code pt_registry_message(const struct pt_registry *registry,
                                 const struct pt_load_params *params, bson_t *doc, size_t *index,
                                 size_t *n, size_t *checks, struct pt_err *err);

/* Takes what a worker answered to such a message. *news: a candidate failed that had not.
 * PT_EDAMAGE: the answer is no such answer. */
enum pt_code pt_registry_loaded(struct pt_registry *registry, const size_t *index, size_t n,
                                const bson_t *answer, bool *news, struct pt_err *err);

/* relate.c. Fails candidates whose name is taken, whose needs nobody gives or that need each other
 * in a circle; where conf's [scripts] override names the name, the one of the later folder is taken
 * instead. What failed falls back to its last version where it has one. *again: the worker that
 * goes first has to load anew, as others are to be loaded now. */
enum pt_code pt_registry_check(struct pt_registry *registry, const struct pt_conf *conf,
                               bool *again, struct pt_err *err);

/* Checks the `[calculator NAME] param = v` sections. PT_EINVAL names every mistake. What `before`
 * (NULL: nothing) has in the same words was good, so a script is to blame that does not take it any
 * more, and fails (*failed); where the script has gone, its section means nothing. */
enum pt_code pt_registry_configure(struct pt_registry *registry, const struct pt_conf *conf,
                                   const struct pt_conf *before, bool *failed, struct pt_err *err);

/* A new snapshot, one reference. old (may be NULL): where counters go on. */
enum pt_code pt_registry_snapshot(const struct pt_registry *registry, const struct pt_scripts *old,
                                  uint64_t generation, struct pt_scripts **scripts,
                                  struct pt_err *err);

/* Calls fn with each name in a declaration's needs.metrics ("volatility.percentile" ->
 * "volatility"). */
typedef void (*pt_need_fn)(void *arg, const char *name);
void pt_needs_each(const bson_t *declaration, pt_need_fn fn, void *arg);

#endif
