/* relate.c - the rules between scripts: names, needs, circles; and who falls back over them.
 * [layer: flow] */
#include "flow/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool in_play(const struct pt_candidate *candidate)
{
    return !candidate->failed && !candidate->overridden && candidate->declaration;
}

struct pt_candidate *pt_registry_find(const struct pt_registry *registry, const char *name)
{
    char other[PT_SCRIPT_NAME_MAX];
    for (size_t i = 0; i < registry->n; i++) {
        if (!in_play(&registry->v[i])) continue;
        pt_candidate_name(&registry->v[i], other);
        if (strcmp(name, other) == 0) return &registry->v[i];
    }
    return NULL;
}

struct need {
    const struct pt_registry *registry;
    char missing[PT_SCRIPT_NAME_MAX], market[PT_SCRIPT_NAME_MAX];
    const unsigned *rank;
    bool unranked;
};

static void look_missing(void *arg, const char *name)
{
    struct need *need = arg;
    const struct pt_candidate *other = pt_registry_find(need->registry, name);
    bson_t market;
    if (!need->missing[0] && !other) snprintf(need->missing, sizeof need->missing, "%s", name);
    if (other && pt_doc_child(other->declaration, "needs.market", &market))
        snprintf(need->market, sizeof need->market, "%s", name);
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
        if (!in_play(candidate)) continue;
        pt_needs_each(candidate->declaration, look_missing, &need);
        if (need.missing[0])
            pt_registry_fail(candidate, "needs the metric '%s', which no live script gives",
                             need.missing);
        else if (need.market[0])
            pt_registry_fail(candidate,
                             "needs the metric '%s', which is of the whole market and not of one "
                             "symbol",
                             need.market);
        else
            continue;
        candidate->related = true;
        any = true;
    }
    return any;
}

/* "alpha, gamma": those that have no rank; "..." stands for what there is no room for. */
static void name_circle(const struct pt_registry *registry, const unsigned *rank, char *out,
                        size_t room)
{
    char name[PT_SCRIPT_NAME_MAX];
    size_t len = 0;
    for (size_t i = 0; i < registry->n; i++) {
        if (rank[i] > 0 || !in_play(&registry->v[i])) continue;
        pt_candidate_name(&registry->v[i], name);
        if (len + strlen(name) + sizeof ", , ..." > room) {
            snprintf(out + len, room - len, ", ...");
            return;
        }
        len += (size_t)snprintf(out + len, room - len, "%s%s", len > 0 ? ", " : "", name);
    }
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
            if (rank[i] > 0 || !in_play(candidate)) continue;
            pt_needs_each(candidate->declaration, look_rank, &need);
            if (need.unranked) continue;
            rank[i] = next++;
            moved = true;
        }
    }
    char names[200] = "";
    name_circle(registry, rank, names, sizeof names);
    for (size_t i = 0; i < registry->n; i++) {
        if (rank[i] > 0 || !in_play(&registry->v[i])) continue;
        pt_registry_fail(&registry->v[i], "needs metrics that, in a circle, need this one: %s",
                         names);
        registry->v[i].related = true;
    }
}

static enum pt_code judge_needs(struct pt_registry *registry, struct pt_err *err)
{
    if (registry->n == 0) return PT_OK;
    unsigned *rank = calloc(registry->n, sizeof *rank);
    if (!rank) return pt_fail(err, PT_ENOMEM, "script registry");
    while (fail_missing(registry)) continue;
    fail_circles(registry, rank);
    while (fail_missing(registry)) continue;
    free(rank);
    return PT_OK;
}

/* ---- names --------------------------------------------------------------------------------- */

static bool may_override(const struct pt_conf *conf, const char *name)
{
    const char *item;
    for (size_t i = 0; conf && (item = pt_conf_item(conf, "scripts", "override", i)); i++)
        if (strcmp(item, name) == 0) return true;
    return false;
}

/* The name it has, or would have if it were free; false: it has none. */
static bool wanted_name(const struct pt_candidate *candidate, char out[PT_SCRIPT_NAME_MAX])
{
    if (candidate->overridden || (candidate->failed && !candidate->twin[0])) return false;
    if (candidate->twin[0])
        memcpy(out, candidate->twin, PT_SCRIPT_NAME_MAX);
    else if (candidate->declaration)
        pt_candidate_name(candidate, out);
    else
        return false;
    return true;
}

/* Has its file's last version this name? */
static bool had_name(const struct pt_candidate *candidate, const char *name)
{
    const char *had;
    const bson_t *last = candidate->previous ? candidate->declaration : candidate->last_declaration;
    return last && pt_doc_text(last, "name", &had) && strcmp(had, name) == 0;
}

static void lose_name(struct pt_candidate *candidate, const struct pt_candidate *to,
                      const char *name)
{
    pt_registry_fail(candidate, "the name '%s' is taken by %s", name, to->source->file);
    if (!candidate->error_file[0])
        snprintf(candidate->error_file, sizeof candidate->error_file, "%s",
                 candidate->source->file);
    candidate->twin[0] = '\0';
}

/* What is wrong with it is only that the name was taken, and now it is not. */
static void forgive_twin(struct pt_candidate *candidate)
{
    candidate->failed = false;
    candidate->message[0] = candidate->error_file[0] = candidate->twin[0] = '\0';
    candidate->error_line = 0;
}

/* Two that want one name: the later folder's where that is said, else the one that has it until
 * now, else the first. */
static void settle_name(struct pt_candidate *holder, struct pt_candidate *other, const char *name,
                        bool override)
{
    bool later = other->source->rank > holder->source->rank;
    if (override && other->source->rank != holder->source->rank && !holder->source->extra) {
        (later ? holder : other)->overridden = true;
        if (later && other->twin[0]) forgive_twin(other);
        other->twin[0] = '\0';
        return;
    }
    if (had_name(other, name) && !had_name(holder, name) && !holder->source->extra) {
        lose_name(holder, other, name);
        if (other->twin[0]) forgive_twin(other);
        return;
    }
    lose_name(other, holder, name);
}

/* True: something was settled. */
static bool settle_names(struct pt_registry *registry, const struct pt_conf *conf)
{
    char name[PT_SCRIPT_NAME_MAX];
    bool any = false;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        if (!wanted_name(candidate, name)) continue;
        struct pt_candidate *holder = pt_registry_find(registry, name);
        if (!holder || holder == candidate) continue;
        settle_name(holder, candidate, name, may_override(conf, name));
        any = true;
    }
    return any;
}

/* ---- falling back -------------------------------------------------------------------------- */

/* True: some did, of those that failed for their own sake or for another's. */
static bool fall_back_all(struct pt_registry *registry, bool related)
{
    bool any = false;
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        if (candidate->failed && candidate->related == related)
            any = pt_registry_fall_back(registry, candidate) || any;
    }
    return any;
}

static bool blame_libs(struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        const struct pt_candidate *candidate = &registry->v[i];
        if (candidate->failed && !candidate->related && candidate->last.text &&
            pt_registry_libs_back(registry, candidate))
            return true;
    }
    return false;
}

static void forgive_related(struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        struct pt_candidate *candidate = &registry->v[i];
        if (!candidate->related) continue;
        candidate->failed = candidate->related = false;
        if (!candidate->previous) candidate->message[0] = '\0';
    }
}

/* One that has its name back was refused by the worker before it could say more. */
static bool all_declared(const struct pt_registry *registry)
{
    for (size_t i = 0; i < registry->n; i++) {
        const struct pt_candidate *candidate = &registry->v[i];
        if (candidate->last_declaration && !candidate->failed && !candidate->overridden &&
            !candidate->declaration)
            return false;
    }
    return true;
}

enum pt_code pt_registry_check(struct pt_registry *registry, const struct pt_conf *conf,
                               bool *again, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *again = false;
    forgive_related(registry);
    for (;;) {
        bool back = fall_back_all(registry, false);
        *again = *again || back;
        if (!back && blame_libs(registry)) {
            *again = true; /* what they declare now is not known */
            return PT_OK;
        }
        if (settle_names(registry, conf)) {
            *again = true;
            if (!all_declared(registry)) { /* what one that got its name back declares */
                fall_back_all(registry, false);
                return PT_OK;
            }
            continue;
        }
        rc = judge_needs(registry, err);
        if (rc != PT_OK || !fall_back_all(registry, true)) return rc;
        *again = true;
        forgive_related(registry);
    }
}
