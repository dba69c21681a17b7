/* routes_analysis.c - /analysis/{metric} for every loaded calculator, regime and alert. [layer:
 * serve]
 *
 *     as_of given, or parameters other than those in force ──> computed by a worker (a stored
 * result that is exactly the one asked for is taken instead); so is the newest result of a script
 * that looks at books, unless the stored one is of the newest book; else ──> stored results, the
 * newest `limit` of the range nothing stored, and only the newest was asked for    ──> computed by
 * a worker */
#include "base/clock.h"
#include "base/decimal.h"
#include "flow/inputs.h"
#include "flow/result.h"
#include "serve/list.h"
#include "serve/results.h"
#include "serve/thread.h"
#include "store/books.h"
#include "store/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_US PT_US_SEC /* so long what failed is not tried again */

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

/* One request on its way; on the heap while a worker computes. */
struct analysis {
    struct pt_scripts *scripts; /* a reference: the script stays as it was when the request came */
    const struct pt_script *script;
    bool market;              /* pair is "" then */
    char pair[PT_SYMBOL_MAX]; /* and these are shown, in this order; none: all */
    size_t npairs;
    char (*pairs)[PT_SYMBOL_MAX];  /* owned */
    char benchmark[PT_SYMBOL_MAX]; /* should the configured one not be there; "" */
    char collection[PT_COLLECTION_MAX];
    int64_t period_us, start_us, end_us, as_of_us; /* as_of INT64_MAX: newest */
    int64_t limit, offset;
    bool from_newest, descending, ranged, current; /* current: without an end, up to now */
    bson_t *params;                                /* those that differ from the ones in force */
    uint64_t inputs; /* of what a worker computes: pt_unit_inputs, 0 = cannot be told */
};

static void analysis_free(void *arg)
{
    struct analysis *self = arg;
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
static enum pt_code read_pairs(struct analysis *self, const char *text, struct pt_err *err)
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

static enum pt_code read_params(struct pt_request *request, struct analysis *self,
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

static struct analysis *analysis_new(struct pt_request *request, struct pt_scripts *scripts,
                                     const struct pt_script *script)
{
    const struct pt_value *value = request->value;
    struct analysis *self = calloc(1, sizeof *self);
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

/* ---- answering ----------------------------------------------------------------------------------
 */

/* Stored results are of the parameters in force, so they say nothing about others. */
static bool has_trail(const struct analysis *self)
{
    struct pt_trail trail;
    pt_trail_init(&trail, self->script);
    return trail.label[0] != '\0' && bson_empty(self->params);
}

/* What stored results say about the label of the newest. */
static enum pt_code add_trail(const struct analysis *self, struct pt_read *read,
                              struct pt_results *results, bool on_request, struct pt_err *err)
{
    pt_trail_init(&results->trail, self->script);
    if (results->n == 0 || !has_trail(self)) return PT_OK;
    return pt_trail_read(read, self->collection, self->period_us, &results->docs[results->n - 1],
                         !on_request, &results->trail, err);
}

/* The last of these is the newest that is stored: rows that are skipped are newer ones when they
 * are counted from the newest, and those that follow are when counted from the start. */
static bool holds_newest(const struct analysis *self, const struct pt_results *results)
{
    if (!self->current || results->n == 0) return false;
    return self->from_newest ? self->offset == 0
                             : self->offset + (int64_t)results->n >= results->total;
}

static void answer(struct pt_request *request, struct analysis *self, struct pt_read *read,
                   struct pt_results *results, bool on_request)
{
    int64_t as_of_us, expires_us = INT64_MAX;
    struct pt_err err;
    if (add_trail(self, read, results, on_request, &err) != PT_OK) {
        pt_reply_error(request, &err);
        return;
    }
    results->script = self->script;
    results->pair = self->pair;
    results->npairs = self->npairs;
    results->pairs = (const char(*)[PT_SYMBOL_MAX])self->pairs;
    results->collection = self->collection;
    results->period_us = self->period_us;
    results->limit = self->limit;
    results->offset = self->offset;
    results->descending = self->descending;
    results->history = self->limit > 1 || self->ranged || self->offset > 0;
    results->on_request = on_request;
    results->lists = request->lists;
    results->data = request->data;
    if (holds_newest(self, results) && pt_result_as_of(&results->docs[results->n - 1], &as_of_us)) {
        int64_t stale_us = pt_results_stale_us(self->script, as_of_us, self->period_us);
        results->stale = pt_now_us() > stale_us;
        if (!results->stale) expires_us = stale_us;
    }
    /* once more soon: it may come off then */
    if (request->failed && expires_us > pt_now_us() + FAILED_US)
        expires_us = pt_now_us() + FAILED_US;
    uint64_t inputs = on_request ? self->inputs : pt_results_inputs(results, request->generation);
    if (!on_request && pt_reply_same(request, inputs, expires_us)) return;
    struct pt_buf out = { 0 };
    struct pt_json json;
    pt_json_init(&json, &out);
    if (request->csv && !pt_results_csv(results, &out)) {
        pt_buf_fini(&out);
        pt_reply_problem(request, 422,
                         "%s: as CSV this result has more than %d columns; name fewer symbols",
                         self->market ? "pairs" : "format", PT_CSV_COLUMNS);
        return;
    }
    if (!request->csv) pt_results_json(results, &json);
    pt_reply_keep(request, request->csv ? PT_TYPE_CSV : PT_TYPE_JSON, &out, pt_results_tag(results),
                  inputs, expires_us, results->total);
}

static void on_computed(struct pt_request *request, void *arg, const bson_t *doc,
                        const struct pt_err *err)
{
    struct analysis *self = arg;
    if (err != NULL) {
        pt_reply_header(request, "Retry-After", "1");
        pt_reply_problem(request, 503, "%s could not be computed: %s", self->script->name,
                         err->text);
        return;
    }
    /* "empty": there is no closed bar at or before as_of; a failure may not know its as_of either
     */
    const char *status = "";
    pt_doc_text(doc, "status", &status);
    size_t n = strcmp(status, "empty") != 0;
    /* the digest is of the scripts that were live when it was asked */
    if (request->failed ||
        pt_engine_generation(request->thread->http->engine) != request->generation)
        self->inputs = 0;
    struct pt_results results = { .n = n, .docs = doc, .total = (int64_t)n };
    struct pt_read *read = NULL;
    struct pt_err fault;
    if (pt_read_begin(request->thread->http->store, &read, &fault) == PT_OK)
        answer(request, self, read, &results, true);
    else
        pt_reply_error(request, &fault);
    pt_read_end(read);
}

/* As of when a result until as_of would be: of the last bar closed by then, of any symbol where all
 * are looked at, or of the newest book. */
static enum pt_code last_close(struct pt_read *read, const struct analysis *self, int64_t *close_us,
                               struct pt_err *err)
{
    if (pt_script_books(self->script, NULL, NULL))
        return pt_books_last(read, self->pair, self->as_of_us, close_us, err);
    if (!self->market)
        return pt_bars_last_close(read, self->pair, self->period_us, self->as_of_us, close_us, err);
    struct pt_symbols symbols = { 0 };
    struct pt_market_close found = { .close_us = PT_MISSING };
    enum pt_code rc = pt_symbols_read(read, 1u << PT_CANDLES, &symbols, err);
    if (rc == PT_OK || rc == PT_EDAMAGE) /* the market goes on without what is damaged */
        rc = pt_symbols_close(read, &symbols, self->period_us, self->as_of_us, &found, err);
    pt_symbols_fini(&symbols);
    *close_us = found.close_us;
    return rc;
}

/* What a unit will be computed from, looked at before: what comes meanwhile makes what is kept
 * outdated, and never wrong. A trail is made of stored results too. */
static uint64_t inputs_of(const struct pt_request *request, const struct analysis *self,
                          const struct pt_unit *unit)
{
    struct pt_read *read = NULL;
    struct pt_err err;
    int64_t close_us;
    uint64_t inputs = 0;
    if (has_trail(self) || pt_script_books(self->script, NULL, NULL)) return 0;
    if (pt_read_begin(request->thread->http->store, &read, &err) == PT_OK &&
        last_close(read, self, &close_us, &err) == PT_OK)
        inputs = pt_unit_inputs(read, self->scripts, unit, close_us);
    pt_read_end(read);
    return inputs;
}

/* What was computed before, if it is still right. */
static bool answer_kept(struct pt_request *request, const struct analysis *self)
{
    const struct pt_cache_entry *before = request->before;
    return before != NULL && pt_now_us() < before->expires_us &&
           pt_reply_same(request, self->inputs, before->expires_us);
}

/* One unit of the script alone: those that it needs come with it. */
static void compute(struct pt_request *request, struct analysis *self)
{
    const char *name = self->script->name;
    const bson_t *params = self->params;
    struct pt_unit unit = { .period_us = self->period_us,
                            .as_of_us = self->as_of_us,
                            .n = 1,
                            .names = &name,
                            .params = &params,
                            .urgent = true };
    struct pt_err err;
    strcpy(unit.symbol, self->pair);
    strcpy(unit.benchmark, self->benchmark);
    self->inputs = inputs_of(request, self, &unit);
    if (answer_kept(request, self)) {
        analysis_free(self);
        return;
    }
    if (pt_wait_begin(request, &unit, on_computed, analysis_free, self, &err) == PT_OK) return;
    pt_reply_header(request, "Retry-After", "1");
    pt_reply_problem(request, 503, "cannot be computed now: %s", err.text);
}

/* Is it the benchmark of the configuration in force? */
static bool is_configured(const struct pt_request *request, const char *benchmark)
{
    struct pt_conf *conf = pt_engine_conf(request->thread->http->engine);
    bool is = strcmp(benchmark, pt_conf_text(conf, "cycle", "benchmark")) == 0;
    pt_conf_free(conf);
    return is;
}

/* Of a market without the configured benchmark, the first of the pairs stands in: a stored result,
 * made with the first of all, is another one then. Notes which it has to be. */
static bool wants_other_benchmark(const struct pt_request *request, struct analysis *self,
                                  const bson_t *doc)
{
    const char *benchmark, *symbol;
    bson_t list;
    bson_iter_t iter;
    if (!self->market || self->npairs == 0 || !pt_doc_text(doc, "metadata.benchmark", &benchmark) ||
        is_configured(request, benchmark))
        return false;
    for (size_t i = 0; i < self->npairs; i++) {
        if (!pt_doc_child(doc, "symbols", &list) || !bson_iter_init(&iter, &list)) return false;
        while (bson_iter_next(&iter)) {
            if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
            symbol = bson_iter_utf8(&iter, NULL);
            if (strcmp(symbol, self->pairs[i]) != 0) continue;
            strcpy(self->benchmark, self->pairs[i]);
            return strcmp(symbol, benchmark) != 0;
        }
    }
    return false;
}

/* ---- stored results -----------------------------------------------------------------------------
 */

struct piece { /* of the snapshot */
    const uint8_t *bytes;
    uint32_t len;
};

struct gather {
    struct piece *pieces; /* [cap], in the order of the scan */
    size_t n, cap;
    int64_t seen, skip;
};

static bool gather_doc(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    struct gather *gather = arg;
    (void)key;
    (void)key_len;
    if (gather->seen >= gather->skip && gather->n < gather->cap) {
        gather->pieces[gather->n++] = (struct piece){ bson_get_data(view), view->len };
    }
    gather->seen++;
    return true;
}

/* Views of the documents, oldest first. (A bson_t points into itself and cannot be moved.) */
static enum pt_code view_docs(const struct gather *gather, bool reversed, bson_t *docs,
                              const char *collection, struct pt_err *err)
{
    for (size_t i = 0; i < gather->n; i++) {
        const struct piece *piece = &gather->pieces[reversed ? gather->n - 1 - i : i];
        if (bson_init_static(&docs[i], piece->bytes, piece->len)) continue;
        return pt_fail(err, PT_EDAMAGE, "%s: not a document", collection);
    }
    return PT_OK;
}

/* True: answered. False: nothing is stored and a worker may compute what was asked for. */
static bool answer_stored(struct pt_request *request, struct analysis *self)
{
    struct gather gather = { .cap = (size_t)self->limit, .skip = self->offset };
    struct pt_read *read = NULL;
    struct pt_err err;
    uint8_t from[16], to[16];
    bool answered = true;
    enum pt_code rc = PT_OK;
    bson_t *docs = pt_results_views(gather.cap);
    gather.pieces = calloc(gather.cap, sizeof *gather.pieces);
    if (docs == NULL || gather.pieces == NULL) rc = pt_fail(&err, PT_ENOMEM, "out of memory");
    if (rc == PT_OK) rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK && self->start_us < self->end_us) {
        pt_result_key(self->period_us, self->start_us, from);
        pt_result_key(self->period_us, self->end_us, to);
        rc = pt_docs_scan(read, self->collection, from, sizeof from, to, sizeof to,
                          self->from_newest, gather_doc, &gather, &err);
    }
    if (rc == PT_OK) rc = view_docs(&gather, self->from_newest, docs, self->collection, &err);
    if (rc != PT_OK) {
        pt_reply_error(request, &err);
    } else if (gather.seen == 0 && self->limit == 1 && self->offset == 0 && !self->ranged) {
        answered = false;
    } else if (self->limit == 1 && self->offset == 0 && !self->ranged && gather.n == 1 &&
               wants_other_benchmark(request, self, &docs[0])) {
        answered = false;
    } else {
        struct pt_results results = { .n = gather.n, .docs = docs, .total = gather.seen };
        answer(request, self, read, &results, false);
    }
    pt_read_end(read);
    free(gather.pieces);
    free(docs);
    return answered;
}

/* The stored result as of the last bar closed by as_of (or the newest book until then), if today's
 * script made it: it is the one a worker would give. */
static bool answer_exact(struct pt_request *request, struct analysis *self)
{
    struct pt_read *read = NULL;
    struct pt_err err;
    uint8_t key[16];
    int64_t close_us;
    bson_t doc;
    const char *hash;
    bool answered = false;
    if (!bson_empty(self->params)) return false;
    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK) rc = last_close(read, self, &close_us, &err);
    if (rc == PT_OK && close_us != PT_MISSING) {
        pt_result_key(self->period_us, close_us, key);
        rc = pt_docs_get(read, self->collection, key, sizeof key, &doc, &err);
        if (rc == PT_OK && pt_doc_text(&doc, "metadata.script_hash", &hash) &&
            strcmp(hash, self->script->source->hash) == 0 &&
            !wants_other_benchmark(request, self, &doc)) {
            struct pt_results results = { .n = 1, .docs = &doc, .total = 1 };
            answer(request, self, read, &results, false);
            answered = true;
        }
    }
    if (rc != PT_OK && rc != PT_ENOENT) {
        pt_reply_error(request, &err);
        answered = true;
    }
    pt_read_end(read);
    return answered;
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
    struct analysis *self = analysis_new(request, scripts, script);
    if (self == NULL) {
        pt_reply_problem(request, 503, "out of memory");
        return;
    }
    pt_list_form(request, &request->value[A_LIST_KEY], &request->value[A_FORMAT]);
    if (read_params(request, self, &err) != PT_OK) {
        pt_reply_problem(request, 422, "%s", err.text);
        analysis_free(self);
        return;
    }
    if (self->npairs > 0) strcpy(self->benchmark, self->pairs[0]);
    bool as_stored = bson_empty(self->params) && self->as_of_us == INT64_MAX;
    /* books come far more often than results are stored: the newest result is that of the newest
     * book */
    if (pt_script_books(script, NULL, NULL) && self->current && self->limit == 1 &&
        self->offset == 0 && !self->ranged)
        as_stored = false;
    if (as_stored ? answer_stored(request, self) : answer_exact(request, self))
        analysis_free(self);
    else
        compute(request, self);
}
