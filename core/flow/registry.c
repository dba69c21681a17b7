/* registry.c - building a snapshot of scripts out of what a worker said.       [layer: flow] */
#include "flow/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- the load message and its answer ------------------------------------------------------- */

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
            (registry->v[i].check && !bson_append_bool(&item, "check", -1, true)) ||
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
              (!params->store || bson_append_utf8(doc, "store", -1, params->store, -1)) &&
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

/* ---- rules between scripts ----------------------------------------------------------------- */

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

struct pt_candidate *pt_registry_find(const struct pt_registry *registry, const char *name)
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
    if (!need->missing[0] && !pt_registry_find(need->registry, name))
        snprintf(need->missing, sizeof need->missing, "%s", name);
}

static void look_rank(void *arg, const char *name)
{
    struct need *need = arg;
    const struct pt_candidate *other = pt_registry_find(need->registry, name);
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
        const struct pt_candidate *taken = pt_registry_find(registry, name);
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
