/* inherit.c - the last good versions: what stays in force when a changed file fails. [layer: flow]
 *
 * A file keeps its identity by its path. Its last version is the one that is live until now, be it
 * the file as it was or already one that stood in. It takes the failed version's place inside the
 * candidate, so that everything after (the load message, the snapshot) sees one version only.
 *
 * Libraries are no scripts: all scripts of a worker share them. When a script that has not changed
 * fails with changed libraries, they are to blame, and all of them stay as they were. */
#include "flow/registry.h"

#include <stdlib.h>
#include <string.h>

const struct pt_sources *pt_registry_libs(const struct pt_registry *registry)
{
    return registry->libs_back ? &registry->old_libs : &registry->sources;
}

static const struct pt_candidate *good_of(const struct pt_registry *old, const char *file)
{
    for (size_t i = 0; i < old->n; i++) {
        const struct pt_candidate *candidate = &old->v[i];
        if (!candidate->failed && !candidate->overridden && !candidate->quarantined &&
            candidate->declaration && strcmp(candidate->source->file, file) == 0)
            return candidate;
    }
    return NULL;
}

static const struct pt_source *lib_of(const struct pt_sources *libs, const char *file)
{
    for (size_t i = 0; i < libs->n; i++)
        if (libs->v[i].lib && strcmp(libs->v[i].file, file) == 0) return &libs->v[i];
    return NULL;
}

static size_t count_libs(const struct pt_sources *sources)
{
    size_t n = 0;
    for (size_t i = 0; i < sources->n; i++) n += sources->v[i].lib;
    return n;
}

static bool libs_differ(const struct pt_sources *a, const struct pt_sources *b)
{
    if (count_libs(a) != count_libs(b)) return true;
    for (size_t i = 0; i < a->n; i++) {
        if (!a->v[i].lib) continue;
        const struct pt_source *other = lib_of(b, a->v[i].file);
        if (!other || strcmp(other->hash, a->v[i].hash) != 0) return true;
    }
    return false;
}

static bool copy_libs(const struct pt_sources *from, struct pt_sources *to)
{
    to->v = calloc(count_libs(from) + 1, sizeof *to->v);
    if (!to->v) return false;
    for (size_t i = 0; i < from->n; i++)
        if (from->v[i].lib && !pt_source_copy(&from->v[i], &to->v[to->n++])) return false;
    return true;
}

/* A version that is out is not even loaded; what it declares is known. */
static void stay_quarantined(struct pt_candidate *candidate, const struct pt_registry *old)
{
    for (size_t i = 0; i < old->n; i++) {
        const struct pt_candidate *out = &old->v[i];
        if (!out->quarantined || strcmp(out->source->hash, candidate->source->hash) != 0) continue;
        candidate->quarantined = true;
        candidate->declaration = bson_copy(out->declaration);
        memcpy(candidate->message, out->message, sizeof candidate->message);
        memcpy(candidate->error_file, out->error_file, sizeof candidate->error_file);
        return;
    }
}

/* In place and stable: those for which `first` holds before the others. */
static void bring_forward(struct pt_registry *registry)
{
    for (size_t i = 1; i < registry->n; i++) {
        struct pt_candidate candidate = registry->v[i];
        size_t k = i;
        if (!candidate.last.text || candidate.source->extra) continue;
        while (k > 0 && !registry->v[k - 1].last.text && !registry->v[k - 1].source->extra) {
            registry->v[k] = registry->v[k - 1];
            k--;
        }
        registry->v[k] = candidate;
    }
}

enum pt_code pt_registry_inherit(struct pt_registry *registry, const struct pt_registry *old,
                                 struct pt_err *err)
{
    if (!old) return PT_OK;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        const struct pt_candidate *good = good_of(old, candidate->source->file);
        if (!good) {
            stay_quarantined(candidate, old);
            continue;
        }
        if (!pt_source_copy(good->source, &candidate->last))
            return pt_fail(err, PT_ENOMEM, "script registry");
        candidate->last_declaration = bson_copy(good->declaration);
        candidate->passed = strcmp(candidate->last.hash, candidate->source->hash) == 0;
    }
    bring_forward(registry);
    registry->libs_changed = libs_differ(&registry->sources, pt_registry_libs(old));
    if (registry->libs_changed && !copy_libs(pt_registry_libs(old), &registry->old_libs))
        return pt_fail(err, PT_ENOMEM, "script registry");
    return PT_OK;
}

/* The source that a candidate points at, which is the registry's own. */
static struct pt_source *own(struct pt_registry *registry, const struct pt_candidate *candidate)
{
    return &registry->sources.v[candidate->source - registry->sources.v];
}

static bool same_text(const struct pt_source *a, const struct pt_source *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bool pt_registry_fall_back(struct pt_registry *registry, struct pt_candidate *candidate)
{
    struct pt_source *source = own(registry, candidate);
    if (!candidate->last.text || candidate->previous || same_text(&candidate->last, source))
        return false;
    struct pt_source failed = *source;
    source->text = candidate->last.text;
    source->len = candidate->last.len;
    candidate->last.text = failed.text;
    candidate->last.len = failed.len;
    pt_source_hash(source, pt_registry_libs(registry));
    candidate->passed = strcmp(source->hash, candidate->last.hash) == 0;
    bson_destroy(candidate->declaration); /* accepts NULL */
    candidate->declaration = candidate->last_declaration;
    candidate->last_declaration = NULL;
    candidate->previous = true;
    candidate->failed = candidate->related = false;
    candidate->twin[0] = '\0';
    if (!candidate->error_file[0])
        snprintf(candidate->error_file, sizeof candidate->error_file, "%s", source->file);
    return true;
}

bool pt_registry_libs_back(struct pt_registry *registry, const struct pt_candidate *because)
{
    if (!registry->libs_changed || registry->libs_back || !pt_source_requires(because->source))
        return false;
    registry->libs_back = true;
    snprintf(registry->libs_message, sizeof registry->libs_message, "%s", because->message);
    snprintf(registry->libs_file, sizeof registry->libs_file, "%s",
             because->error_file[0] ? because->error_file : because->source->file);
    registry->libs_line = because->error_line;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        if (!pt_source_requires(candidate->source)) continue;
        struct pt_source *source = own(registry, candidate);
        pt_source_hash(source, &registry->old_libs);
        candidate->passed = candidate->last.text && strcmp(source->hash, candidate->last.hash) == 0;
        /* it is another version now, and may be good */
        if (!candidate->previous) candidate->message[0] = candidate->error_file[0] = '\0';
        candidate->failed = candidate->related = false;
        bson_destroy(candidate->declaration);
        candidate->declaration = NULL;
        candidate->twin[0] = '\0';
    }
    return true;
}

void pt_registry_settle(struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        pt_source_fini(&registry->v[i].last);
        bson_destroy(registry->v[i].last_declaration); /* accepts NULL */
        registry->v[i].last_declaration = NULL;
    }
}
