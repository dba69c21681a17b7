/* scripts.h - the set of scripts that is live: an immutable snapshot that all threads share. [layer: flow] */
#ifndef PT_SCRIPTS_H
#define PT_SCRIPTS_H

#include "base/conf.h"
#include "data/unit.h"

#include <stdatomic.h>

/* Text of a script folder, read and hashed, nothing run yet. */
struct pt_source {
    char *file; /* path as found under [scripts] path */
    char *real; /* the same without links; NULL where it has gone meanwhile, or in a copy */
    char *text;
    size_t len;
    char *fault; /* why the file could not be read (its text is empty then), or NULL */
    char hash[PT_HASH_TEXT_MAX]; /* xxh3-128 of the text, hex; of one that says `require` also of all libraries */
    bool lib;                    /* scripts/lib: reachable by require, not run by itself */
    unsigned rank;               /* place of its folder in [scripts] path, 0 = first */
    bool extra;                  /* named by a person: wins over another script of its name */
    bool outside;                /* named by a person, and in no script folder */
};
struct pt_sources {
    size_t n;
    struct pt_source *v; /* owned; sorted by file */
};
extern const char *const pt_script_kinds[];   /* "calculator", ...: what a script declares; ended by NULL */
extern const char *const pt_script_folders[]; /* of a DIR of [scripts] path; ended by NULL */
/* Reads DIR/{calculators,regimes,anomalies,alerts,lib}/ *.lua and DIR/ *.lua of every folder of [scripts] path; a plain
 * FILE.lua is taken too. PT_ENOENT names a folder that is not there, or holds none of them. A file of a
 * folder that cannot be read is a source with a fault, so that it stands in the way of no other. */
enum pt_code pt_sources_read(const struct pt_conf *conf, struct pt_sources *sources, struct pt_err *err);
/* Is a file of this name (without its folder) taken for a script? */
bool pt_source_is_script(const char *name);
/* One more script, marked `extra`; a file that is there already is marked only. */
enum pt_code pt_sources_add(struct pt_sources *sources, const char *file, struct pt_err *err);
/* The libraries of another folder like those of [scripts] path, and (unless only_libs) its scripts. What
 * is there already stays. */
enum pt_code pt_sources_add_root(struct pt_sources *sources, const char *root, bool only_libs, struct pt_err *err);
void pt_sources_fini(struct pt_sources *sources);
/* A copy of its own; on failure *copy is empty and there is no memory. */
bool pt_source_copy(const struct pt_source *source, struct pt_source *copy);
void pt_source_fini(struct pt_source *source);
/* Hashes a script anew, as a version that runs with these libraries. */
void pt_source_hash(struct pt_source *source, const struct pt_sources *libs);
bool pt_source_requires(const struct pt_source *source); /* it may use libraries */

/* previous: the file was changed and the change failed, so the version before it runs on. quarantined: it killed its
 * worker too often and is not run until its file changes. */
#define PT_SCRIPT_STATUSES(X)                                                                                          \
    X(PT_SCRIPT_LIVE, "live")                                                                                          \
    X(PT_SCRIPT_PREVIOUS, "previous")                                                                                  \
    X(PT_SCRIPT_QUARANTINED, "quarantined")                                                                            \
    X(PT_SCRIPT_FAILED, "failed")
enum pt_script_status {
#define X(name, text) name,
    PT_SCRIPT_STATUSES(X)
#undef X
};
const char *pt_script_status_text(enum pt_script_status status); /* static */

#define PT_LATENCY_BUCKETS 96
/* Counters outlive a snapshot (shared by generations); relaxed atomics. */
struct pt_script_stats {
    atomic_uint refs;
    atomic_uint_fast64_t calls, errors;
    atomic_int_fast64_t last_run_us;
    atomic_uint_fast64_t bucket[PT_LATENCY_BUCKETS]; /* call time, log2 quarter steps from 1 us to 16 s */
};
int64_t pt_script_quantile_us(const struct pt_script_stats *stats, double q); /* 0 when never called */

/* What a declaration says to those who plan: they ask for every script, symbol and period. Zeroed: it says nothing. */
struct pt_script_needs {
    uint32_t every;                 /* bit i: computed by itself at pt_periods[i] */
    bool market, benchmark, trades; /* these change what it gives */
    int64_t books_us, book_age_us, funding_us, marks_us; /* spans; 0: it looks at none */
};
void pt_script_needs_read(const bson_t *declaration, struct pt_script_needs *needs);

struct pt_script {
    char name[PT_SCRIPT_NAME_MAX]; /* declared; of a failed one: its file name without .lua */
    char kind[16];                 /* "calculator", ... */
    const struct pt_source *source;
    bson_t *declaration; /* unit.h, with the defaults in force; NULL when and only when failed */
    struct pt_script_needs needs;
    bson_t *configured;  /* what the configuration sets that differs from the file's defaults, or NULL */
    enum pt_script_status status;
    char message[512]; /* not live: why */
    char error_file[256];
    int error_line;
    struct pt_script_stats *stats;
    uint64_t errors_before; /* of stats' errors: those of other versions */
};
/* Calls of this very version that failed; with stats that other threads count on. */
uint64_t pt_script_errors(const struct pt_script *script);

struct pt_scripts {
    atomic_uint refs;
    uint64_t generation;
    int64_t loaded_us;
    size_t n;
    struct pt_script *v; /* sorted by name */
    struct pt_sources sources;
    /* The libraries as they are on disk broke a script that had not changed, so those before them are in force;
     * where and why it failed. "" else. */
    char libs_message[512], libs_file[256];
    int libs_line;
};
struct pt_scripts *pt_scripts_ref(struct pt_scripts *scripts);
void pt_scripts_unref(struct pt_scripts *scripts); /* accepts NULL */
/* A script by name that has a version to answer for (all but failed ones), or NULL. */
const struct pt_script *pt_scripts_find(const struct pt_scripts *scripts, const char *name);

/* The same, else one of that name that has failed. */
const struct pt_script *pt_scripts_named(const struct pt_scripts *scripts, const char *name);

/* It computes for all symbols at once: its unit is (market, period, as_of), its symbol is "". */
bool pt_script_is_market(const struct pt_script *script);

/* Is it computed by itself at this period? */
bool pt_script_every(const struct pt_script *script, int64_t period_us);

/* Checks text values of parameters against a declaration and adds them, typed, to `params` (only those that differ
 * from the default in force). PT_EINVAL names the parameter, what was given and what is allowed; an unknown name too. */
enum pt_code pt_script_param(const struct pt_script *script, const char *name, const char *value, bson_t *params,
                             struct pt_err *err);

/* Does the script look at order books? span_us, max_age_us (either may be NULL): as declared. */
bool pt_script_books(const struct pt_script *script, int64_t *span_us, int64_t *max_age_us);

#endif
