/* routes_anomalies.c - /anomalies: the log, its summary, and the status of an entry. [layer: serve]
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "serve/anomalies.h"
#include "serve/list.h"
#include "serve/thread.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

static const char *const sorts[] = { "timestamp", "severity", NULL };
enum { BY_TIME, BY_SEVERITY };

#define ROW_FROM                                                                                   \
    {                                                                                              \
        .name = "from", .type = PT_PARAM_TIME, .about = "bars from this time on, inclusive"        \
    }
#define ROW_TO                                                                                     \
    {                                                                                              \
        .name = "to", .type = PT_PARAM_TIME, .about = "bars up to this time, exclusive"            \
    }

enum {
    L_PAIR,
    L_SEVERITY,
    L_METHOD,
    L_STATUS,
    L_KIND,
    L_FROM,
    L_TO,
    L_LIMIT,
    L_OFFSET,
    L_SORT,
    L_ORDER,
    L_LIST_KEY,
    L_FORMAT
};
const struct pt_param pt_anomalies_params[] = {
    [L_PAIR] = { .name = "pair", .type = PT_PARAM_PAIR, .about = "only of this pair" },
    [L_SEVERITY] = { .name = "severity",
                     .type = PT_PARAM_WORD,
                     .words = pt_anomaly_severities,
                     .about = "only these" },
    [L_METHOD] = { .name = "method",
                   .type = PT_PARAM_TEXT,
                   .min = 1,
                   .max = PT_ANOMALY_METHOD_MAX - 1,
                   .about = "only what this detector found, or ingest, or feed" },
    [L_STATUS] = { .name = "status",
                   .type = PT_PARAM_WORD,
                   .words = pt_anomaly_statuses,
                   .about = "only these" },
    [L_KIND] = { .name = "kind",
                 .type = PT_PARAM_WORD,
                 .words = pt_anomaly_kinds,
                 .about = "only these" },
    [L_FROM] = ROW_FROM,
    [L_TO] = ROW_TO,
    [L_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [L_OFFSET] = { .name = "offset",
                   .type = PT_PARAM_INT,
                   .fallback = "0",
                   .min = 0,
                   .max = INT64_C(1000000000000),
                   .about = "rows to skip" },
    [L_SORT] = { .name = "sort_by",
                 .type = PT_PARAM_WORD,
                 .fallback = "timestamp",
                 .words = sorts,
                 .about = "what the rows are sorted by; those of one severity by their time" },
    [L_ORDER] = { .name = "sort_order",
                  .type = PT_PARAM_WORD,
                  .fallback = "desc",
                  .words = pt_order_words,
                  .about = "order of the rows" },
    [L_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [L_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

enum { S_FROM, S_TO };
const struct pt_param pt_anomaly_summary_params[] = {
    [S_FROM] = ROW_FROM,
    [S_TO] = ROW_TO,
    { 0 },
};

/* ---- the list -----------------------------------------------------------------------------------
 */

struct page {
    struct pt_read *read;
    struct pt_buf list; /* a JSON array, or lines of CSV */
    struct pt_json json;
    bool csv;
    int64_t offset, limit, total, given;
    int64_t at;      /* place in the list of the next that is chosen */
    bool counted;    /* total is known: the walk ends with the page */
    int64_t damaged; /* of the page: their places are empty */
    enum pt_code rc;
    struct pt_err *err;
};

static int word_of(const struct pt_value *value)
{
    return value->given ? (int)value->number : -1;
}

static struct pt_anomaly_filter filter_of(const struct pt_value *value)
{
    return (struct pt_anomaly_filter){
        .symbol = value[L_PAIR].given ? value[L_PAIR].symbol : NULL,
        .method = value[L_METHOD].given ? value[L_METHOD].text : NULL,
        .severity = word_of(&value[L_SEVERITY]),
        .kind = word_of(&value[L_KIND]),
        .status = word_of(&value[L_STATUS]),
        .from_us = value[L_FROM].given ? value[L_FROM].number : INT64_MIN,
        .to_us = value[L_TO].given ? value[L_TO].number : INT64_MAX
    };
}

/* Goes by all, reads only those of the page. */
static bool take(void *arg, const struct pt_anomaly *anomaly)
{
    struct page *page = arg;
    bson_t doc;
    if (page->given == page->limit && page->counted) return false;
    bool shown = page->at >= page->offset && page->given < page->limit;
    page->at++;
    if (!shown) return true;
    page->given++;
    page->rc = pt_anomaly_get(page->read, anomaly, &doc, page->err);
    if (page->rc == PT_EDAMAGE) {
        page->damaged++;
        page->rc = PT_OK;
        return true;
    }
    if (page->rc != PT_OK) return false;
    if (page->csv)
        pt_anomaly_csv(&doc, &page->list);
    else
        pt_anomaly_json(&doc, &page->json);
    return true;
}

static bool count_severity(void *arg, const struct pt_anomaly *anomaly)
{
    int64_t *counts = arg;
    counts[anomaly->severity]++;
    return true;
}

/* By time it is one walk, which counts too. By severity it is one that counts, and one for each
 * severity that the page has some of, so that nothing need be kept and sorted. */
static enum pt_code walk(struct page *page, const struct pt_anomaly_filter *filter, bool severity,
                         bool descending, struct pt_err *err)
{
    int64_t counts[PT_ANOMALY_NSEVERITIES] = { 0 };
    enum pt_code rc;
    if (!severity || filter->severity >= 0) {
        rc = pt_anomaly_each(page->read, filter, descending, take, page, err);
        page->total = page->at;
        return rc == PT_OK ? page->rc : rc;
    }
    rc = pt_anomaly_each(page->read, filter, false, count_severity, counts, err);
    page->counted = true;
    for (int i = 0; rc == PT_OK && i < PT_ANOMALY_NSEVERITIES; i++) {
        struct pt_anomaly_filter one = *filter;
        one.severity = descending ? PT_ANOMALY_NSEVERITIES - 1 - i : i;
        page->at = page->total;
        page->total += counts[one.severity];
        if (page->total <= page->offset || page->given == page->limit) continue;
        rc = pt_anomaly_each(page->read, &one, descending, take, page, err);
        if (rc == PT_OK) rc = page->rc;
    }
    return rc;
}

static void fill(void *arg, struct pt_buf *out)
{
    const struct page *page = arg;
    pt_buf_add(out, page->list.data, page->list.len);
    if (page->list.failed) out->failed = true;
}

static void write_list(const struct pt_request *request, struct page *page, struct pt_buf *out)
{
    const struct pt_value *value = request->value;
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", value[L_PAIR].given ? value[L_PAIR].symbol : NULL);
    pt_list_write(&json, "anomalies", request->lists, request->data, fill, page);
    pt_json_kv_int(&json, "total_count", page->total);
    pt_json_kv_int(&json, "damaged", page->damaged);
    pt_json_kv_text(&json, "severity_filter",
                    value[L_SEVERITY].given ? pt_anomaly_severities[value[L_SEVERITY].number]
                                            : NULL);
    pt_json_kv_time(&json, "timestamp", pt_now_us() / PT_US_SEC * PT_US_SEC);
    pt_list_pagination(&json, page->total, page->limit, page->offset);
    pt_json_object_end(&json);
}

/* The time of the reply, in whole seconds, is no part of the tag. */
static void reply(struct pt_request *request, struct page *page)
{
    struct pt_buf out = { 0 };
    uint64_t seed = (uint64_t)page->total + ((uint64_t)page->damaged << 32);
    uint64_t tag = XXH3_64bits_withSeed(page->list.data, page->list.len, seed);
    if (page->damaged > 0)
        pt_log(PT_ERROR, "http", "damaged", "uri=%.200s entries=%" PRId64 " the_last=\"%s\"",
               request->uri, page->damaged, page->err->text);
    if (page->csv)
        fill(page, &out);
    else
        write_list(request, page, &out);
    pt_reply_keep(request, page->csv ? PT_TYPE_CSV : PT_TYPE_JSON, &out, tag, 0, INT64_MAX,
                  page->total);
}

void pt_handle_anomalies(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct pt_err err;
    struct page page = {
        .offset = value[L_OFFSET].number, .limit = value[L_LIMIT].number, .rc = PT_OK, .err = &err
    };
    struct pt_anomaly_filter filter = filter_of(value);
    pt_list_form(request, &value[L_LIST_KEY], &value[L_FORMAT]);
    page.csv = request->csv;
    pt_json_init(&page.json, &page.list);
    if (page.csv)
        pt_anomaly_csv_head(&page.list);
    else
        pt_json_array(&page.json);
    enum pt_code rc = pt_read_begin(request->thread->http->store, &page.read, &err);
    if (rc == PT_OK)
        rc = walk(&page, &filter, value[L_SORT].number == BY_SEVERITY,
                  value[L_ORDER].number == PT_ORDER_DESC, &err);
    pt_read_end(page.read);
    if (!page.csv) pt_json_array_end(&page.json);
    if (rc == PT_OK)
        reply(request, &page);
    else
        pt_reply_error(request, &err);
    pt_buf_fini(&page.list);
}

/* ---- the summary --------------------------------------------------------------------------------
 */

struct summary {
    int64_t total, severity[PT_ANOMALY_NSEVERITIES], kind[PT_ANOMALY_NKINDS],
        status[PT_ANOMALY_NSTATUSES];
    struct pt_tally symbols, methods;
};

static bool count(void *arg, const struct pt_anomaly *anomaly)
{
    struct summary *summary = arg;
    summary->total++;
    summary->severity[anomaly->severity]++;
    summary->kind[anomaly->kind]++;
    summary->status[anomaly->status]++;
    pt_tally_add(&summary->symbols, anomaly->symbol, strlen(anomaly->symbol));
    pt_tally_add(&summary->methods, anomaly->method, anomaly->method_len);
    return !summary->symbols.failed && !summary->methods.failed;
}

static void write_counts(struct pt_json *json, const char *key, const char *const *words,
                         const int64_t *counts)
{
    pt_json_key(json, key);
    pt_json_object(json);
    for (size_t i = 0; words[i] != NULL; i++) pt_json_kv_int(json, words[i], counts[i]);
    pt_json_object_end(json);
}

static void write_summary(const struct summary *summary, struct pt_json *json)
{
    pt_json_kv_int(json, "total_anomalies", summary->total);
    write_counts(json, "by_severity", pt_anomaly_severities, summary->severity);
    pt_tally_json(&summary->symbols, "by_symbol", json);
    pt_tally_json(&summary->methods, "by_method", json);
    write_counts(json, "by_kind", pt_anomaly_kinds, summary->kind);
    write_counts(json, "by_status", pt_anomaly_statuses, summary->status);
}

void pt_handle_anomaly_summary(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct summary summary = { .total = 0 };
    struct pt_read *read = NULL;
    struct pt_buf out = { 0 };
    struct pt_json json;
    struct pt_err err;
    const struct pt_anomaly_filter filter = {
        .severity = -1,
        .kind = -1,
        .status = -1,
        .from_us = value[S_FROM].given ? value[S_FROM].number : INT64_MIN,
        .to_us = value[S_TO].given ? value[S_TO].number : INT64_MAX
    };
    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK) rc = pt_anomaly_each(read, &filter, false, count, &summary, &err);
    pt_read_end(read);
    if (rc == PT_OK) {
        pt_json_init(&json, &out);
        pt_json_object(&json);
        write_summary(&summary, &json);
        uint64_t tag = out.failed ? 0 : XXH3_64bits(out.data, out.len);
        pt_json_kv_time(&json, "timestamp", pt_now_us() / PT_US_SEC * PT_US_SEC);
        pt_json_object_end(&json);
        pt_reply_keep(request, PT_TYPE_JSON, &out, tag, 0, INT64_MAX, 0);
    } else {
        pt_reply_error(request, &err);
    }
    pt_tally_fini(&summary.symbols);
    pt_tally_fini(&summary.methods);
}

/* ---- acknowledged, resolved ---------------------------------------------------------------------
 */

static void settled(struct pt_request *request, void *arg, const bson_t *doc,
                    const struct pt_err *err)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    (void)arg;
    if (doc == NULL && err->code == PT_ENOENT) {
        pt_reply_problem(request, 404, "%s", err->text);
    } else if (doc == NULL && err->code == PT_EINVAL) {
        pt_reply_problem(request, 409, "%s", err->text);
    } else if (doc == NULL) {
        pt_reply_error(request, err);
    } else {
        pt_json_init(&json, &out);
        pt_anomaly_json(doc, &json);
        pt_reply_text(request, 200, PT_TYPE_JSON, &out);
    }
}

static void settle(struct pt_request *request, enum pt_anomaly_status status)
{
    struct pt_err err;
    if (pt_wait_settle(request, request->arg, status, settled, &err) == PT_OK) return;
    pt_reply_header(request, "Retry-After", "1");
    pt_reply_problem(request, 503, "cannot be done now: %s", err.text);
}

void pt_handle_acknowledge(struct pt_request *request)
{
    settle(request, PT_ANOMALY_ACKNOWLEDGED);
}

void pt_handle_resolve(struct pt_request *request)
{
    settle(request, PT_ANOMALY_RESOLVED);
}
