/* routes_analysis.c - /analysis/{metric} of calculators, regimes and alerts.    [layer: serve]
 *
 *     as_of, or parameters not in force ─┐   ┌─ exactly this one is stored ──> stored
 *     a script that looks at books ──────┼───┼─ computed before, of the same ──> kept
 *     nothing is stored yet ─────────────┘   └─ else ──> computed by a worker, kept (flow/inputs.h)
 *     else ──> stored, the newest `limit` of the range */
#include "serve/analysis_answer.h"
#include "serve/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    A_PAIR, /* of a script of the market: pairs */
    A_PERIOD,
    A_LIMIT,
    A_OFFSET,
    A_ORDER,
    A_START,
    A_END,
    A_AS_OF,
    A_LIST_KEY,
    A_FORMAT
};
#define ROWS                                                                                       \
    [A_PERIOD] = { .name = "period",                                                               \
                   .type = PT_PARAM_PERIOD,                                                        \
                   .fallback = "1h",                                                               \
                   .about = "length of a bar" },                                                   \
    [A_LIMIT] = PT_PARAM_ROW_LIMIT("1"), [A_OFFSET] = PT_PARAM_ROW_OFFSET,                         \
    [A_ORDER] = PT_PARAM_ROW_ORDER, [A_START] = PT_PARAM_ROW_START, [A_END] = PT_PARAM_ROW_END,    \
    [A_AS_OF] = { .name = "as_of",                                                                 \
                  .type = PT_PARAM_TIME,                                                           \
                  .about = "the result as of the last bar closed by then, computed on request" },  \
    [A_LIST_KEY] = PT_PARAM_ROW_LIST_KEY, [A_FORMAT] = PT_PARAM_ROW_FORMAT

const struct pt_param pt_analysis_params[] = { [A_PAIR] = PT_PARAM_ROW_PAIR, ROWS, { 0 } };

static const struct pt_param market_params[] = {
    [A_PAIR] = { .name = "pairs",
                 .type = PT_PARAM_TEXT,
                 .min = 1,
                 .max = 8000,
                 .about =
                     "symbols separated by commas: what is said of each is cut to these, what is "
                     "said of the market stays that of all; default: all" },
    ROWS,
    { 0 }
};

const struct pt_param *pt_analysis_params_of(const struct pt_script *script)
{
    return script != NULL && pt_script_is_market(script) ? market_params : pt_analysis_params;
}

void pt_asked_free(void *arg)
{
    struct pt_asked *self = arg;
    bson_destroy(self->params);
    pt_scripts_unref(self->scripts);
    free(self->pairs);
    free(self);
}

/* ---- which script, which parameters -------------------------------------------------------------
 */

static bool answers_analysis(const struct pt_script *script)
{
    return strcmp(script->kind, "anomaly") != 0;
}

static void unknown_metric(struct pt_request *request, const struct pt_scripts *scripts)
{
    struct pt_buf names = { 0 };
    for (size_t i = 0; scripts != NULL && i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (script->status == PT_SCRIPT_FAILED || !answers_analysis(script)) continue;
        pt_buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", script->name);
    }
    pt_reply_problem(request, 404, "no metric \"%.48s\"; loaded: %s", request->arg,
                     names.len > 0 ? names.data : "none");
    pt_buf_fini(&names);
}

/* NULL: the request is answered. */
static const struct pt_script *find_script(struct pt_request *request,
                                           const struct pt_scripts *scripts)
{
    const struct pt_script *script =
        scripts != NULL ? pt_scripts_find(scripts, request->arg) : NULL;
    if (script != NULL && answers_analysis(script)) return script;
    for (size_t i = 0; script == NULL && scripts != NULL && i < scripts->n; i++) {
        const struct pt_script *failed = &scripts->v[i];
        if (failed->status != PT_SCRIPT_FAILED || strcmp(failed->name, request->arg) != 0) continue;
        pt_reply_problem(request, 503, "the script %s did not load: %s:%d: %s", failed->name,
                         failed->error_file, failed->error_line, failed->message);
        return NULL;
    }
    unknown_metric(request, scripts);
    return NULL;
}

/* "BTCUSDT,ETHUSDT", each once. */
static enum pt_code read_pairs(struct pt_asked *self, const char *text, struct pt_err *err)
{
    static const struct pt_param one = { .name = "pairs", .type = PT_PARAM_PAIR };
    size_t most = 1;
    for (const char *c = text; *c != '\0'; c++) most += *c == ',';
    self->pairs = calloc(most, sizeof *self->pairs);
    if (self->pairs == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    for (;; text++) {
        char piece[64];
        struct pt_value value;
        size_t len = strcspn(text, ","), i = 0;
        snprintf(piece, sizeof piece, "%.*s", (int)len, text);
        enum pt_code rc = pt_param_check(&one, piece, &value, err);
        if (rc != PT_OK) return rc;
        while (i < self->npairs && strcmp(self->pairs[i], value.symbol) != 0) i++;
        if (i == self->npairs) memcpy(self->pairs[self->npairs++], value.symbol, PT_SYMBOL_MAX);
        text += len;
        if (*text == '\0') return PT_OK;
    }
}

static enum pt_code read_params(struct pt_request *request, struct pt_asked *self,
                                struct pt_err *err)
{
    if (self->market && request->value[A_PAIR].given) {
        enum pt_code rc = read_pairs(self, request->value[A_PAIR].text, err);
        if (rc != PT_OK) return rc;
    }
    for (size_t i = 0; i < request->nextra; i++) {
        const struct pt_query_item *item = request->extra[i];
        enum pt_code rc = pt_script_param(self->script, item->name, item->value, self->params, err);
        if (rc != PT_OK) return rc;
    }
    const struct pt_value *value = request->value;
    bool at = value[A_AS_OF].given;
    if (!at && bson_empty(self->params)) return PT_OK;
    /* a history is what was stored, and only one set of parameters is stored */
    static const struct {
        unsigned param;
        const char *why;
    } only[] = {
        { A_START, "is for stored results" },
        { A_END, "is for stored results" },
    };
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++) {
        if (!value[only[i].param].given) continue;
        return pt_fail(err, PT_EINVAL, "%s: %s; leave it out with %s",
                       pt_analysis_params[only[i].param].name, only[i].why,
                       at ? "as_of" : "parameters that are not the stored ones");
    }
    if (self->limit == 1 && self->offset == 0) return PT_OK;
    const char *name = self->limit != 1 ? "limit" : "offset";
    return pt_fail(err, PT_EINVAL, "%s: got %lld, must be %d with %s", name,
                   (long long)(self->limit != 1 ? self->limit : self->offset), self->limit != 1,
                   at ? "as_of" : "parameters that are not the stored ones");
}

static struct pt_asked *asked_new(struct pt_request *request, struct pt_scripts *scripts,
                                  const struct pt_script *script)
{
    const struct pt_value *value = request->value;
    struct pt_asked *self = calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->params = bson_new();
    self->scripts = pt_scripts_ref(scripts);
    self->script = script;
    self->market = pt_script_is_market(script);
    strcpy(self->pair, value[A_PAIR].symbol); /* "" when it is a text */
    pt_result_collection(self->pair, script->name, self->collection);
    self->period_us = value[A_PERIOD].number;
    self->limit = value[A_LIMIT].number;
    self->offset = value[A_OFFSET].number;
    self->descending = value[A_ORDER].number == PT_ORDER_DESC;
    self->start_us = value[A_START].given ? value[A_START].number : 0;
    self->end_us = value[A_END].given ? value[A_END].number : INT64_MAX;
    self->as_of_us = value[A_AS_OF].given ? value[A_AS_OF].number : INT64_MAX;
    self->from_newest = !value[A_START].given || self->descending;
    self->ranged = value[A_START].given || value[A_END].given;
    self->current = !value[A_END].given && !value[A_AS_OF].given;
    return self;
}

const struct pt_script *pt_analysis_script(struct pt_request *request)
{
    const struct pt_scripts *scripts = request->thread->scripts;
    return scripts != NULL ? pt_scripts_find(scripts, request->arg) : NULL;
}

bool pt_found_analysis(struct pt_request *request)
{
    return find_script(request, request->thread->scripts) != NULL;
}

void pt_handle_analysis(struct pt_request *request)
{
    struct pt_err err;
    struct pt_scripts *scripts = request->thread->scripts;
    const struct pt_script *script = find_script(request, scripts);
    if (script == NULL) return;
    struct pt_asked *self = asked_new(request, scripts, script);
    if (self == NULL) {
        pt_reply_problem(request, 503, "out of memory");
        return;
    }
    pt_list_form(request, &request->value[A_LIST_KEY], &request->value[A_FORMAT]);
    if (read_params(request, self, &err) != PT_OK) {
        pt_reply_problem(request, 422, "%s", err.text);
        pt_asked_free(self);
        return;
    }
    if (self->npairs > 0) strcpy(self->benchmark, self->pairs[0]);
    bool as_stored = bson_empty(self->params) && self->as_of_us == INT64_MAX;
    /* books come far more often than results are stored: the newest result is that of the newest
     * book */
    if (pt_script_books(script, NULL, NULL) && self->current && self->limit == 1 &&
        self->offset == 0 && !self->ranged)
        as_stored = false;
    if (as_stored ? pt_answer_stored(request, self) : pt_answer_exact(request, self))
        pt_asked_free(self);
    else
        pt_answer_computed(request, self);
}
