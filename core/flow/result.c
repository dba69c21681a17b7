/* result.c - result documents that the engine makes itself.                    [layer: flow] */
#include "flow/result.h"

#include "flow/params.h"

#include <stdio.h>
#include <string.h>

void pt_result_collection(const char *symbol, const char *name, char out[PT_COLLECTION_MAX])
{
    snprintf(out, PT_COLLECTION_MAX, "analytics_%s%s%s", symbol, *symbol ? "_" : "", name);
}

bool pt_result_failed(const bson_t *doc)
{
    const char *status;
    return !pt_doc_text(doc, "status", &status) || strcmp(status, "error") == 0 ||
           strcmp(status, "quarantined") == 0;
}

bool pt_result_as_of(const bson_t *doc, int64_t *as_of_us)
{
    bson_iter_t iter;
    if (!bson_iter_init_find(&iter, doc, "as_of") || !BSON_ITER_HOLDS_DATE_TIME(&iter))
        return false;
    *as_of_us = bson_iter_date_time(&iter) * 1000;
    return true;
}

/* Each declared output as null; in `reasons` each with its word. */
static void append_outputs(const bson_t *declaration, const char *word, bson_t *out)
{
    bson_t list;
    bson_iter_t iter, child;
    if (!pt_doc_child(declaration, "outputs", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        if (!bson_iter_recurse(&iter, &child) || !bson_iter_find(&child, "name") ||
            !BSON_ITER_HOLDS_UTF8(&child))
            continue;
        const char *name = bson_iter_utf8(&child, NULL);
        if (word)
            bson_append_utf8(out, name, -1, word, -1);
        else
            bson_append_null(out, name, -1);
    }
}

static void append_text(bson_t *out, const char *key, const bson_t *declaration, const char *path)
{
    const char *text;
    if (pt_doc_text(declaration, path, &text))
        bson_append_utf8(out, key, -1, text, -1);
    else
        bson_append_null(out, key, -1);
}

/* A number of either type. */
static bool number_of(const bson_t *doc, const char *key, double *v)
{
    int64_t whole;
    if (pt_doc_double(doc, key, v)) return true;
    if (!pt_doc_int(doc, key, &whole)) return false;
    *v = (double)whole;
    return true;
}

/* Of a parameter that says how many days, when it is above 0. */
static bool window_of_days(const struct pt_script *script, const bson_t *params,
                           char room[PT_PERIOD_TEXT_MAX])
{
    const char *name;
    bson_t entry;
    double days;
    if (!pt_doc_text(script->declaration, "needs.candles.days", &name) ||
        !pt_param_find(script->declaration, name, &entry))
        return false;
    if (!(params && number_of(params, name, &days)) && !number_of(&entry, "default", &days))
        return false;
    int64_t us = (int64_t)(days * (double)PT_US_DAY);
    if (us > 0) pt_span_print_days(us, room);
    return us > 0;
}

void pt_script_window(const struct pt_script *script, const bson_t *params,
                      char room[PT_PERIOD_TEXT_MAX], const char **window)
{
    bson_t entry;
    if (window_of_days(script, params, room)) {
        *window = room;
        return;
    }
    if (pt_doc_text(script->declaration, "needs.books.span", window) ||
        pt_doc_text(script->declaration, "needs.candles.span", window))
        return;
    if (!pt_doc_text(script->declaration, "needs.market.span", window)) return;
    const char *name = *window; /* or the span itself */
    if (!pt_param_find(script->declaration, name, &entry)) return;
    if (!params || !pt_doc_text(params, name, window)) pt_doc_text(&entry, "default", window);
}

static void append_window(const struct pt_script *script, const bson_t *params, bson_t *out)
{
    const char *window = NULL;
    char room[PT_PERIOD_TEXT_MAX];
    pt_script_window(script, params, room, &window);
    if (window)
        bson_append_utf8(out, "window", -1, window, -1);
    else
        bson_append_null(out, "window", -1);
}

static void append_metadata(const struct pt_result_error *error, bson_t *metadata)
{
    static const char *const unknown[] = { "completeness", "rows",    "expected",
                                           "gaps",         "missing", NULL };
    const struct pt_script *script = error->script;
    bson_t child;
    if (script) {
        append_text(metadata, "method", script->declaration, "method");
        append_text(metadata, "method_version", script->declaration, "method_version");
        append_window(script, error->params, metadata);
        bson_append_document_begin(metadata, "parameters", -1, &child);
        pt_param_all(script->declaration, NULL, error->params, &child);
        bson_append_document_end(metadata, &child);
    }
    for (const char *const *key = unknown; *key; key++) bson_append_null(metadata, *key, -1);
    bson_append_document_begin(metadata, "reasons", -1, &child);
    if (script)
        append_outputs(script->declaration,
                       strcmp(error->status, "quarantined") == 0 ? "script_quarantined"
                                                                 : "script_failed",
                       &child);
    bson_append_document_end(metadata, &child);
    bson_append_date_time(metadata, "computed_at", -1, error->now_us / 1000);
    if (script) {
        bson_append_utf8(metadata, "script", -1, script->source->file, -1);
        bson_append_utf8(metadata, "script_hash", -1, script->source->hash, -1);
    }
    bson_append_document_begin(metadata, "error", -1, &child);
    bson_append_utf8(&child, "message", -1, error->message, -1);
    if (script) bson_append_utf8(&child, "file", -1, script->source->file, -1);
    bson_append_document_end(metadata, &child);
}

bson_t *pt_result_error(const struct pt_result_error *error)
{
    bson_t *doc = bson_new(), child;
    char period[PT_PERIOD_TEXT_MAX];
    pt_period_print(error->period_us, period);
    bson_append_utf8(doc, "symbol", -1, error->symbol, -1);
    bson_append_utf8(doc, "timeframe", -1, period, -1);
    bson_append_utf8(doc, "metric", -1, error->name, -1);
    if (error->as_of_us == INT64_MAX)
        bson_append_null(doc, "as_of", -1);
    else
        bson_append_date_time(doc, "as_of", -1, error->as_of_us / 1000);
    bson_append_utf8(doc, "status", -1, error->status, -1);
    bson_append_document_begin(doc, "data", -1, &child);
    if (error->script) append_outputs(error->script->declaration, NULL, &child);
    bson_append_document_end(doc, &child);
    bson_append_document_begin(doc, "metadata", -1, &child);
    append_metadata(error, &child);
    bson_append_document_end(doc, &child);
    return doc;
}
