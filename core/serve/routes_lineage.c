/* routes_lineage.c - /catalog/lineage/{id}: where the rows of a dataset came from. [layer: serve]
 */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/routes_catalog.h"

#include <math.h>
#include <string.h>

#define LINEAGE "lineage" /* collection; key: dataset id, NUL, time */

enum { L_LIMIT, L_LIST_KEY, L_FORMAT };
const struct pt_param pt_lineage_params[] = {
    [L_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [L_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [L_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

struct lineage {
    struct pt_json json;
    struct pt_buf list; /* a JSON array, or lines of CSV */
    bool csv;
    int64_t limit, given, total;
    int64_t newest_us;
};

static void copy(const bson_t *doc, const char *key, struct pt_json *json)
{
    bson_iter_t iter;
    pt_json_key(json, key);
    if (!bson_iter_init_find(&iter, doc, key))
        pt_json_null(json);
    else if (BSON_ITER_HOLDS_DOUBLE(&iter))
        pt_json_double(json, bson_iter_double(&iter)); /* seconds: a number, not a price */
    else
        pt_doc_json_value(&iter, json);
}

static void write_event(const bson_t *doc, struct pt_json *json)
{
    static const char *const after[] = { "transformation", "transformation_params",
                                         "script_hash",    "input_records",
                                         "output_records", "execution_time_seconds",
                                         "status",         "error_message",
                                         "timestamp" };
    bson_t sources;
    pt_json_object(json);
    copy(doc, "lineage_id", json);
    if (pt_doc_child(doc, "source_dataset_ids", &sources)) {
        copy(doc, "source_dataset_ids", json);
    } else { /* a file is no dataset */
        pt_json_key(json, "source_dataset_ids");
        pt_json_array(json);
        pt_json_array_end(json);
    }
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) copy(doc, after[i], json);
    pt_json_object_end(json);
}

static void write_event_line(const bson_t *doc, struct pt_buf *out)
{
    static const char *const columns[] = {
        "lineage_id", "transformation", "input_records", "output_records", "execution_time_seconds",
        "status",     "error_message",  "timestamp"
    };
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const char *text;
        int64_t number;
        double seconds;
        bson_iter_t iter;
        char room[PT_DOUBLE_TEXT_MAX];
        if (i > 0) pt_buf_putc(out, ',');
        if (pt_doc_text(doc, columns[i], &text))
            pt_csv_text(out, text, strlen(text));
        else if (pt_doc_int(doc, columns[i], &number))
            pt_buf_printf(out, "%lld", (long long)number);
        else if (pt_doc_double(doc, columns[i], &seconds) && isfinite(seconds))
            pt_buf_add(out, room, pt_double_print(seconds, room));
        else if (bson_iter_init_find(&iter, doc, columns[i]) && BSON_ITER_HOLDS_DATE_TIME(&iter))
            pt_buf_add(out, room, pt_time_print(bson_iter_date_time(&iter) * 1000, room));
    }
    pt_buf_putc(out, '\n');
}

static bool take_event(void *arg, const void *key, size_t key_len, const bson_t *doc)
{
    struct lineage *lineage = arg;
    bson_iter_t iter;
    (void)key;
    (void)key_len;
    lineage->total++;
    if (lineage->newest_us == PT_MISSING && bson_iter_init_find(&iter, doc, "timestamp") &&
        BSON_ITER_HOLDS_DATE_TIME(&iter))
        lineage->newest_us = bson_iter_date_time(&iter) * 1000;
    if (lineage->given == lineage->limit) return true;
    lineage->given++;
    if (lineage->csv)
        write_event_line(doc, &lineage->list);
    else
        write_event(doc, &lineage->json);
    return true;
}

static enum pt_code read_lineage(struct pt_request *request, struct lineage *lineage,
                                 struct pt_err *err)
{
    char from[PT_COLLECTION_MAX + 1], to[PT_COLLECTION_MAX + 1];
    size_t len = strlen(request->arg);
    struct pt_read *read = NULL;
    if (len >= PT_COLLECTION_MAX) return PT_OK; /* no id is so long */
    memcpy(from, request->arg, len + 1);
    memcpy(to, request->arg, len);
    to[len] = 1;
    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, err);
    if (rc == PT_OK)
        rc =
            pt_docs_scan(read, LINEAGE, from, len + 1, to, len + 1, true, take_event, lineage, err);
    pt_read_end(read);
    return rc;
}

static void fill_lineage(void *arg, struct pt_buf *out)
{
    const struct lineage *lineage = arg;
    pt_buf_add(out, lineage->list.data, lineage->list.len);
    if (lineage->list.failed) out->failed = true;
}

static void write_lineage(const struct pt_request *request, struct lineage *lineage,
                          struct pt_buf *out)
{
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "dataset_id", request->arg);
    pt_list_write(&json, "lineage", request->lists, request->data, fill_lineage, lineage);
    pt_list_pagination(&json, lineage->total, lineage->limit, 0);
    pt_json_key(&json, "metadata");
    pt_json_object(&json);
    pt_list_time(&json, "last_updated", lineage->newest_us);
    pt_json_kv_text(&json, "collection", LINEAGE);
    pt_json_kv_int(&json, "records_returned", lineage->given);
    pt_json_object_end(&json);
    pt_json_object_end(&json);
}

void pt_handle_lineage(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct lineage lineage = { .limit = value[L_LIMIT].number, .newest_us = PT_MISSING };
    struct pt_buf out = { 0 };
    struct pt_err err;
    pt_list_form(request, &value[L_LIST_KEY], &value[L_FORMAT]);
    lineage.csv = request->csv;
    pt_json_init(&lineage.json, &lineage.list);
    if (lineage.csv)
        pt_buf_puts(&lineage.list, "lineage_id,transformation,input_records,output_records,"
                                   "execution_time_seconds,status,error_message,timestamp\n");
    else
        pt_json_array(&lineage.json);
    if (read_lineage(request, &lineage, &err) != PT_OK) {
        pt_reply_error(request, &err);
        goto out;
    }
    /* what was written once is told even when the rows are gone */
    if (lineage.total == 0 && pt_catalog_get(request) == NULL) goto out;
    if (lineage.csv) {
        fill_lineage(&lineage, &out);
    } else {
        pt_json_array_end(&lineage.json);
        write_lineage(request, &lineage, &out);
    }
    pt_catalog_reply(request, &out, lineage.total);
out:
    pt_buf_fini(&lineage.list);
}
