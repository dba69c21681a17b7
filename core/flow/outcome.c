/* outcome.c - what came of a reload, said once.                                [layer: flow] */
#include "flow/outcome.h"

#include "base/log.h"
#include "data/matrix.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void pt_outcome_fini(struct pt_outcome *outcome)
{
    pt_scripts_unref(outcome->before);
    pt_scripts_unref(outcome->after);
    bson_destroy(outcome->changed); /* accepts NULL, as the others do */
    bson_destroy(outcome->restart);
    bson_destroy(outcome->unused);
    bson_destroy(outcome->feeds);
    bson_destroy(outcome->differences);
    *outcome = (struct pt_outcome){ 0 };
}

/* The key of the next element of an array that is made when it is first needed. */
static const char *next_key(bson_t **list, char key[24])
{
    if (!*list) *list = bson_new();
    snprintf(key, 24, "%u", bson_count_keys(*list));
    return key;
}

static bool has_text(const bson_t *list, const char *text)
{
    bson_iter_t iter;
    if (!bson_iter_init(&iter, list)) return false;
    while (bson_iter_next(&iter))
        if (strcmp(bson_iter_utf8(&iter, NULL), text) == 0) return true;
    return false;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static const char *verdict(const struct pt_scripts *before, const struct pt_script *script)
{
    if (script->status != PT_SCRIPT_LIVE) return pt_script_status_text(script->status);
    const struct pt_script *was = before ? pt_scripts_named(before, script->name) : NULL;
    if (!was) return "added";
    return strcmp(was->source->hash, script->source->hash) == 0 ? "live" : "changed";
}

static bool fails(const struct pt_script *script)
{
    return script->status == PT_SCRIPT_FAILED || script->status == PT_SCRIPT_PREVIOUS;
}

static size_t count_fails(const struct pt_scripts *scripts)
{
    size_t n = 0;
    for (size_t i = 0; scripts && i < scripts->n; i++) n += fails(&scripts->v[i]);
    return n + (scripts && scripts->libs_message[0]);
}

bool pt_outcome_ok(const struct pt_outcome *outcome)
{
    return outcome->err.code == PT_OK && !outcome->feed_failed && count_fails(outcome->after) == 0;
}

/* ---- configuration, feeds ------------------------------------------------------------------ */

struct keys {
    bson_t **list;
    bool live;
};

static void note_key(void *arg, const char *section, const char *name, const char *key, bool live)
{
    const struct keys *keys = arg;
    char text[200], at[24];
    if (live != keys->live) return;
    snprintf(text, sizeof text, "%s%s%s.%s", section, name ? " " : "", name ? name : "", key);
    bson_append_utf8(*keys->list, next_key(keys->list, at), -1, text, -1);
}

void pt_outcome_config(struct pt_outcome *outcome, const struct pt_conf *started,
                       const struct pt_conf *before, const struct pt_conf *after)
{
    struct keys changed = { &outcome->changed, true }, restart = { &outcome->restart, false };
    char at[24];
    next_key(&outcome->changed, at);
    next_key(&outcome->restart, at);
    pt_conf_differences(before, after, note_key, &changed);
    pt_conf_differences(started, after, note_key, &restart);
}

static bool note_unused(void *arg, const char *kind, const char *name, const char *key,
                        const char *value, const char *source)
{
    struct pt_outcome *outcome = arg;
    char text[200], at[24];
    (void)key;
    (void)value;
    (void)source;
    if (pt_scripts_named(outcome->after, name)) return true;
    snprintf(text, sizeof text, "%s %s", kind, name);
    next_key(&outcome->unused, at);
    if (!has_text(outcome->unused, text)) bson_append_utf8(outcome->unused, at, -1, text, -1);
    return true;
}

void pt_outcome_unused(struct pt_outcome *outcome, const struct pt_conf *after)
{
    for (const char *const *kind = pt_script_kinds; *kind; kind++)
        pt_conf_each_named(after, *kind, note_unused, outcome);
}

void pt_outcome_feed(struct pt_outcome *outcome, const char *name, const char *action,
                     const struct pt_err *err)
{
    bson_t item;
    char at[24];
    next_key(&outcome->feeds, at);
    bson_append_document_begin(outcome->feeds, at, -1, &item);
    bson_append_utf8(&item, "name", -1, name, -1);
    bson_append_utf8(&item, "action", -1, action, -1);
    if (err)
        bson_append_utf8(&item, "error", -1, err->text, -1);
    else
        bson_append_null(&item, "error", -1);
    bson_append_document_end(outcome->feeds, &item);
    outcome->feed_failed = outcome->feed_failed || err;
}

/* ---- differences --------------------------------------------------------------------------- */

static bool same_value(const bson_iter_t *a, const bson_iter_t *b)
{
    bson_t x = BSON_INITIALIZER, y = BSON_INITIALIZER;
    bson_append_iter(&x, "v", -1, a);
    bson_append_iter(&y, "v", -1, b);
    bool same = bson_equal(&x, &y);
    bson_destroy(&x);
    bson_destroy(&y);
    return same;
}

/* A matrix may have a megabyte: it is told as a whole. */
static void append_value(bson_t *item, const char *key, const bson_iter_t *value)
{
    struct pt_matrix matrix;
    char text[48];
    if (value && pt_matrix_view(value, &matrix)) {
        snprintf(text, sizeof text, "matrix of %zu symbols", matrix.n);
        bson_append_utf8(item, key, -1, text, -1);
    } else if (value)
        bson_append_iter(item, key, -1, value);
    else
        bson_append_null(item, key, -1);
}

struct compared {
    struct pt_outcome *outcome;
    const bson_t *result;
};

static void add_difference(const struct compared *compared, const char *path,
                           const bson_iter_t *old, const bson_iter_t *changed)
{
    static const char *const copied[][2] = { { "metric", "script" },
                                             { "symbol", "symbol" },
                                             { "timeframe", "period" },
                                             { "as_of", "as_of" } };
    struct pt_outcome *outcome = compared->outcome;
    bson_iter_t iter;
    bson_t item;
    char at[24];
    if (++outcome->total > PT_DIFFERENCES_MAX) return;
    next_key(&outcome->differences, at);
    bson_append_document_begin(outcome->differences, at, -1, &item);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        append_value(&item, copied[i][1],
                     bson_iter_init_find(&iter, compared->result, copied[i][0]) ? &iter : NULL);
    bson_append_utf8(&item, "output", -1, path, -1);
    append_value(&item, "old", old);
    append_value(&item, "new", changed);
    bson_append_document_end(outcome->differences, &item);
}

static void compare(const struct compared *compared, const char *path, const bson_t *old,
                    const bson_t *changed);

static void compare_value(const struct compared *compared, const char *path, const bson_iter_t *old,
                          const bson_iter_t *changed)
{
    bson_t a, b;
    uint32_t len;
    const uint8_t *bytes;
    if (BSON_ITER_HOLDS_DOCUMENT(old) && BSON_ITER_HOLDS_DOCUMENT(changed)) {
        bson_iter_document(old, &len, &bytes);
        bool good = bson_init_static(&a, bytes, len);
        bson_iter_document(changed, &len, &bytes);
        if (good && bson_init_static(&b, bytes, len)) compare(compared, path, &a, &b);
    } else if (!same_value(old, changed)) {
        add_difference(compared, path, old, changed);
    }
}

/* What either of two documents holds; paths have dots. */
static void compare(const struct compared *compared, const char *path, const bson_t *old,
                    const bson_t *changed)
{
    bson_iter_t iter, other;
    char here[256];
    const char *dot = *path ? "." : "";
    bson_iter_init(&iter, old);
    while (bson_iter_next(&iter)) {
        snprintf(here, sizeof here, "%s%s%s", path, dot, bson_iter_key(&iter));
        if (bson_iter_init_find(&other, changed, bson_iter_key(&iter)))
            compare_value(compared, here, &iter, &other);
        else
            add_difference(compared, here, &iter, NULL);
    }
    bson_iter_init(&iter, changed);
    while (bson_iter_next(&iter)) {
        if (bson_has_field(old, bson_iter_key(&iter))) continue;
        snprintf(here, sizeof here, "%s%s%s", path, dot, bson_iter_key(&iter));
        add_difference(compared, here, NULL, &iter);
    }
}

void pt_outcome_compare(struct pt_outcome *outcome, const bson_t *old, const bson_t *changed)
{
    const struct compared compared = { outcome, changed };
    bson_iter_t a, b;
    bson_t x, y;
    outcome->windows++;
    if (bson_iter_init_find(&a, old, "status") && bson_iter_init_find(&b, changed, "status"))
        compare_value(&compared, "status", &a, &b);
    if (pt_doc_child(old, "data", &x) && pt_doc_child(changed, "data", &y))
        compare(&compared, "", &x, &y);
}

/* ---- the document -------------------------------------------------------------------------- */

static void append_verdict(bson_t *list, const struct pt_script *script, const char *word)
{
    bson_t item;
    char at[24];
    snprintf(at, sizeof at, "%u", bson_count_keys(list));
    bool wrong = script->message[0] && strcmp(word, "removed") != 0;
    bson_append_document_begin(list, at, -1, &item);
    bson_append_utf8(&item, "name", -1, script->name, -1);
    bson_append_utf8(&item, "kind", -1, script->kind, -1);
    bson_append_utf8(&item, "verdict", -1, word, -1);
    bson_append_utf8(&item, "file", -1, wrong ? script->error_file : script->source->file, -1);
    bson_append_utf8(&item, "hash", -1, script->source->hash, -1);
    if (wrong && script->error_line > 0)
        bson_append_int64(&item, "line", -1, script->error_line);
    else
        bson_append_null(&item, "line", -1);
    if (wrong)
        bson_append_utf8(&item, "message", -1, script->message, -1);
    else
        bson_append_null(&item, "message", -1);
    bson_append_document_end(list, &item);
}

static void append_libs(bson_t *list, const struct pt_scripts *scripts)
{
    bson_t item;
    char at[24];
    snprintf(at, sizeof at, "%u", bson_count_keys(list));
    bson_append_document_begin(list, at, -1, &item);
    bson_append_utf8(&item, "name", -1, "lib", -1);
    bson_append_utf8(&item, "kind", -1, "lib", -1);
    bson_append_utf8(&item, "verdict", -1, "previous", -1);
    bson_append_utf8(&item, "file", -1, scripts->libs_file, -1);
    bson_append_null(&item, "hash", -1);
    bson_append_int64(&item, "line", -1, scripts->libs_line);
    bson_append_utf8(&item, "message", -1, scripts->libs_message, -1);
    bson_append_document_end(list, &item);
}

static void append_verdicts(const struct pt_outcome *outcome, bson_t *doc)
{
    const struct pt_scripts *before = outcome->before, *after = outcome->after;
    bson_t list;
    bson_append_array_begin(doc, "scripts", -1, &list);
    for (size_t i = 0; after && i < after->n; i++)
        append_verdict(&list, &after->v[i], verdict(before, &after->v[i]));
    for (size_t i = 0; after && before && i < before->n; i++)
        if (!pt_scripts_named(after, before->v[i].name))
            append_verdict(&list, &before->v[i], "removed");
    if (after && after->libs_message[0]) append_libs(&list, after);
    bson_append_array_end(doc, &list);
}

static void append_list(bson_t *doc, const char *key, const bson_t *list)
{
    bson_t empty = BSON_INITIALIZER;
    bson_append_array(doc, key, -1, list ? list : &empty);
    bson_destroy(&empty);
}

bson_t *pt_outcome_doc(const struct pt_outcome *outcome)
{
    bson_t *doc = bson_new(), config;
    bson_append_int64(doc, "generation", -1, (int64_t)outcome->generation);
    bson_append_bool(doc, "ok", -1, pt_outcome_ok(outcome));
    bson_append_bool(doc, "diff", -1, outcome->diff);
    bson_append_date_time(doc, "started_at", -1, outcome->started_us / 1000);
    bson_append_int64(doc, "duration_us", -1, outcome->duration_us);
    if (outcome->err.code != PT_OK)
        bson_append_utf8(doc, "error", -1, outcome->err.text, -1);
    else
        bson_append_null(doc, "error", -1);
    append_verdicts(outcome, doc);
    bson_append_document_begin(doc, "config", -1, &config);
    append_list(&config, "changed", outcome->changed);
    append_list(&config, "restart", outcome->restart);
    append_list(&config, "unused", outcome->unused);
    bson_append_document_end(doc, &config);
    append_list(doc, "feeds", outcome->feeds);
    append_list(doc, "differences", outcome->differences);
    bson_append_int64(doc, "differences_total", -1, (int64_t)outcome->total);
    bson_append_int64(doc, "windows_tried", -1, (int64_t)outcome->windows);
    return doc;
}

/* Each failure was logged with file and line when the set went live. */
void pt_outcome_log(const struct pt_outcome *outcome)
{
    static const char *const words[] = { "live",     "changed", "added",
                                         "previous", "failed",  "quarantined" };
    size_t counts[sizeof words / sizeof *words] = { 0 }, removed = 0;
    const struct pt_scripts *before = outcome->before, *after = outcome->after;
    if (outcome->err.code != PT_OK) {
        pt_log(PT_ERROR, "reload", "refused", "generation=%" PRIu64 " error=\"%s\"",
               outcome->generation, outcome->err.text);
        return;
    }
    for (size_t i = 0; after && i < after->n; i++)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            counts[k] += strcmp(words[k], verdict(before, &after->v[i])) == 0;
    for (size_t i = 0; after && before && i < before->n; i++)
        removed += !pt_scripts_named(after, before->v[i].name);
    pt_log(PT_INFO, "reload",
           outcome->diff            ? "tried"
           : pt_outcome_ok(outcome) ? "done"
                                    : "partly",
           "generation=%" PRIu64 " live=%zu changed=%zu added=%zu removed=%zu previous=%zu "
           "failed=%zu quarantined=%zu config_changed=%u needs_restart=%u ms=%" PRId64,
           outcome->generation, counts[0], counts[1], counts[2], removed, counts[3], counts[4],
           counts[5], outcome->changed ? bson_count_keys(outcome->changed) : 0,
           outcome->restart ? bson_count_keys(outcome->restart) : 0, outcome->duration_us / 1000);
}
