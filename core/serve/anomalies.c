#include "serve/anomalies.h"

#include "base/decimal.h"
#include "serve/list.h"
#include "serve/results.h"
#include "store/anomaly.h"

#include <stdlib.h>
#include <string.h>

/* ---- values -------------------------------------------------------------------------------------
 */

/* As a number where it is one. */
static void plain_value(const bson_iter_t *iter, struct pt_json *json)
{
    bson_t child;
    uint32_t len;
    const uint8_t *bytes;
    if (BSON_ITER_HOLDS_DOUBLE(iter)) {
        pt_json_double(json, bson_iter_double(iter));
    } else if (BSON_ITER_HOLDS_DOCUMENT(iter)) {
        bson_iter_document(iter, &len, &bytes);
        if (bson_init_static(&child, bytes, len))
            pt_doc_json_plain(&child, json);
        else
            pt_json_null(json);
    } else {
        pt_doc_json_value(iter, json);
    }
}

/* What clients of the original read as numbers. */
static bool is_plain(const char *name)
{
    return strcmp(name, "price") == 0 || strcmp(name, "volume") == 0 ||
           strcmp(name, "features") == 0;
}

static void write_member(const char *key, const bson_iter_t *iter, struct pt_json *json)
{
    pt_json_key(json, key);
    if (is_plain(key))
        plain_value(iter, json);
    else
        pt_doc_json_value(iter, json);
}

/* Null when it is not there. */
static void copy(const bson_t *doc, const char *name, const char *as, struct pt_json *json)
{
    bson_iter_t iter;
    if (bson_iter_init_find(&iter, doc, name)) {
        write_member(as, &iter, json);
    } else {
        pt_json_key(json, as);
        pt_json_null(json);
    }
}

static void write_details(const bson_t *doc, struct pt_json *json)
{
    bson_t details;
    bson_iter_t iter;
    if (!pt_doc_child(doc, "details", &details) || !bson_iter_init(&iter, &details)) {
        pt_json_null(json);
        return;
    }
    pt_json_object(json);
    while (bson_iter_next(&iter)) write_member(bson_iter_key(&iter), &iter, json);
    pt_json_object_end(json);
}

/* ---- entries of the log -------------------------------------------------------------------------
 */

static const char *const members[][2] = { /* of a reply, of the document */
                                          { "id", "id" },
                                          { "timestamp", "time" },
                                          { "pair", "symbol" },
                                          { "timeframe", "timeframe" },
                                          { "method", "method" },
                                          { "kind", "kind" },
                                          { "severity", "severity" },
                                          { "price", "price" },
                                          { "score", "score" },
                                          { "threshold", "threshold" },
                                          { "expected", "expected" },
                                          { "observed", "observed" },
                                          { "direction", "direction" },
                                          { "reason", "reason" },
                                          { "status", "status" },
                                          { "details", NULL },
                                          { "dataset", "dataset" },
                                          { "parameters", "parameters" },
                                          { "script_hash", "script_hash" },
                                          { "detected_at", "detected_at" },
                                          { "acknowledged_at", "acknowledged_at" },
                                          { "resolved_at", "resolved_at" }
};
#define MEMBERS (sizeof members / sizeof members[0])

void pt_anomaly_json(const bson_t *doc, struct pt_json *json)
{
    pt_json_object(json);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i][1] != NULL) {
            copy(doc, members[i][1], members[i][0], json);
        } else {
            pt_json_key(json, members[i][0]);
            write_details(doc, json);
        }
    }
    pt_json_object_end(json);
}

void pt_anomaly_csv_head(struct pt_buf *out)
{
    for (size_t i = 0; i < MEMBERS; i++)
        pt_buf_printf(out, "%s%s", i > 0 ? "," : "", members[i][0]);
    pt_buf_putc(out, '\n');
}

/* A document in one cell. */
static void csv_json(const bson_t *doc, bool details, const bson_t *child, struct pt_buf *out)
{
    struct pt_buf text = { 0 };
    struct pt_json json;
    pt_json_init(&json, &text);
    if (details)
        write_details(doc, &json);
    else
        pt_doc_json(child, &json);
    if (text.failed)
        out->failed = true;
    else
        pt_csv_text(out, text.data, text.len);
    pt_buf_fini(&text);
}

void pt_anomaly_csv(const bson_t *doc, struct pt_buf *out)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        const char *name = members[i][1] != NULL ? members[i][1] : members[i][0];
        bson_iter_t iter;
        bson_t child;
        if (i > 0) pt_buf_putc(out, ',');
        if (pt_doc_child(doc, name, &child))
            csv_json(doc, members[i][1] == NULL, &child, out);
        else if (bson_iter_init_find(&iter, doc, name))
            pt_results_csv_value(&iter, out);
    }
    pt_buf_putc(out, '\n');
}

/* ---- hits ---------------------------------------------------------------------------------------
 */

/* Would a detail of this name stand twice in the object? */
static bool is_taken(const bson_t *hit, const char *name)
{
    static const char *const ours[] = { "timestamp", "method", "id", "details", NULL };
    for (const char *const *word = ours; *word != NULL; word++) {
        if (strcmp(name, *word) == 0) return true;
    }
    return bson_has_field(hit, name);
}

/* Those whose names are free, or (taken) the others in an object of their own. */
static void write_beside(const bson_t *hit, bool taken, struct pt_json *json)
{
    bson_t details;
    bson_iter_t iter;
    size_t n = 0;
    if (!pt_doc_child(hit, "details", &details) || !bson_iter_init(&iter, &details)) return;
    while (bson_iter_next(&iter)) {
        if (is_taken(hit, bson_iter_key(&iter)) != taken) continue;
        if (n++ == 0 && taken) {
            pt_json_key(json, "details");
            pt_json_object(json);
        }
        write_member(bson_iter_key(&iter), &iter, json);
    }
    if (n > 0 && taken) pt_json_object_end(json);
}

void pt_hit_json(const bson_t *hit, const char *method, const char *id, struct pt_json *json)
{
    static const char *const first[] = { "price", "severity", "reason", NULL }, *const second[] = {
        "score", "threshold", "expected", "observed", "direction", NULL
    };
    pt_json_object(json);
    copy(hit, "time", "timestamp", json);
    for (const char *const *name = first; *name != NULL; name++) copy(hit, *name, *name, json);
    pt_json_kv_text(json, "method", method);
    for (const char *const *name = second; *name != NULL; name++) copy(hit, *name, *name, json);
    pt_json_kv_text(json, "id", id);
    write_beside(hit, false, json);
    write_beside(hit, true, json);
    pt_json_object_end(json);
}

/* ---- counts -------------------------------------------------------------------------------------
 */

static int compare(const struct pt_tally_entry *entry, const char *name, size_t len)
{
    int c = strncmp(entry->name, name, len);
    return c != 0 ? c : entry->name[len] != '\0';
}

void pt_tally_add(struct pt_tally *tally, const char *name, size_t len)
{
    size_t low = 0, high = tally->n;
    if (len >= sizeof tally->v->name) len = sizeof tally->v->name - 1;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare(&tally->v[mid], name, len);
        if (c == 0) {
            tally->v[mid].count++;
            return;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (tally->n == tally->cap) {
        size_t cap = tally->cap > 0 ? 2 * tally->cap : 64;
        struct pt_tally_entry *v = realloc(tally->v, cap * sizeof *v);
        if (v == NULL) {
            tally->failed = true;
            return;
        }
        tally->v = v;
        tally->cap = cap;
    }
    memmove(&tally->v[low + 1], &tally->v[low], (tally->n - low) * sizeof *tally->v);
    tally->v[low] = (struct pt_tally_entry){ .count = 1 };
    memcpy(tally->v[low].name, name, len);
    tally->n++;
}

void pt_tally_json(const struct pt_tally *tally, const char *key, struct pt_json *json)
{
    pt_json_key(json, key);
    pt_json_object(json);
    for (size_t i = 0; i < tally->n; i++) pt_json_kv_int(json, tally->v[i].name, tally->v[i].count);
    pt_json_object_end(json);
    if (tally->failed) json->out->failed = true;
}

void pt_tally_fini(struct pt_tally *tally)
{
    free(tally->v);
    *tally = (struct pt_tally){ 0 };
}

/* ---- what they look like ------------------------------------------------------------------------
 */

#define DECIMAL "{\"type\":[\"string\",\"null\"],\"pattern\":\"^-?\\\\d+(\\\\.\\\\d+)?$\"}"
#define NUMBER "{\"type\":[\"number\",\"null\"]}"
#define TEXT "{\"type\":\"string\"}"
#define NULL_TEXT "{\"type\":[\"string\",\"null\"]}"
#define COUNT "{\"type\":\"integer\"}"
#define ANY "{\"type\":[\"object\",\"null\"],\"additionalProperties\":true}"
#define COUNTS "{\"type\":\"object\",\"additionalProperties\":" COUNT "}"
#define PAGES                                                                                      \
    "{\"type\":\"object\",\"properties\":{\"total\":" COUNT ",\"limit\":" COUNT                    \
    ",\"offset\":" COUNT ",\"page\":" COUNT ",\"pages\":" COUNT                                    \
    ",\"has_next\":{\"type\":\"boolean\"},\"has_previous\":{\"type\":\"boolean\"}}}"
#define FIGURES                                                                                    \
    "\"score\":" DECIMAL ",\"threshold\":" DECIMAL ",\"expected\":" DECIMAL                        \
    ",\"observed\":" DECIMAL ",\"direction\":" TEXT ",\"reason\":" TEXT
#define ENTRY                                                                                      \
    "{\"type\":\"object\",\"properties\":{\"id\":" TEXT ",\"timestamp\":" TEXT ",\"pair\":" TEXT   \
    ",\"timeframe\":" NULL_TEXT ",\"method\":" TEXT ",\"kind\":" TEXT ",\"severity\":" TEXT        \
    ",\"price\":" NUMBER "," FIGURES ",\"status\":" TEXT ",\"details\":" ANY ",\"dataset\":" TEXT  \
    ",\"parameters\":" ANY ",\"script_hash\":" NULL_TEXT ",\"detected_at\":" TEXT                  \
    ",\"acknowledged_at\":" NULL_TEXT ",\"resolved_at\":" NULL_TEXT "}}"
#define HIT                                                                                        \
    "{\"type\":\"object\",\"properties\":{\"timestamp\":" TEXT ",\"price\":" NUMBER                \
    ",\"severity\":" TEXT ",\"method\":" TEXT "," FIGURES ",\"id\":" TEXT                          \
    "},\"additionalProperties\":true}"

static const char list_schema[] =
    "{\"type\":\"object\",\"properties\":{\"pair\":" NULL_TEXT
    ",\"anomalies\":{\"type\":\"array\",\"items\":" ENTRY "},\"total_count\":" COUNT
    ",\"damaged\":" COUNT ",\"severity_filter\":" NULL_TEXT ",\"timestamp\":" TEXT
    ",\"pagination\":" PAGES "}}",
                  detect_schema[] = "{\"type\":\"object\",\"properties\":{\"pair\":" TEXT
                                    ",\"timeframe\":" TEXT ",\"method\":" TEXT ",\"status\":" TEXT
                                    ",\"anomalies_detected\":{\"type\":[\"integer\",\"null\"]},"
                                    "\"anomalies\":{\"type\":\"array\",\"items\":" HIT
                                    "},\"timestamp\":" TEXT ",\"metadata\":" ANY "}}",
                  summary_schema[] =
                      "{\"type\":\"object\",\"properties\":{\"total_anomalies\":" COUNT
                      ",\"by_severity\":" COUNTS ",\"by_symbol\":" COUNTS ",\"by_method\":" COUNTS
                      ",\"by_kind\":" COUNTS ",\"by_status\":" COUNTS ",\"timestamp\":" TEXT "}}",
                  entry_schema[] = ENTRY;

bool pt_anomaly_schema(const struct pt_route *route, struct pt_json *json)
{
    static const struct {
        void (*handle)(struct pt_request *request);
        const char *schema;
    } all[] = { { pt_handle_anomalies, list_schema },
                { pt_handle_detect, detect_schema },
                { pt_handle_anomaly_summary, summary_schema },
                { pt_handle_acknowledge, entry_schema },
                { pt_handle_resolve, entry_schema } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].handle != route->handle) continue;
        pt_json_key(json, "schema");
        pt_json_raw(json, all[i].schema, strlen(all[i].schema));
        return true;
    }
    return false;
}
