/* openapi.c - /openapi.json from route table and declarations, and /docs.       [layer: serve] */
#include "base/timefmt.h"
#include "flow/hits.h"
#include "flow/params.h"
#include "serve/anomalies.h"
#include "serve/docs.h"
#include "serve/list.h"
#include "serve/overview.h"
#include "serve/result_schema.h"
#include "serve/results.h"
#include "serve/thread.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* ---- parameters ---------------------------------------------------------------------------------
 */

static void write_words(struct pt_json *json, const char *const *words)
{
    pt_json_key(json, "enum");
    pt_json_array(json);
    for (; *words != NULL; words++) pt_json_text(json, *words);
    pt_json_array_end(json);
}

static void write_periods(struct pt_json *json)
{
    char text[PT_PERIOD_TEXT_MAX];
    pt_json_key(json, "enum");
    pt_json_array(json);
    for (const int64_t *period = pt_periods; *period != 0; period++) {
        pt_period_print(*period, text);
        pt_json_text(json, text);
    }
    pt_json_array_end(json);
}

static void write_schema(const struct pt_param *param, struct pt_json *json)
{
    pt_json_key(json, "schema");
    pt_json_object(json);
    switch (param->type) {
    case PT_PARAM_PAIR:
        pt_json_kv_text(json, "type", "string");
        pt_json_kv_text(json, "pattern", "^[A-Za-z0-9_]{2,30}$");
        pt_json_kv_text(json, "example", "BTCUSDT");
        break;
    case PT_PARAM_PERIOD:
        pt_json_kv_text(json, "type", "string");
        write_periods(json);
        if (param->fallback != NULL) pt_json_kv_text(json, "default", param->fallback);
        break;
    case PT_PARAM_TIME:
        pt_json_kv_text(json, "type", "string");
        pt_json_kv_text(json, "example", "2024-11-15T00:00:00Z");
        break;
    case PT_PARAM_INT:
        pt_json_kv_text(json, "type", "integer");
        pt_json_kv_int(json, "minimum", param->min);
        pt_json_kv_int(json, "maximum", param->max);
        if (param->fallback != NULL) {
            pt_json_key(json, "default");
            pt_json_raw(json, param->fallback, strlen(param->fallback));
        }
        break;
    case PT_PARAM_BOOL:
        pt_json_kv_text(json, "type", "boolean");
        if (param->fallback != NULL)
            pt_json_kv_bool(json, "default", strcmp(param->fallback, "true") == 0);
        break;
    case PT_PARAM_WORD:
        pt_json_kv_text(json, "type", "string");
        write_words(json, param->words);
        if (param->fallback != NULL) pt_json_kv_text(json, "default", param->fallback);
        break;
    case PT_PARAM_TEXT:
        pt_json_kv_text(json, "type", "string");
        pt_json_kv_int(json, "minLength", param->min);
        pt_json_kv_int(json, "maxLength", param->max);
        break;
    }
    pt_json_object_end(json);
}

static void write_params(const struct pt_param *params, struct pt_json *json)
{
    for (; params != NULL && params->name != NULL; params++) {
        char allowed[256], text[512];
        pt_param_allowed(params, allowed, sizeof allowed);
        snprintf(text, sizeof text, "%s; %s", params->about, allowed);
        pt_json_object(json);
        pt_json_kv_text(json, "name", params->name);
        pt_json_kv_text(json, "in", "query");
        pt_json_kv_bool(json, "required", params->required);
        pt_json_kv_text(json, "description", text);
        write_schema(params, json);
        pt_json_object_end(json);
    }
}

/* ---- declarations of scripts --------------------------------------------------------------------
 */

/* Any value of the declaration, with doubles as JSON numbers. */
static void copy_value(const bson_t *doc, const char *key, const char *as, struct pt_json *json)
{
    bson_iter_t iter;
    if (!bson_iter_init_find(&iter, doc, key) || BSON_ITER_HOLDS_NULL(&iter)) return;
    pt_json_key(json, as);
    if (BSON_ITER_HOLDS_DOUBLE(&iter))
        pt_json_double(json, bson_iter_double(&iter));
    else
        pt_doc_json_value(&iter, json);
}

static void write_script_params(const struct pt_script *script, struct pt_json *json)
{
    bson_t list, entry;
    bson_iter_t iter;
    if (!pt_doc_child(script->declaration, "params", &list) || !bson_iter_init(&iter, &list))
        return;
    while (pt_doc_next(&iter, &entry)) {
        pt_json_object(json);
        pt_json_kv_text(json, "name", pt_schema_text(&entry, "name", ""));
        pt_json_kv_text(json, "in", "query");
        pt_json_kv_bool(json, "required", false);
        pt_schema_describe(&entry, json);
        pt_json_key(json, "schema");
        pt_json_object(json);
        pt_json_kv_text(json, "type", pt_schema_type(pt_schema_text(&entry, "type", "string")));
        if (strcmp(pt_schema_text(&entry, "type", ""), "span") == 0) {
            pt_json_kv_text(json, "pattern", "^[0-9]+(w|d|h|m|s|ms|us)$");
        } else {
            copy_value(&entry, "min", "minimum", json);
            copy_value(&entry, "max", "maximum", json);
        }
        copy_value(&entry, "words", "enum", json);
        copy_value(&entry, "default", "default", json);
        pt_json_object_end(json);
        pt_json_object_end(json);
    }
}

/* The parameter of this name of another detector before `script`: it is told there. */
static bool told_before(const struct pt_scripts *scripts, const struct pt_script *script,
                        const char *name)
{
    for (const struct pt_script *before = scripts->v; before < script; before++) {
        bson_t entry;
        if (before->declaration != NULL && pt_script_is_detector(before) &&
            pt_param_find(before->declaration, name, &entry))
            return true;
    }
    return false;
}

/* "mad: what is a hit (default 3.5); zscore: ..." */
static void write_uses(const struct pt_scripts *scripts, const char *name, struct pt_json *json)
{
    struct pt_buf text = { 0 };
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        bson_t entry;
        bson_iter_t iter;
        if (script->declaration == NULL || !pt_script_is_detector(script) ||
            !pt_param_find(script->declaration, name, &entry))
            continue;
        pt_buf_printf(&text, "%s%s: %s", text.len > 0 ? "; " : "", script->name,
                      pt_schema_text(&entry, "about", name));
        if (!bson_iter_init_find(&iter, &entry, "default")) continue;
        pt_buf_puts(&text, " (default ");
        pt_results_csv_value(&iter, &text);
        pt_buf_putc(&text, ')');
    }
    if (text.failed) json->out->failed = true;
    pt_json_kv_text(json, "description", text.data);
    pt_buf_fini(&text);
}

/* Those of all detectors, each name once: what it means and may be is the detector's to say. */
static void write_detector_params(const struct pt_scripts *scripts, struct pt_json *json)
{
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        bson_t list, entry;
        bson_iter_t iter;
        if (script->declaration == NULL || !pt_script_is_detector(script) ||
            !pt_doc_child(script->declaration, "params", &list) || !bson_iter_init(&iter, &list))
            continue;
        while (pt_doc_next(&iter, &entry)) {
            const char *name = pt_schema_text(&entry, "name", "");
            if (told_before(scripts, script, name)) continue;
            pt_json_object(json);
            pt_json_kv_text(json, "name", name);
            pt_json_kv_text(json, "in", "query");
            pt_json_kv_bool(json, "required", false);
            write_uses(scripts, name, json);
            pt_json_key(json, "schema");
            pt_json_raw(json, "{}", 2);
            pt_json_object_end(json);
        }
    }
}

#define NULLABLE_TEXT "{\"type\":[\"string\",\"null\"]}"

static void open_object(struct pt_json *json, const char *key, const char *about)
{
    pt_json_key(json, key);
    pt_json_object(json);
    pt_json_kv_text(json, "type", "object");
    if (about != NULL) pt_json_kv_text(json, "description", about);
}

static void write_plain(struct pt_json *json, const char *key, const char *type)
{
    pt_json_key(json, key);
    pt_json_object(json);
    pt_json_kv_text(json, "type", type);
    pt_json_object_end(json);
}

/* One metric of a pair. */
static void write_overview_metric(struct pt_json *json, int metric)
{
    static const char *const fields[PT_OV_METRICS][2] = {
        [PT_OV_VOLATILITY] = { "annualized", NULL },
        [PT_OV_VOLUME] = { "spike_ratio", NULL },
        [PT_OV_TREND] = { "direction", "roc" },
        [PT_OV_REGIME] = { "classification", "confidence" },
    };
    pt_json_key(json, pt_overview_names[metric]);
    pt_json_object(json);
    pt_json_key(json, "type");
    pt_json_raw(json, "[\"object\",\"null\"]", 17);
    pt_json_key(json, "properties");
    pt_json_object(json);
    for (int i = 0; i < 2 && fields[metric][i] != NULL; i++) {
        pt_json_key(json, fields[metric][i]);
        pt_json_raw(json, NULLABLE_TEXT, sizeof NULLABLE_TEXT - 1);
    }
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static void write_overview_schema(struct pt_json *json)
{
    open_object(json, "schema", NULL);
    pt_json_key(json, "properties");
    pt_json_object(json);
    open_object(json, "overview", "a member a pair");
    open_object(json, "additionalProperties", "a metric without a result is null");
    pt_json_key(json, "properties");
    pt_json_object(json);
    for (int metric = 0; metric < PT_OV_METRICS; metric++) write_overview_metric(json, metric);
    write_plain(json, "status", "string");
    pt_json_object_end(json);
    pt_json_object_end(json);
    pt_json_object_end(json);
    pt_json_key(json, "timestamp");
    pt_json_raw(json, NULLABLE_TEXT, sizeof NULLABLE_TEXT - 1);
    write_plain(json, "pairs_requested", "integer");
    write_plain(json, "pairs_available", "integer");
    write_plain(json, "pagination", "object");
    pt_json_object_end(json);
    pt_json_object_end(json);
}

/* ---- paths --------------------------------------------------------------------------------------
 */

static bool answers_analysis(const struct pt_script *script)
{
    return script->status != PT_SCRIPT_FAILED && strcmp(script->kind, "anomaly") != 0;
}

static void write_path_param(const struct pt_route *route, const struct pt_scripts *scripts,
                             struct pt_json *json)
{
    const char *brace = strchr(route->path, '{');
    if (brace == NULL) return;
    bool metric = route->script != NULL, anomaly = strcmp(route->tag, "anomalies") == 0;
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(brace + 1, "}"), brace + 1);
    pt_json_object(json);
    pt_json_kv_text(json, "name", name);
    pt_json_kv_text(json, "in", "path");
    pt_json_kv_bool(json, "required", true);
    bool script = strcmp(name, "id") != 0;
    pt_json_kv_text(json, "description",
                    script    ? "name of a loaded script"
                    : anomaly ? "id of an anomaly; /anomalies lists them"
                              : "id of a dataset; /catalog/datasets lists them");
    pt_json_key(json, "schema");
    pt_json_object(json);
    pt_json_kv_text(json, "type", "string");
    if (script) {
        pt_json_key(json, "enum");
        pt_json_array(json);
        for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
            if (!metric || answers_analysis(&scripts->v[i])) pt_json_text(json, scripts->v[i].name);
        }
        pt_json_array_end(json);
    } else {
        pt_json_kv_text(json, "example",
                        anomaly ? "8006331d4fb0a00071dfbb5df2ac3b1d0b1d3f3b2c0a6c11"
                                : "candles_BTCUSDT_1h");
    }
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static void write_responses(const struct pt_route *route, const struct pt_script *script,
                            struct pt_json *json)
{
    const char *type = route->handle == pt_handle_docs      ? "text/html"
                       : route->handle == pt_handle_metrics ? "text/plain"
                                                            : PT_TYPE_JSON;
    pt_json_key(json, "responses");
    pt_json_object(json);
    pt_json_key(json, "200");
    pt_json_object(json);
    pt_json_kv_text(json, "description", "done");
    pt_json_key(json, "content");
    pt_json_object(json);
    pt_json_key(json, type);
    pt_json_object(json);
    if (script != NULL) {
        pt_json_key(json, "schema");
        pt_result_schema(script, json);
    }
    if (route->handle == pt_handle_overview) write_overview_schema(json);
    pt_anomaly_schema(route, json);
    pt_json_object_end(json);
    if ((route->flags & PT_ROUTE_LIST) != 0) {
        pt_json_key(json, "text/csv");
        pt_json_raw(json, "{}", 2);
    }
    pt_json_object_end(json);
    pt_json_object_end(json);
    pt_json_key(json, "default");
    pt_json_raw(json, "{\"$ref\":\"#/components/responses/Problem\"}", 41);
    pt_json_object_end(json);
}

/* script: the row as it is for one script; NULL: the row itself. */
static void write_path(const struct pt_route *route, const struct pt_script *script,
                       const struct pt_scripts *scripts, struct pt_json *json)
{
    char path[PT_SCRIPT_NAME_MAX + 32];
    snprintf(path, sizeof path, "%s", route->path);
    if (script != NULL) {
        size_t fixed = strcspn(route->path, "{");
        snprintf(path, sizeof path, "%.*s%s", (int)fixed, route->path, script->name);
    }
    pt_json_key(json, path);
    pt_json_object(json);
    bool post = (route->flags & PT_ROUTE_POST) != 0;
    pt_json_key(json, post ? "post" : "get");
    pt_json_object(json);
    pt_json_key(json, "tags");
    pt_json_array(json);
    pt_json_text(json, route->tag);
    pt_json_array_end(json);
    pt_json_kv_text(json, "summary",
                    script != NULL ? pt_schema_text(script->declaration, "about", route->summary)
                                   : route->summary);
    if (route->about != NULL) pt_json_kv_text(json, "description", route->about);
    pt_json_key(json, "parameters");
    pt_json_array(json);
    if (script == NULL) write_path_param(route, scripts, json);
    write_params(script != NULL && route->params_of != NULL ? route->params_of(script)
                                                            : route->params,
                 json);
    if (script != NULL) write_script_params(script, json);
    if (route->handle == pt_handle_detect) write_detector_params(scripts, json);
    pt_json_array_end(json);
    write_responses(route, script, json);
    pt_json_object_end(json);
    pt_json_object_end(json);
}

static const char components[] =
    "{\"schemas\":{\"Problem\":{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\","
    "\"detail\"],"
    "\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{"
    "\"type\":\"integer\"},"
    "\"detail\":{\"type\":\"string\"}}}},\"responses\":{\"Problem\":{\"description\":\"what is "
    "wrong, in words\","
    "\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
    "Problem\"}}}}},"
    "\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}";

void pt_openapi_write(const struct pt_scripts *scripts, bool protected_reads, struct pt_buf *out)
{
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "openapi", "3.1.0");
    pt_json_key(&json, "info");
    pt_json_object(&json);
    pt_json_kv_text(&json, "title", "Petrosa");
    pt_json_kv_text(&json, "version", PT_VERSION);
    pt_json_kv_text(&json, "description",
                    "Market data and the metrics computed from it. Prices, quantities and metric "
                    "values are decimal "
                    "strings; times are ISO 8601 UTC; what is unknown is null.");
    pt_json_object_end(&json);
    pt_json_key(&json, "paths");
    pt_json_object(&json);
    for (const struct pt_route *route = pt_routes; route->path != NULL; route++) {
        write_path(route, NULL, scripts, &json);
        if (route->script == NULL) continue;
        for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
            if (answers_analysis(&scripts->v[i])) write_path(route, &scripts->v[i], scripts, &json);
        }
    }
    pt_json_object_end(&json);
    pt_json_key(&json, "components");
    pt_json_raw(&json, components, sizeof components - 1);
    if (protected_reads) {
        pt_json_key(&json, "security");
        pt_json_raw(&json, "[{\"token\":[]}]", 14);
    }
    pt_json_object_end(&json);
}

void pt_handle_openapi(struct pt_request *request)
{
    uint64_t inputs = request->generation; /* it changes with the scripts only */
    struct pt_buf out = { 0 };
    if (pt_reply_same(request, inputs, INT64_MAX)) return;
    pt_openapi_write(request->thread->scripts, request->thread->http->set.protect_reads, &out);
    uint64_t tag = out.failed ? 0 : XXH3_64bits(out.data, out.len);
    pt_reply_keep(request, PT_TYPE_JSON, &out, tag, inputs, INT64_MAX, 0);
}

void pt_handle_docs(struct pt_request *request)
{
    static const uint64_t inputs = 1;
    struct pt_buf out = { 0 };
    if (pt_reply_same(request, inputs, INT64_MAX)) return;
    pt_buf_add(&out, pt_docs_html, pt_docs_html_len);
    pt_reply_keep(request, "text/html; charset=utf-8", &out,
                  XXH3_64bits(pt_docs_html, pt_docs_html_len), inputs, INT64_MAX, 0);
}
