/* routes_detect.c - /anomalies/detect: a detector over the whole of its newest window, now.
 * [layer: serve] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/hits.h"
#include "flow/result.h"
#include "serve/anomalies.h"
#include "serve/list.h"
#include "serve/results.h"
#include "serve/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D_PAIR, D_TIMEFRAME, D_METHOD, D_LIST_KEY };
const struct pt_param pt_detect_params[] = {
    [D_PAIR] = PT_PARAM_ROW_PAIR,
    [D_TIMEFRAME] = { .name = "timeframe",
                      .type = PT_PARAM_PERIOD,
                      .fallback = "1h",
                      .about = "length of a bar" },
    [D_METHOD] = { .name = "method",
                   .type = PT_PARAM_TEXT,
                   .fallback = "zscore",
                   .min = 1,
                   .max = PT_ANOMALY_METHOD_MAX - 1,
                   .about = "name of a loaded detector" },
    [D_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    { 0 },
};

/* One request on its way. */
struct detect {
    struct pt_scripts *scripts; /* a reference: the script stays as it was when the request came */
    const struct pt_script *script;
    char pair[PT_SYMBOL_MAX];
    int64_t period_us;
    bson_t *params; /* those that differ from the ones in force */
};

static void detect_free(void *arg)
{
    struct detect *self = arg;
    bson_destroy(self->params);
    pt_scripts_unref(self->scripts);
    free(self);
}

/* ---- which detector, which parameters -----------------------------------------------------------
 */

static void unknown_method(struct pt_request *request, const char *method,
                           const struct pt_scripts *scripts)
{
    struct pt_buf names = { 0 };
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (script->status != PT_SCRIPT_FAILED && pt_script_is_detector(script))
            pt_buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", script->name);
    }
    pt_reply_problem(request, 422, "method: got \"%.48s\", must be one of the loaded detectors: %s",
                     method, names.len > 0 ? names.data : "there is none");
    pt_buf_fini(&names);
}

/* NULL: the request is answered. */
static const struct pt_script *find_detector(struct pt_request *request,
                                             const struct pt_scripts *scripts)
{
    const struct pt_value *value = &request->value[D_METHOD];
    const char *method = value->given ? value->text : pt_detect_params[D_METHOD].fallback;
    const struct pt_script *script = scripts != NULL ? pt_scripts_named(scripts, method) : NULL;
    if (script == NULL || !pt_script_is_detector(script)) {
        unknown_method(request, method, scripts);
        return NULL;
    }
    if (script->status != PT_SCRIPT_FAILED) return script;
    pt_reply_problem(request, 503, "the script %s did not load: %s:%d: %s", script->name,
                     script->error_file, script->error_line, script->message);
    return NULL;
}

/* Whatever the table does not have is a parameter of the detector. */
static enum pt_code read_params(const struct pt_request *request, struct detect *self,
                                struct pt_err *err)
{
    for (size_t i = 0; i < request->nextra; i++) {
        const struct pt_query_item *item = request->extra[i];
        enum pt_code rc = pt_script_param(self->script, item->name, item->value, self->params, err);
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}

/* ---- answering ----------------------------------------------------------------------------------
 */

struct found {
    const struct detect *detect;
    const bson_t *result;
};

static void write_hits(void *arg, struct pt_buf *out)
{
    const struct found *found = arg;
    struct pt_hits hits;
    struct pt_json json;
    bson_iter_t iter;
    bson_t hit;
    char id[PT_ANOMALY_ID_MAX];
    pt_json_init(&json, out);
    pt_json_array(&json);
    if (pt_hits_iter(found->result, &iter) &&
        pt_hits_init(&hits, found->detect->script, found->result)) {
        while (pt_doc_next(&iter, &hit)) {
            bool known = pt_anomaly_id(&hits.source, &hit, id, NULL) == PT_OK;
            pt_hit_json(&hit, found->detect->script->name, known ? id : NULL, &json);
        }
    }
    pt_json_array_end(&json);
}

static void write_metadata(const struct detect *self, const bson_t *result, int64_t found,
                           int64_t logged, struct pt_json *json)
{
    double completeness = NAN;
    int64_t as_of_us = PT_MISSING;
    bool any = pt_result_as_of(result, &as_of_us);
    pt_doc_double(result, "metadata.completeness", &completeness);
    pt_json_key(json, "metadata");
    pt_json_object(json);
    pt_list_time(json, "timestamp", as_of_us);
    pt_list_percent(json, "data_completeness", completeness);
    pt_list_time(json, "last_updated", as_of_us);
    pt_json_kv_text(json, "source", "store");
    pt_json_kv_text(json, "collection", PT_ANOMALIES);
    pt_json_kv_int(json, "records_returned", found);
    pt_json_kv_int(json, "logged", logged);
    pt_json_kv_text(json, "computed", "on_request");
    pt_json_kv_bool(json, "stale",
                    any &&
                        pt_now_us() > pt_results_stale_us(self->script, as_of_us, self->period_us));
    pt_results_provenance(result, json);
    if (!any && !pt_result_failed(result)) {
        struct pt_buf message = { 0 };
        pt_buf_printf(&message, "No data available for %s", self->pair);
        if (message.failed) json->out->failed = true;
        pt_json_kv_text(json, "message", message.data);
        pt_buf_fini(&message);
    }
    pt_json_object_end(json);
}

static void write_detection(const struct pt_request *request, const struct detect *self,
                            const bson_t *result, int64_t logged, struct pt_json *json)
{
    char period[PT_PERIOD_TEXT_MAX];
    const char *status = "error";
    int64_t found = 0;
    struct found hits = { self, result };
    bool known = pt_doc_int(result, "data.found", &found);
    pt_period_print(self->period_us, period);
    pt_doc_text(result, "status", &status);
    pt_json_object(json);
    pt_json_kv_text(json, "pair", self->pair);
    pt_json_kv_text(json, "timeframe", period);
    pt_json_kv_text(json, "method", self->script->name);
    pt_json_kv_text(json, "status", status);
    if (known)
        pt_json_kv_int(json, "anomalies_detected", found);
    else
        pt_json_kv_null(json, "anomalies_detected"); /* it cannot tell: that is not none */
    pt_list_write(json, "anomalies", request->lists, request->data, write_hits, &hits);
    pt_json_kv_time(json, "timestamp", pt_now_us() / PT_US_SEC * PT_US_SEC);
    write_metadata(self, result, found, logged, json);
    pt_json_object_end(json);
}

static void on_detected(struct pt_request *request, void *arg, const bson_t *doc,
                        const struct pt_err *err)
{
    const struct detect *self = arg;
    struct pt_buf out = { 0 };
    struct pt_json json;
    bson_t result;
    int64_t logged = 0;
    if (err != NULL) {
        struct pt_err why = *err;
        pt_err_prefix(&why, "%s could not be run and what it finds be kept: ", self->script->name);
        pt_reply_error(request, &why);
        return;
    }
    if (!pt_doc_child(doc, "result", &result)) {
        pt_reply_problem(request, 500, "%s gave no result", self->script->name);
        return;
    }
    pt_doc_int(doc, "logged", &logged);
    pt_json_init(&json, &out);
    write_detection(request, self, &result, logged, &json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out);
}

void pt_handle_detect(struct pt_request *request)
{
    struct pt_err err;
    struct pt_scripts *scripts = request->thread->scripts;
    const struct pt_script *script = find_detector(request, scripts);
    if (script == NULL) return;
    struct detect *self = calloc(1, sizeof *self);
    if (self == NULL) {
        pt_reply_problem(request, 503, "out of memory");
        return;
    }
    self->scripts = pt_scripts_ref(scripts);
    self->script = script;
    self->params = bson_new();
    self->period_us = request->value[D_TIMEFRAME].number;
    strcpy(self->pair, request->value[D_PAIR].symbol);
    const struct pt_value no_format = { .given = false };
    pt_list_form(request, &request->value[D_LIST_KEY], &no_format);
    if (read_params(request, self, &err) != PT_OK) {
        pt_reply_problem(request, 422, "%s", err.text);
        detect_free(self);
        return;
    }
    const bson_t *params = self->params;
    struct pt_unit unit = { .period_us = self->period_us,
                            .as_of_us = INT64_MAX,
                            .n = 1,
                            .names = &(const char *){ script->name },
                            .params = &params,
                            .urgent = true,
                            .whole = true };
    strcpy(unit.symbol, self->pair);
    if (pt_wait_detect(request, &unit, on_detected, detect_free, self, &err) == PT_OK) return;
    pt_reply_header(request, "Retry-After", "1");
    pt_reply_problem(request, 503, "cannot be run now: %s", err.text);
}
