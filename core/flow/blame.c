/* blame.c - who answers for a script that fails on a stored window.            [layer: flow]
 *
 * A script that is another version answers for itself. One that is the same as it was, but needs
 * what changed, was good before and is not to blame: the nearest changed script that it needs
 * answers, one at a time, in the order it needs them. That one falls back, all is tried again, and
 * if it was not that one, the next answers. Where no text changed but parameters did, it is the
 * configuration's mistake, which refuses the whole. A script that failed before, as its newest
 * stored result of that window says, proves nothing. */
#include "flow/plan.h"
#include "flow/pool_internal.h"
#include "flow/result.h"

#include "base/timefmt.h"

#include <stdlib.h>
#include <string.h>

/* ---- was it good before? ------------------------------------------------------------------- */

struct newest {
    bool failed;
};

static bool take_newest(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    struct newest *newest = arg;
    (void)key;
    (void)key_len;
    newest->failed = pt_result_failed(view);
    return false;
}

/* The newest result that is stored of this script there is a failure. One without a result, or one
 * that cannot be read, is taken for good: what changed has to prove itself. */
static bool failed_before(const struct pt_pool *pool, const struct pt_failure *failure)
{
    struct pt_read *read = NULL;
    struct newest newest = { .failed = false };
    char collection[PT_COLLECTION_MAX];
    uint8_t from[16], to[16];
    if (!pool->opts.handle || pt_read_begin(pool->opts.handle, &read, NULL) != PT_OK) return false;
    pt_result_collection(failure->symbol, failure->name, collection);
    pt_result_key(failure->period_us, 0, from);
    pt_result_key(failure->period_us, INT64_MAX, to);
    pt_docs_scan(read, collection, from, sizeof from, to, sizeof to, true, take_newest, &newest,
                 NULL);
    pt_read_end(read);
    return newest.failed;
}

/* ---- who changed --------------------------------------------------------------------------- */

bool pt_shadow_other_text(const struct pt_scripts *live, const struct pt_script *script)
{
    const struct pt_script *was = pt_scripts_find(live, script->name);
    return !was || strcmp(was->source->hash, script->source->hash) != 0;
}

static bool other_params(const struct pt_scripts *live, const struct pt_script *script)
{
    const struct pt_script *was = pt_scripts_find(live, script->name);
    return was && !pt_plan_same_params(was->configured, script->configured);
}

/* Scripts that one needs, nearest first; each once. */
struct line_up {
    const struct pt_scripts *scripts;
    uint8_t *seen; /* [scripts->n] */
    size_t n;
    size_t *v; /* [scripts->n] */
};

static void line_up(void *arg, const char *name)
{
    struct line_up *line = arg;
    const struct pt_script *script = pt_scripts_find(line->scripts, name);
    size_t at = script ? (size_t)(script - line->scripts->v) : 0;
    if (!script || line->seen[at]) return;
    line->seen[at] = 1;
    line->v[line->n++] = at;
}

/* The script itself or the nearest it needs for which `changed` holds; NULL: none, or no memory. */
static const struct pt_script *
nearest(const struct pt_scripts *scripts, const struct pt_scripts *live, const char *name,
        bool (*changed)(const struct pt_scripts *, const struct pt_script *))
{
    const struct pt_script *found = NULL;
    struct line_up line = { .scripts = scripts };
    line.seen = calloc(scripts->n + 1, sizeof *line.seen);
    line.v = calloc(scripts->n + 1, sizeof *line.v);
    if (line.seen && line.v) {
        line_up(&line, name);
        for (size_t i = 0; i < line.n && !found; i++) {
            const struct pt_script *script = &scripts->v[line.v[i]];
            if (changed(live, script)) found = script;
            pt_needs_each(script->declaration, line_up, &line);
        }
    }
    free(line.seen);
    free(line.v);
    return found;
}

/* ---- the verdict --------------------------------------------------------------------------- */

/* "BTCUSDT 1h" */
static void print_place(const struct pt_failure *failure, char *out, size_t room)
{
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(failure->period_us, period);
    snprintf(out, room, "%s %s", *failure->symbol ? failure->symbol : "the market", period);
}

static const char *message_of(const struct pt_failure *failure)
{
    const char *text = failure->words;
    if (failure->doc) pt_doc_text(failure->doc, "metadata.error.message", &text);
    return text ? text : "failed without words";
}

static void blame_itself(struct pt_candidate *candidate, const struct pt_failure *failure,
                         const char *where)
{
    if (failure->doc)
        pt_registry_blame(candidate, failure->doc, "metadata.error");
    else
        pt_registry_fail(candidate, "tried on %s, %s", where, failure->words);
}

enum pt_blame pt_shadow_blame(struct pt_pool *pool, struct pt_set *set,
                              const struct pt_failure *failure, struct pt_err *err)
{
    const struct pt_scripts *scripts = set->shadow.scripts, *live = pool->active->scripts;
    const struct pt_script *failed = pt_scripts_find(scripts, failure->name);
    char where[PT_SYMBOL_MAX + PT_PERIOD_TEXT_MAX + 2];
    print_place(failure, where, sizeof where);
    if (!failed) return PT_BLAME_NOBODY;
    bool itself = pt_shadow_other_text(live, failed);
    if (!itself && failed_before(pool, failure)) return PT_BLAME_NOBODY;
    const struct pt_script *guilty = nearest(scripts, live, failure->name, pt_shadow_other_text);
    if (guilty) {
        struct pt_candidate *candidate = pt_registry_find(&set->registry, guilty->name);
        if (candidate && itself)
            blame_itself(candidate, failure, where);
        else if (candidate) /* else it failed in this very unit, and has said why */
            pt_registry_fail(candidate, "'%s', which needs it, fails with it on %s: %s",
                             failure->name, where, message_of(failure));
        return PT_BLAME_SCRIPT;
    }
    guilty = nearest(scripts, live, failure->name, other_params);
    if (!guilty) return PT_BLAME_NOBODY;
    pt_fail(err, PT_EINVAL, "[%s %s]: with these parameters '%s' fails on %s: %s", guilty->kind,
            guilty->name, failure->name, where, message_of(failure));
    return PT_BLAME_CONFIG;
}
