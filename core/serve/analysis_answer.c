/* analysis_answer.c - what is stored, kept or computed as a reply.             [layer: serve] */
#include "serve/analysis_answer.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "flow/inputs.h"
#include "serve/results.h"
#include "store/books.h"
#include "store/symbols.h"

#include <stdlib.h>
#include <string.h>

#define FAILED_US PT_US_SEC /* so long what failed is not tried again */

/* Stored results are of the parameters in force, so they say nothing about others. */
static bool has_trail(const struct pt_asked *self)
{
    struct pt_trail trail;
    pt_trail_init(&trail, self->script);
    return trail.label[0] != '\0' && bson_empty(self->params);
}

/* What stored results say about the label of the newest. */
static enum pt_code add_trail(const struct pt_asked *self, struct pt_read *read,
                              struct pt_results *results, bool on_request, struct pt_err *err)
{
    pt_trail_init(&results->trail, self->script);
    if (results->n == 0 || !has_trail(self)) return PT_OK;
    return pt_trail_read(read, self->collection, self->period_us, &results->docs[results->n - 1],
                         !on_request, &results->trail, err);
}

/* The last of these is the newest that is stored: rows that are skipped are newer ones when they
 * are counted from the newest, and those that follow are when counted from the start. */
static bool holds_newest(const struct pt_asked *self, const struct pt_results *results)
{
    if (!self->current || results->n == 0) return false;
    return self->from_newest ? self->offset == 0
                             : self->offset + (int64_t)results->n >= results->total;
}

static void answer(struct pt_request *request, struct pt_asked *self, struct pt_read *read,
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
    struct pt_asked *self = arg;
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
static enum pt_code last_close(struct pt_read *read, const struct pt_asked *self, int64_t *close_us,
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
static uint64_t inputs_of(const struct pt_request *request, const struct pt_asked *self,
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
static bool answer_kept(struct pt_request *request, const struct pt_asked *self)
{
    const struct pt_cache_entry *before = request->before;
    return before != NULL && pt_now_us() < before->expires_us &&
           pt_reply_same(request, self->inputs, before->expires_us);
}

void pt_answer_computed(struct pt_request *request, struct pt_asked *self)
{
    const char *name = self->script->name; /* alone: those that it needs come with it */
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
        pt_asked_free(self);
        return;
    }
    if (pt_wait_begin(request, &unit, on_computed, pt_asked_free, self, &err) == PT_OK) return;
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
static bool wants_other_benchmark(const struct pt_request *request, struct pt_asked *self,
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

bool pt_answer_stored(struct pt_request *request, struct pt_asked *self)
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

bool pt_answer_exact(struct pt_request *request, struct pt_asked *self)
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
