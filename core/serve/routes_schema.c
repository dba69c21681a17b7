/* routes_schema.c - /catalog/schemas/{id}: the fields of a dataset. [layer: serve] */
#include "base/decimal.h"
#include "serve/list.h"
#include "serve/routes_catalog.h"

#include <stdio.h>
#include <string.h>

#define ID_MAX_BYTES 128

const char *pt_schema_id(enum pt_kind_id kind)
{
    static const char *const ids[PT_KINDS] = {
        [PT_CANDLES] = "candle_schema_v1", [PT_TRADES] = "trade_schema_v1",
        [PT_DEPTH] = "depth_schema_v1",    [PT_FUNDING] = "funding_schema_v1",
        [PT_TICKERS] = "ticker_schema_v1", [PT_MARKS] = "mark_schema_v1",
    };
    return ids[kind];
}

static void write_field(struct pt_json *json, const char *name, const char *type, const char *unit,
                        const char *about, bool required)
{
    pt_json_object(json);
    pt_json_kv_text(json, "name", name);
    pt_json_kv_text(json, "type", type);
    pt_json_kv_text(json, "unit", unit);
    pt_json_kv_text(json, "description", about);
    pt_json_kv_bool(json, "required", required);
    pt_json_kv_bool(json, "nullable", !required);
    pt_json_object_end(json);
}

static void write_kind(const struct pt_kind *kind, struct pt_json *json)
{
    static const char *const types[] = { [PT_TYPE_TIME] = "timestamp",
                                         [PT_TYPE_INT] = "integer",
                                         [PT_TYPE_DEC] = "decimal",
                                         [PT_TYPE_ENUM] = "enum",
                                         [PT_TYPE_BOOL] = "boolean" };
    pt_json_kv_text(json, "schema_id", pt_schema_id(kind->id));
    pt_json_kv_text(json, "version", "1");
    pt_json_key(json, "fields");
    pt_json_array(json);
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *col = &kind->cols[c];
        char type[32];
        snprintf(type, sizeof type, col->width > 1 ? "%s[%u]" : "%s", types[col->type], col->width);
        write_field(json, col->name, type, col->unit, col->about, col->required);
    }
    pt_json_array_end(json);
    pt_json_key(json, "primary_keys");
    pt_json_array(json);
    for (unsigned c = 0; c < kind->keys; c++) pt_json_text(json, kind->cols[c].name);
    pt_json_array_end(json);
    pt_json_kv_null(json, "created_at"); /* part of the program */
}

static const char *text_in(const bson_t *doc, const char *key, const char *fallback)
{
    const char *text;
    return pt_doc_text(doc, key, &text) ? text : fallback;
}

static void write_outputs(const bson_t *declaration, struct pt_json *json)
{
    bson_t list, output;
    bson_iter_t iter;
    if (!pt_doc_child(declaration, "outputs", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        uint32_t len;
        const uint8_t *bytes;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &bytes);
        if (!bson_init_static(&output, bytes, len)) continue;
        const char *type = text_in(&output, "type", "number");
        if (strcmp(type, "number") == 0) type = "decimal";
        if (strcmp(type, "int") == 0) type = "integer";
        write_field(json, text_in(&output, "name", ""), type, text_in(&output, "unit", "none"),
                    text_in(&output, "about", NULL), false);
    }
}

static void write_script(const struct pt_script *script, int64_t loaded_us, struct pt_json *json)
{
    char id[ID_MAX_BYTES];
    snprintf(id, sizeof id, "%s_schema", script->name);
    pt_json_kv_text(json, "schema_id", id);
    pt_json_kv_text(json, "version", text_in(script->declaration, "method_version", NULL));
    pt_json_key(json, "fields");
    pt_json_array(json);
    write_field(json, "timeframe", "text", "none", "length of a bar", true);
    write_field(json, "as_of", "timestamp", "us",
                pt_script_books(script, NULL, NULL) ? "time of the newest order book, in whole ms"
                                                    : "close of the last bar of the window",
                true);
    write_field(json, "status", "text", "none",
                "ok, gap, warming or error; of a reply also stale or empty; quarantined while the "
                "script is",
                true);
    write_outputs(script->declaration, json);
    pt_json_array_end(json);
    pt_json_key(json, "primary_keys");
    pt_json_array(json);
    pt_json_text(json, "timeframe");
    pt_json_text(json, "as_of");
    pt_json_array_end(json);
    pt_list_time(json, "created_at", loaded_us);
}

/* By schema_id: one of the kinds, or "NAME_schema" of a live script. */
static const struct pt_kind *kind_of(const char *id)
{
    for (int k = 0; k < PT_KINDS; k++) {
        if (strcmp(pt_schema_id((enum pt_kind_id)k), id) == 0) return pt_kind((enum pt_kind_id)k);
    }
    return NULL;
}

static const struct pt_script *script_of(const struct pt_scripts *scripts, const char *id)
{
    static const char suffix[] = "_schema";
    char name[PT_SCRIPT_NAME_MAX];
    size_t len = strlen(id), tail = sizeof suffix - 1;
    if (scripts == NULL || len <= tail || len - tail >= sizeof name ||
        strcmp(id + len - tail, suffix) != 0)
        return NULL;
    memcpy(name, id, len - tail);
    name[len - tail] = '\0';
    return pt_scripts_find(scripts, name);
}

void pt_handle_schema(struct pt_request *request)
{
    const struct pt_scripts *scripts = request->thread->scripts;
    const struct pt_kind *kind = kind_of(request->arg);
    const struct pt_script *script = script_of(scripts, request->arg);
    struct pt_buf out = { 0 };
    struct pt_json json;
    if (kind == NULL && script == NULL) {
        const struct pt_dataset *dataset = pt_catalog_get(request);
        if (dataset == NULL) return;
        if (!pt_dataset_is_results(dataset)) kind = pt_kind(dataset->series.key.kind);
        if (pt_dataset_is_results(dataset) && scripts != NULL)
            script = pt_scripts_find(scripts, dataset->metric);
        if (kind == NULL && script == NULL) {
            pt_reply_problem(request, 404, "the script %s, which says what %s holds, is not loaded",
                             dataset->metric, dataset->id);
            return;
        }
    }
    pt_json_init(&json, &out);
    pt_json_object(&json);
    if (kind != NULL)
        write_kind(kind, &json);
    else
        write_script(script, scripts->loaded_us, &json);
    pt_json_object_end(&json);
    pt_catalog_reply(request, &out, 0);
}
