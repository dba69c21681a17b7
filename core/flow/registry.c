/* registry.c - building a snapshot of scripts out of what a worker said.       [layer: flow] */
#include "flow/registry.h"

#include "base/clock.h"
#include "flow/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "calculator", "regime", "anomaly", "alert", NULL };

enum pt_code pt_registry_init(struct pt_registry *registry, struct pt_sources *sources,
                              struct pt_err *err)
{
    *registry = (struct pt_registry){ .sources = *sources };
    *sources = (struct pt_sources){ 0 };
    if (registry->sources.n == 0) return PT_OK;
    registry->v = calloc(registry->sources.n, sizeof *registry->v);
    if (!registry->v) return pt_fail(err, PT_ENOMEM, "script registry");
    /* what a person named comes first: of two scripts with one name the first is taken */
    for (int extra = 1; extra >= 0; extra--)
        for (size_t i = 0; i < registry->sources.n; i++) {
            const struct pt_source *source = &registry->sources.v[i];
            if (!source->lib && source->extra == (extra == 1))
                registry->v[registry->n++].source = source;
        }
    return PT_OK;
}

void pt_registry_fini(struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        bson_destroy(registry->v[i].declaration); /* accepts NULL */
        bson_destroy(registry->v[i].configured);
    }
    free(registry->v);
    pt_sources_fini(&registry->sources);
    *registry = (struct pt_registry){ 0 };
}

void pt_registry_fail(struct pt_candidate *candidate, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(candidate->message, sizeof candidate->message, fmt, args);
    va_end(args);
    candidate->failed = true;
}

/* "dir/calculators/deviation.lua" -> "deviation" */
static void base_name(const char *file, char *out, size_t room)
{
    const char *slash = strrchr(file, '/'), *start = slash ? slash + 1 : file;
    const char *dot = strrchr(start, '.');
    size_t len = dot && dot > start ? (size_t)(dot - start) : strlen(start);
    snprintf(out, room, "%.*s", (int)(len < room ? len : room - 1), start);
}

void pt_candidate_name(const struct pt_candidate *candidate, char out[PT_SCRIPT_NAME_MAX])
{
    const char *name;
    if (candidate->declaration && pt_doc_text(candidate->declaration, "name", &name))
        snprintf(out, PT_SCRIPT_NAME_MAX, "%s", name);
    else
        base_name(candidate->source->file, out, PT_SCRIPT_NAME_MAX);
}

/* Of a script that declared nothing: what its folder says. */
static const char *folder_kind(const char *file)
{
    if (strstr(file, "/regimes/")) return "regime";
    if (strstr(file, "/anomalies/")) return "anomaly";
    return strstr(file, "/alerts/") ? "alert" : "calculator";
}

/* ---- the load message and its answer ----------------------------------------------------------
 */

static bool append_libs(const struct pt_registry *registry, bson_t *doc)
{
    bson_t list, item;
    char key[24], name[NAME_MAX];
    unsigned k = 0;
    if (!bson_append_array_begin(doc, "libs", -1, &list)) return false;
    for (size_t i = 0; i < registry->sources.n; i++) {
        const struct pt_source *source = &registry->sources.v[i];
        if (!source->lib) continue;
        base_name(source->file, name, sizeof name);
        snprintf(key, sizeof key, "%u", k++);
        if (!bson_append_document_begin(&list, key, -1, &item) ||
            !bson_append_utf8(&item, "name", -1, name, -1) ||
            !bson_append_utf8(&item, "file", -1, source->file, -1) ||
            !bson_append_utf8(&item, "text", -1, source->text, (int)source->len) ||
            !bson_append_document_end(&list, &item))
            return false;
    }
    return bson_append_array_end(doc, &list);
}

static bool append_scripts(const struct pt_registry *registry, bson_t *doc, size_t *index,
                           size_t *n)
{
    bson_t list, item;
    char key[24];
    *n = 0;
    if (!bson_append_array_begin(doc, "scripts", -1, &list)) return false;
    for (size_t i = 0; i < registry->n; i++) {
        const struct pt_source *source = registry->v[i].source;
        if (registry->v[i].failed) continue;
        snprintf(key, sizeof key, "%zu", *n);
        index[(*n)++] = i;
        if (!bson_append_document_begin(&list, key, -1, &item) ||
            !bson_append_utf8(&item, "file", -1, source->file, -1) ||
            !bson_append_utf8(&item, "text", -1, source->text, (int)source->len) ||
            !bson_append_utf8(&item, "hash", -1, source->hash, -1) ||
            !bson_append_document_end(&list, &item))
            return false;
    }
    return bson_append_array_end(doc, &list);
}

enum pt_code pt_registry_message(const struct pt_registry *registry,
                                 const struct pt_load_params *params, bson_t *doc, size_t *index,
                                 size_t *n, struct pt_err *err)
{
    bool ok = bson_append_utf8(doc, "op", -1, "load", -1) &&
              bson_append_utf8(doc, "store", -1, params->store, -1) &&
              bson_append_utf8(doc, "benchmark", -1, params->benchmark, -1) &&
              bson_append_int64(doc, "call_budget_us", -1, params->call_budget_us) &&
              bson_append_int64(doc, "load_budget_us", -1, params->load_budget_us) &&
              bson_append_int64(doc, "memory_bytes", -1, params->memory_bytes) &&
              append_scripts(registry, doc, index, n) && append_libs(registry, doc);
    if (!ok) return pt_fail(err, PT_ENOMEM, "load message");
    if (doc->len > PT_WIRE_MAX)
        return pt_fail(err, PT_ERANGE, "the scripts have %u bytes together, at most %u are taken",
                       doc->len, PT_WIRE_MAX);
    return PT_OK;
}

static enum pt_code take_declaration(struct pt_candidate *candidate, const bson_t *declaration,
                                     struct pt_err *err)
{
    const char *name, *kind;
    if (!pt_doc_text(declaration, "name", &name) || !pt_doc_text(declaration, "kind", &kind) ||
        !name[0] || strlen(name) >= PT_SCRIPT_NAME_MAX)
        return pt_fail(err, PT_EDAMAGE, "a declaration without a usable name or kind");
    if (candidate->declaration) return PT_OK; /* another worker gave it */
    candidate->declaration = bson_copy(declaration);
    return PT_OK;
}

static void take_error(struct pt_candidate *candidate, const bson_t *item)
{
    const char *text;
    int64_t line = 0;
    pt_registry_fail(candidate, "%s",
                     pt_doc_text(item, "error.message", &text) ? text : "failed without words");
    snprintf(candidate->error_file, sizeof candidate->error_file, "%s",
             pt_doc_text(item, "error.file", &text) ? text : candidate->source->file);
    candidate->error_line = pt_doc_int(item, "error.line", &line) ? (int)line : 0;
}

enum pt_code pt_registry_loaded(struct pt_registry *registry, const size_t *index, size_t n,
                                const bson_t *answer, bool *news, struct pt_err *err)
{
    bson_t list, item, declaration;
    bson_iter_t iter;
    size_t k = 0;
    *news = false;
    if (!pt_doc_child(answer, "scripts", &list) || !bson_iter_init(&iter, &list))
        return pt_fail(err, PT_EDAMAGE, "an answer to load without a list of scripts");
    for (; bson_iter_next(&iter); k++) {
        uint32_t len = 0;
        const uint8_t *data = NULL;
        if (BSON_ITER_HOLDS_DOCUMENT(&iter)) bson_iter_document(&iter, &len, &data);
        if (k >= n || !data || !bson_init_static(&item, data, len))
            return pt_fail(err, PT_EDAMAGE, "an answer to load that does not fit its request");
        struct pt_candidate *candidate = &registry->v[index[k]];
        if (pt_doc_child(&item, "declaration", &declaration)) {
            enum pt_code rc = take_declaration(candidate, &declaration, err);
            if (rc != PT_OK) return rc;
        } else {
            *news = *news || !candidate->failed;
            take_error(candidate, &item);
        }
    }
    if (k < n)
        return pt_fail(err, PT_EDAMAGE, "an answer to load that names %zu of %zu scripts", k, n);
    return PT_OK;
}

/* ---- rules between scripts --------------------------------------------------------------------
 */

void pt_needs_each(const bson_t *declaration, pt_need_fn fn, void *arg)
{
    bson_t list;
    bson_iter_t iter;
    char name[PT_SCRIPT_NAME_MAX];
    if (!pt_doc_child(declaration, "needs.metrics", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
        const char *text = bson_iter_utf8(&iter, NULL);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "."), text);
        fn(arg, name);
    }
}

static struct pt_candidate *find(const struct pt_registry *registry, const char *name)
{
    char other[PT_SCRIPT_NAME_MAX];
    for (size_t i = 0; i < registry->n; i++) {
        if (registry->v[i].failed || !registry->v[i].declaration) continue;
        pt_candidate_name(&registry->v[i], other);
        if (strcmp(name, other) == 0) return &registry->v[i];
    }
    return NULL;
}

struct need {
    const struct pt_registry *registry;
    char missing[PT_SCRIPT_NAME_MAX];
    const unsigned *rank;
    unsigned deepest;
    bool unranked;
};

static void look_missing(void *arg, const char *name)
{
    struct need *need = arg;
    if (!need->missing[0] && !find(need->registry, name))
        snprintf(need->missing, sizeof need->missing, "%s", name);
}

static void look_rank(void *arg, const char *name)
{
    struct need *need = arg;
    const struct pt_candidate *other = find(need->registry, name);
    if (!other || need->rank[other - need->registry->v] == 0) need->unranked = true;
}

static bool fail_missing(struct pt_registry *registry)
{
    bool any = false;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        struct need need = { .registry = registry };
        if (candidate->failed || !candidate->declaration) continue;
        pt_needs_each(candidate->declaration, look_missing, &need);
        if (!need.missing[0]) continue;
        pt_registry_fail(candidate, "needs the metric '%s', which no live script gives",
                         need.missing);
        any = true;
    }
    return any;
}

/* What can be ranked has all it needs ranked before it; what stays unranked needs itself. */
static void fail_circles(struct pt_registry *registry, unsigned *rank)
{
    unsigned next = 1;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < registry->n; i++) {
            const struct pt_candidate *candidate = &registry->v[i];
            struct need need = { .registry = registry, .rank = rank };
            if (rank[i] > 0 || candidate->failed || !candidate->declaration) continue;
            pt_needs_each(candidate->declaration, look_rank, &need);
            if (need.unranked) continue;
            rank[i] = next++;
            moved = true;
        }
    }
    for (size_t i = 0; i < registry->n; i++)
        if (rank[i] == 0 && !registry->v[i].failed && registry->v[i].declaration)
            pt_registry_fail(&registry->v[i], "needs metrics that, in a circle, need this one");
}

enum pt_code pt_registry_check(struct pt_registry *registry, bool *again, struct pt_err *err)
{
    char name[PT_SCRIPT_NAME_MAX];
    *again = false;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        if (candidate->failed || !candidate->declaration) continue;
        pt_candidate_name(candidate, name);
        const struct pt_candidate *taken = find(registry, name);
        if (!taken || taken == candidate) continue;
        pt_registry_fail(candidate, "the name '%s' is taken by %s", name, taken->source->file);
        *again = true;
    }
    if (registry->n == 0) return PT_OK;
    unsigned *rank = calloc(registry->n, sizeof *rank);
    if (!rank) return pt_fail(err, PT_ENOMEM, "script registry");
    while (fail_missing(registry)) continue;
    fail_circles(registry, rank);
    while (fail_missing(registry)) continue;
    free(rank);
    return PT_OK;
}

/* ---- configured parameters --------------------------------------------------------------------
 */

struct configure {
    struct pt_registry *registry;
    const char *kind;
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

static bool configure_key(void *arg, const char *kind, const char *name, const char *key,
                          const char *value, const char *source)
{
    struct configure *configure = arg;
    char other[PT_SCRIPT_NAME_MAX], names[200];
    struct pt_err err;
    bson_t entry;
    struct pt_candidate *candidate = find(configure->registry, name);
    const char *declared = "";
    if (!candidate) {
        /* nothing can be said about the parameters of a script that failed; its failure is told
         * elsewhere */
        for (size_t i = 0; i < configure->registry->n; i++) {
            pt_candidate_name(&configure->registry->v[i], other);
            if (strcmp(other, name) == 0) return true;
        }
        mistake(configure, source, "[%s %s]: there is no script of that name", kind, name);
        return true;
    }
    if (!pt_doc_text(candidate->declaration, "kind", &declared) || strcmp(declared, kind) != 0) {
        mistake(configure, source, "[%s %s]: it is a %s", kind, name, declared);
    } else if (!pt_param_find(candidate->declaration, key, &entry)) {
        pt_param_names(candidate->declaration, names, sizeof names);
        mistake(configure, source, "[%s %s] has no parameter '%s'; it has: %s", kind, name, key,
                names[0] ? names : "none");
    } else if (!candidate->configured && !(candidate->configured = bson_new())) {
        configure->mistakes.failed = true;
    } else if (pt_param_append(&entry, value, candidate->configured, &err) != PT_OK) {
        mistake(configure, source, "[%s %s] %s", kind, name, err.text);
    }
    return true;
}

enum pt_code pt_registry_configure(struct pt_registry *registry, const struct pt_conf *conf,
                                   struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    struct configure configure = { .registry = registry };
    for (size_t i = 0; i < registry->n; i++) {
        bson_destroy(registry->v[i].configured);
        registry->v[i].configured = NULL;
    }
    for (const char *const *kind = kinds; *kind; kind++)
        pt_conf_each_named(conf, *kind, configure_key, &configure);
    if (configure.mistakes.failed)
        rc = pt_fail(err, PT_ENOMEM, "script parameters");
    else if (configure.mistakes.len > 0)
        rc = pt_fail(err, PT_EINVAL, "%s", configure.mistakes.data);
    pt_buf_fini(&configure.mistakes);
    return rc;
}

/* ---- the snapshot -----------------------------------------------------------------------------
 */

static enum pt_code copy_sources(const struct pt_sources *from, struct pt_sources *to)
{
    if (from->n == 0) return PT_OK;
    to->v = calloc(from->n, sizeof *to->v);
    if (!to->v) return PT_ENOMEM;
    for (; to->n < from->n; to->n++) {
        struct pt_source *copy = &to->v[to->n];
        *copy = from->v[to->n];
        copy->file = strdup(copy->file);
        copy->text = malloc(copy->len + 1);
        if (copy->text) memcpy(copy->text, from->v[to->n].text, copy->len + 1);
        if (!copy->file || !copy->text) {
            free(copy->file);
            free(copy->text);
            return PT_ENOMEM;
        }
    }
    return PT_OK;
}

/* Counters go by the name, so that they outlive an edit of the script. */
static struct pt_script_stats *stats_for(const struct pt_scripts *old, const char *name)
{
    if (old)
        for (size_t i = 0; i < old->n; i++)
            if (strcmp(old->v[i].name, name) == 0) return pt_script_stats_ref(old->v[i].stats);
    return pt_script_stats_new();
}

static enum pt_code fill_script(const struct pt_candidate *candidate, const struct pt_scripts *old,
                                struct pt_script *script)
{
    const char *kind;
    pt_candidate_name(candidate, script->name);
    if (!candidate->declaration || !pt_doc_text(candidate->declaration, "kind", &kind))
        kind = folder_kind(candidate->source->file);
    snprintf(script->kind, sizeof script->kind, "%s", kind);
    script->stats = stats_for(old, script->name);
    if (!script->stats) return PT_ENOMEM;
    if (candidate->failed || !candidate->declaration) {
        script->status = PT_SCRIPT_FAILED;
        snprintf(script->message, sizeof script->message, "%s", candidate->message);
        snprintf(script->error_file, sizeof script->error_file, "%s",
                 candidate->error_file[0] ? candidate->error_file : candidate->source->file);
        script->error_line = candidate->error_line;
        return PT_OK;
    }
    script->status = PT_SCRIPT_LIVE;
    if (candidate->configured) script->configured = bson_copy(candidate->configured);
    script->declaration = candidate->configured
                              ? pt_param_defaults(candidate->declaration, candidate->configured)
                              : bson_copy(candidate->declaration);
    return script->declaration ? PT_OK : PT_ENOMEM;
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
    rc = copy_sources(&registry->sources, &scripts->sources);
    if (rc == PT_OK && registry->n > 0) {
        scripts->v = calloc(registry->n, sizeof *scripts->v);
        if (!scripts->v) rc = PT_ENOMEM;
    }
    for (size_t i = 0; rc == PT_OK && i < registry->n; i++) {
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
