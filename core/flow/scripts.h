/* scripts.h - the set of scripts that is live: an immutable snapshot that all threads share. [layer: flow] */
#ifndef PT_SCRIPTS_H
#define PT_SCRIPTS_H

#include "base/conf.h"
#include "data/unit.h"

#include <stdatomic.h>

/* Text of a script folder, read and hashed, nothing run yet. */
struct pt_source {
    char *file; /* path as found under [scripts] path */
    char *text;
    size_t len;
    char hash[PT_HASH_TEXT_MAX]; /* xxh3-128 of the text, hex */
    bool lib;                    /* scripts/lib: reachable by require, not run by itself */
    bool extra;                  /* named by a person: wins over another script of its name */
    bool outside;                /* named by a person, and in no script folder */
};
struct pt_sources {
    size_t n;
    struct pt_source *v; /* owned; sorted by file */
};
/* Reads DIR/{calculators,regimes,anomalies,alerts,lib}/ *.lua and DIR/ *.lua of every folder of [scripts] path; a plain
 * FILE.lua is taken too. PT_ENOENT names a folder that is not there, or holds none of them. */
enum pt_code pt_sources_read(const struct pt_conf *conf, struct pt_sources *sources, struct pt_err *err);
/* One more script, marked `extra`; a file that is there already is marked only. */
enum pt_code pt_sources_add(struct pt_sources *sources, const char *file, struct pt_err *err);
/* The libraries of another folder like those of [scripts] path, and (unless only_libs) its scripts. What
 * is there already stays. */
enum pt_code pt_sources_add_root(struct pt_sources *sources, const char *root, bool only_libs, struct pt_err *err);
void pt_sources_fini(struct pt_sources *sources);

enum pt_script_status { PT_SCRIPT_LIVE, PT_SCRIPT_FAILED };

#define PT_LATENCY_BUCKETS 96
/* Counters outlive a snapshot (shared by generations); relaxed atomics. */
struct pt_script_stats {
    atomic_uint refs;
    atomic_uint_fast64_t calls, errors;
    atomic_int_fast64_t last_run_us;
    atomic_uint_fast64_t bucket[PT_LATENCY_BUCKETS]; /* call time, log2 quarter steps from 1 us to 16 s */
};
int64_t pt_script_quantile_us(const struct pt_script_stats *stats, double q); /* 0 when never called */

struct pt_script {
    char name[PT_SCRIPT_NAME_MAX]; /* declared; of a failed one: its file name without .lua */
    char kind[16];                 /* "calculator", ... */
    const struct pt_source *source;
    bson_t *declaration; /* unit.h, with the defaults in force; NULL when failed */
    bson_t *configured;  /* what the configuration sets that differs from the file's defaults, or NULL */
    enum pt_script_status status;
    char message[512]; /* failed: why */
    char error_file[256];
    int error_line;
    struct pt_script_stats *stats;
};

struct pt_scripts {
    atomic_uint refs;
    uint64_t generation;
    int64_t loaded_us;
    size_t n;
    struct pt_script *v; /* sorted by name */
    struct pt_sources sources;
};
struct pt_scripts *pt_scripts_ref(struct pt_scripts *scripts);
void pt_scripts_unref(struct pt_scripts *scripts); /* accepts NULL */
/* A live script by name, or NULL. */
const struct pt_script *pt_scripts_find(const struct pt_scripts *scripts, const char *name);

/* Checks text values of parameters against a declaration and adds them, typed, to `params` (only those that differ
 * from the default in force). PT_EINVAL names the parameter, what was given and what is allowed; an unknown name too. */
enum pt_code pt_script_param(const struct pt_script *script, const char *name, const char *value, bson_t *params,
                             struct pt_err *err);

/* Does the script look at order books? span_us, max_age_us (either may be NULL): as declared. */
bool pt_script_books(const struct pt_script *script, int64_t *span_us, int64_t *max_age_us);

#endif
