/* registry.c - building a snapshot of scripts out of what a worker said.       [layer: flow] */
#include "flow/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which of two scripts with one name is the first, which a worker takes: what a person named, then
 * by the order of the folders. */
static bool goes_before(const struct pt_source *a, const struct pt_source *b)
{
    return a->extra != b->extra ? a->extra : a->rank < b->rank;
}

static void put_in_order(struct pt_registry *registry, const struct pt_source *source)
{
    size_t k = registry->n++;
    for (; k > 0 && goes_before(source, registry->v[k - 1].source); k--)
        registry->v[k] = registry->v[k - 1];
    registry->v[k] = (struct pt_candidate){ .source = source };
    if (source->fault) pt_registry_fail(&registry->v[k], "%s", source->fault);
}

enum pt_code pt_registry_init(struct pt_registry *registry, struct pt_sources *sources,
                              struct pt_err *err)
{
    *registry = (struct pt_registry){ .sources = *sources };
    *sources = (struct pt_sources){ 0 };
    if (registry->sources.n == 0) return PT_OK;
    registry->v = calloc(registry->sources.n, sizeof *registry->v);
    if (!registry->v) return pt_fail(err, PT_ENOMEM, "script registry");
    for (size_t i = 0; i < registry->sources.n; i++)
        if (!registry->sources.v[i].lib) put_in_order(registry, &registry->sources.v[i]);
    return PT_OK;
}

void pt_registry_fini(struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        bson_destroy(registry->v[i].declaration); /* accepts NULL */
        bson_destroy(registry->v[i].configured);
    }
    pt_registry_settle(registry);
    free(registry->v);
    pt_sources_fini(&registry->sources);
    pt_sources_fini(&registry->old_libs);
    *registry = (struct pt_registry){ 0 };
}

void pt_registry_fail(struct pt_candidate *candidate, const char *fmt, ...)
{
    va_list args;
    candidate->failed = true;
    if (candidate->previous) return; /* what is wrong with the file as it is now is the news */
    va_start(args, fmt);
    vsnprintf(candidate->message, sizeof candidate->message, fmt, args);
    va_end(args);
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
    const struct pt_sources *libs = pt_registry_libs(registry);
    if (!bson_append_array_begin(doc, "libs", -1, &list)) return false;
    for (size_t i = 0; i < libs->n; i++) {
        const struct pt_source *source = &libs->v[i];
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

static bool append_scripts(const struct pt_registry *registry, bool check, bson_t *doc,
                           size_t *index, size_t *n, size_t *checks)
{
    bson_t list, item;
    char key[24];
    *n = *checks = 0;
    if (!bson_append_array_begin(doc, "scripts", -1, &list)) return false;
    for (size_t i = 0; i < registry->n; i++) {
        const struct pt_candidate *candidate = &registry->v[i];
        const struct pt_source *source = candidate->source;
        bool checked = candidate->check || (check && !candidate->passed);
        if (candidate->failed || candidate->overridden || candidate->quarantined) continue;
        *checks += checked;
        snprintf(key, sizeof key, "%zu", *n);
        index[(*n)++] = i;
        if (!bson_append_document_begin(&list, key, -1, &item) ||
            !bson_append_utf8(&item, "file", -1, source->file, -1) ||
            !bson_append_utf8(&item, "text", -1, source->text, (int)source->len) ||
            !bson_append_utf8(&item, "hash", -1, source->hash, -1) ||
            (checked && !bson_append_bool(&item, "check", -1, true)) ||
            !bson_append_document_end(&list, &item))
            return false;
    }
    return bson_append_array_end(doc, &list);
}

enum pt_code pt_registry_message(const struct pt_registry *registry,
                                 const struct pt_load_params *params, bson_t *doc, size_t *index,
                                 size_t *n, size_t *checks, struct pt_err *err)
{
    bool ok = bson_append_utf8(doc, "op", -1, "load", -1) &&
              (!params->store || bson_append_utf8(doc, "store", -1, params->store, -1)) &&
              bson_append_utf8(doc, "benchmark", -1, params->benchmark, -1) &&
              bson_append_int64(doc, "call_budget_us", -1, params->call_budget_us) &&
              bson_append_int64(doc, "load_budget_us", -1, params->load_budget_us) &&
              bson_append_int64(doc, "memory_bytes", -1, params->memory_bytes) &&
              (!params->gives_way || bson_append_bool(doc, "gives_way", -1, true)) &&
              append_scripts(registry, params->check, doc, index, n, checks) &&
              append_libs(registry, doc);
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
    candidate->passed = true;
    if (candidate->declaration) return PT_OK; /* another worker gave it */
    candidate->declaration = bson_copy(declaration);
    return PT_OK;
}

void pt_registry_blame(struct pt_candidate *candidate, const bson_t *doc, const char *path)
{
    bson_t error;
    const char *text;
    int64_t line = 0;
    if (candidate->previous || !pt_doc_child(doc, path, &error)) {
        pt_registry_fail(candidate, "failed without words");
        return;
    }
    pt_registry_fail(candidate, "%s",
                     pt_doc_text(&error, "message", &text) ? text : "failed without words");
    snprintf(candidate->error_file, sizeof candidate->error_file, "%s",
             pt_doc_text(&error, "file", &text) ? text : candidate->source->file);
    candidate->error_line = pt_doc_int(&error, "line", &line) ? (int)line : 0;
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
            const char *twin = "";
            *news = *news || !candidate->failed;
            pt_registry_blame(candidate, &item, "error");
            pt_doc_text(&item, "twin", &twin);
            snprintf(candidate->twin, sizeof candidate->twin, "%s", twin);
        }
    }
    if (k < n)
        return pt_fail(err, PT_EDAMAGE, "an answer to load that names %zu of %zu scripts", k, n);
    return PT_OK;
}
