/* snapshot.c - a registry of scripts with the configuration's values becomes a snapshot. [layer:
 * flow] */
#include "base/clock.h"
#include "flow/params.h"
#include "flow/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pt_script_kinds[] = { "calculator", "regime", "anomaly", "alert", NULL };

/* ---- configured parameters ----------------------------------------------------------------- */

struct configure {
    struct pt_registry *registry;
    const struct pt_conf *before;
    bool failed; /* a script did */
    struct pt_buf mistakes;
};

static void mistake(struct configure *configure, const char *source, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void mistake(struct configure *configure, const char *source, const char *fmt, ...)
{
    char words[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    pt_buf_printf(&configure->mistakes, "%s%s: %s", configure->mistakes.len > 0 ? "; " : "", source,
                  words);
}

/* The same words were in force until now. */
static bool was_good(const struct configure *configure, const char *kind, const char *name,
                     const char *key, const char *value)
{
    const char *was = configure->before ? pt_conf_named(configure->before, kind, name, key) : NULL;
    return was && strcmp(was, value) == 0;
}

/* A key that its script does not take: whose mistake is it? */
static void refuse_key(struct configure *configure, struct pt_candidate *candidate, bool good,
                       const char *source, const char *words)
{
    if (good) {
        pt_registry_fail(candidate, "does not take what the configuration sets (%s): %s", source,
                         words);
        configure->failed = true;
    } else {
        mistake(configure, source, "%s", words);
    }
}

static bool configure_key(void *arg, const char *kind, const char *name, const char *key,
                          const char *value, const char *source)
{
    struct configure *configure = arg;
    char other[PT_SCRIPT_NAME_MAX], names[200], words[400];
    struct pt_err err;
    bson_t entry;
    struct pt_candidate *candidate = pt_registry_find(configure->registry, name);
    const char *declared = "";
    bool good = was_good(configure, kind, name, key, value);
    if (!candidate) {
        /* nothing can be said about the parameters of a script that failed; its failure is told
         * elsewhere */
        for (size_t i = 0; i < configure->registry->n; i++) {
            pt_candidate_name(&configure->registry->v[i], other);
            if (strcmp(other, name) == 0) return true;
        }
        if (!good)
            mistake(configure, source, "[%s %s]: there is no script of that name", kind, name);
        return true; /* of one that was removed: pt_outcome_unused says so */
    }
    if (!pt_doc_text(candidate->declaration, "kind", &declared) || strcmp(declared, kind) != 0) {
        snprintf(words, sizeof words, "[%s %s]: it is a %s", kind, name, declared);
        refuse_key(configure, candidate, good, source, words);
    } else if (candidate->previous && !pt_param_find(candidate->declaration, key, &entry)) {
        return true; /* meant for the version that failed, which is told elsewhere */
    } else if (!pt_param_find(candidate->declaration, key, &entry)) {
        pt_param_names(candidate->declaration, names, sizeof names);
        snprintf(words, sizeof words, "[%s %s] has no parameter '%s'; it has: %s", kind, name, key,
                 names[0] ? names : "none");
        refuse_key(configure, candidate, good, source, words);
    } else if (!candidate->configured && !(candidate->configured = bson_new())) {
        configure->mistakes.failed = true;
    } else if (pt_param_append(&entry, value, candidate->configured, &err) != PT_OK) {
        snprintf(words, sizeof words, "[%s %s] %.300s", kind, name, err.text);
        refuse_key(configure, candidate, good, source, words);
    }
    return true;
}

enum pt_code pt_registry_configure(struct pt_registry *registry, const struct pt_conf *conf,
                                   const struct pt_conf *before, bool *failed, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    struct configure configure = { .registry = registry, .before = before };
    for (size_t i = 0; i < registry->n; i++) {
        bson_destroy(registry->v[i].configured);
        registry->v[i].configured = NULL;
    }
    for (const char *const *kind = pt_script_kinds; *kind; kind++)
        pt_conf_each_named(conf, *kind, configure_key, &configure);
    if (configure.mistakes.failed)
        rc = pt_fail(err, PT_ENOMEM, "script parameters");
    else if (configure.mistakes.len > 0)
        rc = pt_fail(err, PT_EINVAL, "%s", configure.mistakes.data);
    pt_buf_fini(&configure.mistakes);
    *failed = configure.failed;
    return rc;
}

/* ---- the snapshot -------------------------------------------------------------------------- */

/* Of a script that declared nothing: what its folder says. */
static const char *folder_kind(const char *file)
{
    if (strstr(file, "/regimes/")) return "regime";
    if (strstr(file, "/anomalies/")) return "anomaly";
    return strstr(file, "/alerts/") ? "alert" : "calculator";
}

static enum pt_code copy_sources(const struct pt_sources *from, struct pt_sources *to)
{
    if (from->n == 0) return PT_OK;
    to->v = calloc(from->n, sizeof *to->v);
    if (!to->v) return PT_ENOMEM;
    for (; to->n < from->n; to->n++)
        if (!pt_source_copy(&from->v[to->n], &to->v[to->n])) return PT_ENOMEM;
    return PT_OK;
}

/* Counters go by the name, so that they outlive an edit of the script; errors of other versions are
 * told apart. False: no memory. */
static bool take_stats(const struct pt_scripts *old, struct pt_script *script)
{
    const struct pt_script *was = NULL;
    for (size_t i = 0; old && !was && i < old->n; i++)
        if (strcmp(old->v[i].name, script->name) == 0) was = &old->v[i];
    script->stats = was ? pt_script_stats_ref(was->stats) : pt_script_stats_new();
    if (was && strcmp(was->source->hash, script->source->hash) == 0)
        script->errors_before = was->errors_before;
    else if (script->stats)
        script->errors_before = atomic_load_explicit(&script->stats->errors, memory_order_relaxed);
    return script->stats != NULL;
}

static enum pt_code fill_script(const struct pt_candidate *candidate, const struct pt_scripts *old,
                                struct pt_script *script)
{
    const char *kind;
    pt_candidate_name(candidate, script->name);
    if (!candidate->declaration || !pt_doc_text(candidate->declaration, "kind", &kind))
        kind = folder_kind(candidate->source->file);
    snprintf(script->kind, sizeof script->kind, "%s", kind);
    if (!take_stats(old, script)) return PT_ENOMEM;
    script->status = candidate->failed || !candidate->declaration ? PT_SCRIPT_FAILED
                     : candidate->quarantined                     ? PT_SCRIPT_QUARANTINED
                     : candidate->previous                        ? PT_SCRIPT_PREVIOUS
                                                                  : PT_SCRIPT_LIVE;
    if (script->status != PT_SCRIPT_LIVE) {
        snprintf(script->message, sizeof script->message, "%s", candidate->message);
        snprintf(script->error_file, sizeof script->error_file, "%s",
                 candidate->error_file[0] ? candidate->error_file : candidate->source->file);
        script->error_line = candidate->error_line;
    }
    if (script->status == PT_SCRIPT_FAILED) return PT_OK;
    if (candidate->configured) script->configured = bson_copy(candidate->configured);
    script->declaration = candidate->configured
                              ? pt_param_defaults(candidate->declaration, candidate->configured)
                              : bson_copy(candidate->declaration);
    if (!script->declaration) return PT_ENOMEM;
    pt_script_needs_read(script->declaration, &script->needs);
    return PT_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct pt_script *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->source->file, y->source->file);
}

enum pt_code pt_registry_snapshot(const struct pt_registry *registry, const struct pt_scripts *old,
                                  uint64_t generation, struct pt_scripts **out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    struct pt_scripts *scripts = calloc(1, sizeof *scripts);
    if (!scripts) return pt_fail(err, PT_ENOMEM, "scripts");
    atomic_init(&scripts->refs, 1);
    scripts->generation = generation;
    scripts->loaded_us = pt_now_us();
    if (registry->libs_back) {
        snprintf(scripts->libs_message, sizeof scripts->libs_message, "%s", registry->libs_message);
        snprintf(scripts->libs_file, sizeof scripts->libs_file, "%s", registry->libs_file);
        scripts->libs_line = registry->libs_line;
    }
    rc = copy_sources(&registry->sources, &scripts->sources);
    if (rc == PT_OK && registry->n > 0) {
        scripts->v = calloc(registry->n, sizeof *scripts->v);
        if (!scripts->v) rc = PT_ENOMEM;
    }
    for (size_t i = 0; rc == PT_OK && i < registry->n; i++) {
        if (registry->v[i].overridden) continue;
        struct pt_script *script = &scripts->v[scripts->n++];
        script->source = &scripts->sources.v[registry->v[i].source - registry->sources.v];
        rc = fill_script(&registry->v[i], old, script);
    }
    if (rc != PT_OK) {
        pt_scripts_unref(scripts);
        return pt_fail(err, rc, "scripts");
    }
    if (scripts->n > 1) qsort(scripts->v, scripts->n, sizeof *scripts->v, by_name);
    *out = scripts;
    return PT_OK;
}
