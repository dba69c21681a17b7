/* result_schema.c - what replies of /analysis/NAME look like, as JSON Schema. [layer: serve] */
#include "serve/result_schema.h"

#include "serve/results.h"

#include <stdio.h>
#include <string.h>

/* ---- pieces -------------------------------------------------------------------------------------
 */

const char *pt_schema_text(const bson_t *doc, const char *key, const char *fallback)
{
    const char *text;
    return pt_doc_text(doc, key, &text) ? text : fallback;
}

void pt_schema_describe(const bson_t *entry, struct pt_json *json)
{
    char text[512], bounds[80] = "";
    const char *unit = pt_schema_text(entry, "unit", "none");
    const char *least = pt_schema_text(entry, "min", NULL),
               *most = pt_schema_text(entry, "max", NULL);
    if (least != NULL || most != NULL) /* of a span; other bounds are numbers, and in the schema */
        snprintf(bounds, sizeof bounds, "; %s%s%s%s%s", least != NULL ? "at least " : "",
                 least != NULL ? least : "", least != NULL && most != NULL ? ", " : "",
                 most != NULL ? "at most " : "", most != NULL ? most : "");
    snprintf(text, sizeof text, "%s%s%s%s", pt_schema_text(entry, "about", ""),
             strcmp(unit, "none") == 0 ? "" : "; unit: ", strcmp(unit, "none") == 0 ? "" : unit,
             bounds);
    pt_json_kv_text(json, "description", text);
}

const char *pt_schema_type(const char *type)
{
    if (strcmp(type, "int") == 0) return "integer";
    if (strcmp(type, "number") == 0) return "number";
    if (strcmp(type, "bool") == 0) return "boolean";
    return "string";
}

/* "type": what it is, or null. */
static void write_nullable(struct pt_json *json, const char *type)
{
    pt_json_key(json, "type");
    pt_json_array(json);
    pt_json_text(json, type);
    pt_json_text(json, "null");
    pt_json_array_end(json);
}

/* A member that is described in one line. nullable: it may be null as well. */
static void write_member(struct pt_json *json, const char *key, const char *type, bool nullable,
                         const char *about)
{
    pt_json_key(json, key);
    pt_json_object(json);
    if (nullable)
        write_nullable(json, type);
    else
        pt_json_kv_text(json, "type", type);
    if (about != NULL) pt_json_kv_text(json, "description", about);
    pt_json_object_end(json);
}

/* ---- outputs ------------------------------------------------------------------------------------
 */

/* A number under `key`: decimals are texts, counts are whole. */
static void write_number(struct pt_json *json, const char *key, bool count)
{
    pt_json_key(json, key);
    pt_json_object(json);
    write_nullable(json, count ? "integer" : "string");
    if (!count) pt_json_kv_text(json, "pattern", PT_SCHEMA_DECIMAL);
    pt_json_object_end(json);
}

static void write_output(const bson_t *entry, struct pt_json *json);

static void write_fields(const bson_t *fields, struct pt_json *json)
{
    bson_t field;
    bson_iter_t iter;
    pt_json_key(json, "properties");
    pt_json_object(json);
    if (bson_iter_init(&iter, fields)) {
        while (pt_doc_next(&iter, &field)) write_output(&field, json);
    }
    pt_json_object_end(json);
}

/* Members of a map: by symbol, or by the keys that are declared. */
static void write_map(const bson_t *entry, struct pt_json *json)
{
    bson_t fields;
    bson_iter_t keys;
    if (bson_iter_init_find(&keys, entry, "keys") && BSON_ITER_HOLDS_ARRAY(&keys)) {
        pt_json_key(json, "propertyNames");
        pt_json_object(json);
        pt_json_key(json, "enum");
        pt_doc_json_value(&keys, json);
        pt_json_object_end(json);
    }
    if (!pt_doc_child(entry, "fields", &fields)) {
        write_number(json, "additionalProperties", false);
        return;
    }
    pt_json_key(json, "additionalProperties");
    pt_json_object(json);
    write_nullable(json, "object");
    write_fields(&fields, json);
    pt_json_object_end(json);
}

/* A row a symbol, in it a cell a symbol. */
static void write_matrix(const bson_t *entry, struct pt_json *json)
{
    pt_json_key(json, "additionalProperties");
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    write_number(json, "additionalProperties",
                 strcmp(pt_schema_text(entry, "unit", ""), "count") == 0);
    pt_json_object_end(json);
}

/* One output, or field of one, under its name; every one may be null. */
static void write_output(const bson_t *entry, struct pt_json *json)
{
    const char *type = pt_schema_text(entry, "type", "number");
    bool decimal = strcmp(type, "number") == 0, list = strcmp(type, "list") == 0;
    bool map = strcmp(type, "map") == 0, matrix = strcmp(type, "matrix") == 0;
    bool record = strcmp(type, "record") == 0;
    bson_t fields;
    pt_json_key(json, pt_schema_text(entry, "name", ""));
    pt_json_object(json);
    write_nullable(json, map || matrix || record ? "object"
                         : list                  ? "array"
                         : decimal               ? "string"
                                                 : pt_schema_type(type));
    if (decimal) pt_json_kv_text(json, "pattern", PT_SCHEMA_DECIMAL);
    if (list) write_number(json, "items", false);
    if (map) write_map(entry, json);
    if (matrix) write_matrix(entry, json);
    if (record && pt_doc_child(entry, "fields", &fields)) write_fields(&fields, json);
    pt_schema_describe(entry, json);
    pt_json_object_end(json);
}

/* What is added to the label of a regime. */
static void write_trail(const struct pt_script *script, struct pt_json *json)
{
    static const char *const about[] = {
        "as_of of the first of an unbroken run of bars with this label, in the last 24 bars",
        "the newest other label of the last 24 bars",
        "the newest label that held for two bars in a row, else this one",
    };
    struct pt_trail trail;
    pt_trail_init(&trail, script);
    for (size_t i = 0; trail.label[0] != '\0' && i < sizeof about / sizeof about[0]; i++) {
        char key[PT_TRAIL_KEY_MAX];
        pt_json_key(json, pt_trail_key(&trail, i, key));
        pt_json_object(json);
        pt_json_key(json, "type");
        pt_json_array(json);
        pt_json_text(json, "string");
        pt_json_text(json, "null");
        pt_json_array_end(json);
        pt_json_kv_text(json, "description", about[i]);
        pt_json_object_end(json);
    }
}

static void write_outputs(const struct pt_script *script, struct pt_json *json)
{
    bson_t list, entry;
    bson_iter_t iter;
    if (pt_doc_child(script->declaration, "outputs", &list) && bson_iter_init(&iter, &list)) {
        while (pt_doc_next(&iter, &entry)) write_output(&entry, json);
    }
}

/* ---- the reply ----------------------------------------------------------------------------------
 */

static void write_status(struct pt_json *json)
{
    write_member(json, "status", "string", false,
                 "ok, gap, warming, stale, empty, error or quarantined");
}

/* The list `key`: a result a bar. */
static void write_items(const struct pt_script *script, const char *key, bool trail,
                        const char *about, struct pt_json *json)
{
    pt_json_key(json, key);
    pt_json_object(json);
    pt_json_kv_text(json, "type", "array");
    if (about != NULL) pt_json_kv_text(json, "description", about);
    pt_json_key(json, "items");
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    pt_json_key(json, "properties");
    pt_json_object(json);
    write_member(json, "timestamp", "string", true, "as_of of this result");
    write_status(json);
    write_outputs(script, json);
    if (trail) write_trail(script, json);
    pt_json_object_end(json);
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static void write_pagination(bool always, struct pt_json *json)
{
    static const char *const numbers[] = { "total", "limit", "offset", "page", "pages" };
    pt_json_key(json, "pagination");
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    if (!always) pt_json_kv_text(json, "description", "there with history only");
    pt_json_key(json, "properties");
    pt_json_object(json);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        write_member(json, numbers[i], "integer", false, NULL);
    write_member(json, "has_next", "boolean", false, NULL);
    write_member(json, "has_previous", "boolean", false, NULL);
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static void write_metadata(struct pt_json *json)
{
    pt_json_key(json, "metadata");
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    pt_json_kv_text(json, "description",
                    "where the newest result comes from; besides these members those of its "
                    "document: method, window, parameters, rows, gaps, reasons, script and others");
    pt_json_key(json, "properties");
    pt_json_object(json);
    write_member(json, "timestamp", "string", true, NULL);
    write_member(json, "data_completeness", "number", true, "percent of the window's rows");
    write_member(json, "last_updated", "string", true, NULL);
    write_member(json, "source", "string", false, NULL);
    write_member(json, "collection", "string", false, NULL);
    write_member(json, "records_returned", "integer", false, NULL);
    write_member(json, "computed", "string", false, "stored or on_request");
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static void write_data(const struct pt_script *script, struct pt_json *json)
{
    pt_json_key(json, "data");
    pt_json_object(json);
    write_nullable(json, "object");
    pt_json_key(json, "properties");
    pt_json_object(json);
    write_outputs(script, json);
    write_trail(script, json);
    pt_json_object_end(json);
    pt_json_object_end(json);
}

void pt_result_schema(const struct pt_script *script, struct pt_json *json)
{
    bool list = pt_result_is_list(script), market = pt_script_is_market(script);
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    pt_json_key(json, "properties");
    pt_json_object(json);
    if (market) {
        pt_json_key(json, "pairs");
        pt_json_raw(json, "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", 42);
    } else {
        write_member(json, "pair", "string", false, NULL);
    }
    write_member(json, "period", "string", false, NULL);
    write_member(json, "metric", "string", false, NULL);
    if (list || market) {
        write_member(json, "method", "string", true, "how it is computed, in a word");
        write_member(json, "window", "string", true, "in its canonical form: 168h is 7d");
    }
    write_status(json);
    write_member(json, "as_of", "string", true,
                 "end of the newest window; null: there is no result");
    if (list)
        write_items(script, "values", true, NULL, json);
    else if (market)
        write_outputs(script, json);
    else
        write_data(script, json);
    if (!list)
        write_items(script, "history", false,
                    "with limit over 1, offset, start or end: the results of the range", json);
    write_pagination(list, json);
    write_metadata(json);
    pt_json_object_end(json);
    pt_json_object_end(json);
}
