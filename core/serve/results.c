#include "serve/results.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/result.h"
#include "serve/list.h"
#include "serve/shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SOURCE "store"

bson_t *pt_results_views(size_t n)
{
    if (n >= SIZE_MAX / sizeof(bson_t)) return NULL;
    return aligned_alloc(_Alignof(bson_t), (n + 1) * sizeof(bson_t));
}

bool pt_result_is_list(const struct pt_script *script)
{
    const char *shape;
    return pt_doc_text(script->declaration, "shape", &shape) && strcmp(shape, "values") == 0;
}

int64_t pt_results_stale_us(const struct pt_script *script, int64_t as_of_us, int64_t period_us)
{
    int64_t max_age_us;
    if (script && pt_script_books(script, NULL, &max_age_us)) return as_of_us + max_age_us;
    return as_of_us + 3 * period_us + 60 * PT_US_SEC;
}

const char *pt_results_status(const struct pt_results *results, size_t i)
{
    const char *status;
    if (!pt_doc_text(&results->docs[i], "status", &status)) return "error";
    /* what failed has failed, however old it is; and a break lasts until the next book */
    bool broken = false;
    pt_doc_bool(&results->docs[i], "metadata.broken", &broken);
    bool lasts = broken || pt_result_failed(&results->docs[i]);
    return i + 1 == results->n && results->stale && !lasts ? "stale" : status;
}

/* ---- fields -----------------------------------------------------------------------------------
 */

/* Walks the declared outputs of a script beside the data of a document. Documents hold their fields
 * in the declared order, nearly always; where one does not, it is searched. */
struct walk {
    bson_iter_t outputs, data;
    bson_t list, fields;
    bool has_data, at_data;
    bson_t output;     /* the declared one */
    const char *name;  /* its name */
    bson_iter_t value; /* valid when found */
    bool found;
};

static bool walk_begin(struct walk *walk, const struct pt_script *script, const bson_t *doc)
{
    walk->has_data = doc != NULL && pt_doc_child(doc, "data", &walk->fields);
    walk->at_data =
        walk->has_data && bson_iter_init(&walk->data, &walk->fields) && bson_iter_next(&walk->data);
    return pt_doc_child(script->declaration, "outputs", &walk->list) &&
           bson_iter_init(&walk->outputs, &walk->list);
}

static bool walk_find(struct walk *walk, const char *name)
{
    if (walk->at_data && strcmp(bson_iter_key(&walk->data), name) == 0) {
        walk->value = walk->data;
        walk->at_data = bson_iter_next(&walk->data);
        return true;
    }
    return walk->has_data && bson_iter_init_find(&walk->value, &walk->fields, name);
}

static bool walk_next(struct walk *walk)
{
    while (bson_iter_next(&walk->outputs)) {
        uint32_t len;
        const uint8_t *bytes;
        const char *stored;
        if (!BSON_ITER_HOLDS_DOCUMENT(&walk->outputs)) continue;
        bson_iter_document(&walk->outputs, &len, &bytes);
        if (!bson_init_static(&walk->output, bytes, len) ||
            !pt_doc_text(&walk->output, "name", &walk->name))
            continue;
        walk->found = walk_find(walk, walk->name) ||
                      (pt_doc_text(&walk->output, "stored", &stored) && walk_find(walk, stored));
        return true;
    }
    return false;
}

static void write_fields(const struct pt_results *results, const bson_t *doc, struct pt_json *json)
{
    struct walk walk;
    struct pt_shown shown = { 0 };
    bool market = pt_script_is_market(results->script);
    if (!walk_begin(&walk, results->script, doc)) return;
    if (market && !pt_shown_init(&shown, results, doc)) json->out->failed = true;
    while (walk_next(&walk)) {
        pt_json_key(json, walk.name);
        if (!walk.found)
            pt_json_null(json);
        else if (market)
            pt_shown_value(&shown, &walk.output, &walk.value, json);
        else
            pt_doc_json_value(&walk.value, json);
    }
    pt_shown_fini(&shown);
}

void pt_results_fields_json(const struct pt_results *results, const bson_t *doc,
                            struct pt_json *json)
{
    pt_json_object(json);
    write_fields(results, doc, json);
    pt_json_object_end(json);
}

static void write_pairs(const struct pt_results *results, const bson_t *newest,
                        struct pt_json *json)
{
    struct pt_shown shown;
    pt_json_key(json, "pairs");
    if (!pt_shown_init(&shown, results, newest)) json->out->failed = true;
    pt_shown_names(&shown, json);
    pt_shown_fini(&shown);
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void write_as_of(const bson_t *doc, const char *key, struct pt_json *json)
{
    int64_t as_of_us;
    pt_list_time(json, key, doc != NULL && pt_result_as_of(doc, &as_of_us) ? as_of_us : PT_MISSING);
}

static void write_items(void *arg, struct pt_buf *out)
{
    const struct pt_results *results = arg;
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_array(&json);
    for (size_t k = 0; k < results->n; k++) {
        size_t i = results->descending ? results->n - 1 - k : k;
        pt_json_object(&json);
        write_as_of(&results->docs[i], "timestamp", &json);
        pt_json_kv_text(&json, "status", pt_results_status(results, i));
        write_fields(results, &results->docs[i], &json);
        if (i + 1 == results->n && pt_result_is_list(results->script))
            pt_trail_json(&results->trail, &json);
        pt_json_object_end(&json);
    }
    pt_json_array_end(&json);
}

void pt_results_provenance(const bson_t *doc, struct pt_json *json)
{
    bson_t metadata;
    bson_iter_t iter;
    if (!pt_doc_child(doc, "metadata", &metadata) || !bson_iter_init(&iter, &metadata)) return;
    while (bson_iter_next(&iter)) {
        pt_json_key(json, bson_iter_key(&iter));
        if (strcmp(bson_iter_key(&iter), "completeness") == 0 && BSON_ITER_HOLDS_DOUBLE(&iter))
            pt_json_double(json, bson_iter_double(&iter));
        else
            pt_doc_json_value(&iter, json);
    }
}

static void write_metadata(const struct pt_results *results, const bson_t *newest,
                           struct pt_json *json)
{
    double completeness = NAN;
    if (newest != NULL) pt_doc_double(newest, "metadata.completeness", &completeness);
    pt_json_key(json, "metadata");
    pt_json_object(json);
    write_as_of(newest, "timestamp", json);
    pt_list_percent(json, "data_completeness", completeness);
    write_as_of(newest, "last_updated", json);
    pt_json_kv_text(json, "source", SOURCE);
    pt_json_kv_text(json, "collection", results->collection);
    pt_json_kv_int(json, "records_returned", (int64_t)results->n);
    pt_json_kv_text(json, "computed", results->on_request ? "on_request" : "stored");
    if (newest != NULL) {
        pt_results_provenance(newest, json);
    } else {
        struct pt_buf message = { 0 };
        pt_buf_printf(&message, "No %s data available%s%s", results->script->name,
                      *results->pair ? " for " : "", results->pair);
        if (message.failed) json->out->failed = true;
        pt_json_kv_text(json, "message", message.data);
        pt_buf_fini(&message);
    }
    pt_json_object_end(json);
}

/* From the newest result, else from the declaration. */
static void write_described(const struct pt_results *results, const bson_t *newest,
                            struct pt_json *json)
{
    const char *method = NULL, *window = NULL;
    char room[PT_PERIOD_TEXT_MAX];
    const bson_t *declaration = results->script->declaration;
    if (newest == NULL || !pt_doc_text(newest, "metadata.method", &method))
        pt_doc_text(declaration, "method", &method);
    if (newest == NULL || !pt_doc_text(newest, "metadata.window", &window))
        pt_script_window(results->script, NULL, room, &window);
    pt_json_kv_text(json, "method", method);
    pt_json_kv_text(json, "window", window);
}

static void write_data(const struct pt_results *results, const bson_t *newest, struct pt_json *json)
{
    if (pt_script_is_market(results->script)) {
        write_fields(results, newest, json);
    } else if (newest == NULL) {
        pt_json_kv_null(json, "data");
    } else {
        pt_json_key(json, "data");
        pt_json_object(json);
        write_fields(results, newest, json);
        pt_trail_json(&results->trail, json);
        pt_json_object_end(json);
    }
    if (!results->history) return;
    pt_json_key(json, "history");
    pt_json_raw(json, "", 0); /* the value follows, straight into the buffer */
    write_items((void *)(size_t)results, json->out);
}

void pt_results_json(const struct pt_results *results, struct pt_json *json)
{
    char period[PT_PERIOD_TEXT_MAX];
    const bson_t *newest = results->n > 0 ? &results->docs[results->n - 1] : NULL;
    bool list = pt_result_is_list(results->script), market = pt_script_is_market(results->script);
    pt_json_object(json);
    if (market)
        write_pairs(results, newest, json);
    else
        pt_json_kv_text(json, "pair", results->pair);
    pt_period_print(results->period_us, period);
    pt_json_kv_text(json, "period", period);
    pt_json_kv_text(json, "metric", results->script->name);
    if (list || market) write_described(results, newest, json);
    pt_json_kv_text(json, "status",
                    newest != NULL ? pt_results_status(results, results->n - 1) : "empty");
    write_as_of(newest, "as_of", json);
    if (list) {
        pt_list_write(json, "values", results->lists, results->data, write_items,
                      (void *)(size_t)results);
    } else {
        write_data(results, newest, json);
    }
    if (list || results->history)
        pt_list_pagination(json, results->total, results->limit, results->offset);
    write_metadata(results, newest, json);
    pt_json_object_end(json);
}

/* ---- digests ----------------------------------------------------------------------------------
 */

/* Each piece is hashed with what came before as its seed. */
static uint64_t digest_element(const bson_iter_t *iter, uint64_t before)
{
    return XXH3_64bits_withSeed(iter->raw + iter->off, iter->next_off - iter->off, before);
}

static uint64_t digest_doc(const bson_t *doc, uint64_t digest)
{
    bson_iter_t iter, inner;
    if (!bson_iter_init(&iter, doc)) return digest;
    while (bson_iter_next(&iter)) {
        if (strcmp(bson_iter_key(&iter), "metadata") != 0 || !bson_iter_recurse(&iter, &inner)) {
            digest = digest_element(&iter, digest);
            continue;
        }
        while (bson_iter_next(&inner)) {
            if (strcmp(bson_iter_key(&inner), "computed_at") != 0)
                digest = digest_element(&inner, digest);
        }
    }
    return digest;
}

static uint64_t digest_all(const struct pt_results *results, bool with_time)
{
    int64_t paging[] = { (int64_t)results->n, results->total, results->stale };
    uint64_t digest = XXH3_64bits(paging, sizeof paging);
    for (size_t i = 0; i < results->n; i++) {
        const bson_t *doc = &results->docs[i];
        digest = with_time ? XXH3_64bits_withSeed(bson_get_data(doc), doc->len, digest)
                           : digest_doc(doc, digest);
    }
    return pt_trail_digest(&results->trail, digest) | 1; /* 0 means unknown */
}

uint64_t pt_results_tag(const struct pt_results *results)
{
    return digest_all(results, false);
}

uint64_t pt_results_inputs(const struct pt_results *results, uint64_t generation)
{
    return XXH3_64bits_withSeed(&generation, sizeof generation, digest_all(results, true)) | 1;
}
