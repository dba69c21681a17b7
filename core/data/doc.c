/* doc.c - reading BSON documents and writing them as JSON.                     [layer: data] */
#include "data/doc.h"

static bool find(const bson_t *doc, const char *path, bson_iter_t *iter)
{
    bson_iter_t top;
    return bson_iter_init(&top, doc) && bson_iter_find_descendant(&top, path, iter);
}

bool pt_doc_text(const bson_t *doc, const char *path, const char **text)
{
    bson_iter_t iter;
    if (!find(doc, path, &iter) || !BSON_ITER_HOLDS_UTF8(&iter)) return false;
    *text = bson_iter_utf8(&iter, NULL);
    return true;
}

bool pt_doc_int(const bson_t *doc, const char *path, int64_t *v)
{
    bson_iter_t iter;
    if (!find(doc, path, &iter)) return false;
    if (!BSON_ITER_HOLDS_INT32(&iter) && !BSON_ITER_HOLDS_INT64(&iter)) return false;
    *v = bson_iter_as_int64(&iter);
    return true;
}

bool pt_doc_double(const bson_t *doc, const char *path, double *v)
{
    bson_iter_t iter;
    if (!find(doc, path, &iter) || !BSON_ITER_HOLDS_DOUBLE(&iter)) return false;
    *v = bson_iter_double(&iter);
    return true;
}

bool pt_doc_bool(const bson_t *doc, const char *path, bool *v)
{
    bson_iter_t iter;
    if (!find(doc, path, &iter) || !BSON_ITER_HOLDS_BOOL(&iter)) return false;
    *v = bson_iter_bool(&iter);
    return true;
}

static bool child_of(const bson_iter_t *iter, bson_t *child)
{
    uint32_t len = 0;
    const uint8_t *data = NULL;
    if (BSON_ITER_HOLDS_DOCUMENT(iter))
        bson_iter_document(iter, &len, &data);
    else if (BSON_ITER_HOLDS_ARRAY(iter))
        bson_iter_array(iter, &len, &data);
    else
        return false;
    return data && bson_init_static(child, data, len);
}

bool pt_doc_next(bson_iter_t *iter, bson_t *entry)
{
    while (bson_iter_next(iter)) {
        uint32_t len = 0;
        const uint8_t *data = NULL;
        if (!BSON_ITER_HOLDS_DOCUMENT(iter)) continue;
        bson_iter_document(iter, &len, &data);
        if (data && bson_init_static(entry, data, len)) return true;
    }
    return false;
}

bool pt_doc_child(const bson_t *doc, const char *path, bson_t *child)
{
    bson_iter_t iter;
    return find(doc, path, &iter) && child_of(&iter, child);
}

/* A document may be nested deeper than the writer's brackets; what does not fit is written as null.
 */
static void write_value(const bson_iter_t *iter, struct pt_json *json, bool plain);

static void write_members(const bson_t *doc, struct pt_json *json, bool keys, bool plain)
{
    bson_iter_t iter;
    if (!bson_iter_init(&iter, doc)) return;
    while (bson_iter_next(&iter)) {
        if (keys) pt_json_key(json, bson_iter_key(&iter));
        write_value(&iter, json, plain);
    }
}

static void write_nested(const bson_iter_t *iter, struct pt_json *json, bool plain)
{
    bson_t child;
    if (json->depth >= PT_JSON_DEPTH_MAX || !child_of(iter, &child)) {
        pt_json_null(json);
    } else if (BSON_ITER_HOLDS_ARRAY(iter)) {
        pt_json_array(json);
        write_members(&child, json, false, plain);
        pt_json_array_end(json);
    } else {
        pt_json_object(json);
        write_members(&child, json, true, plain);
        pt_json_object_end(json);
    }
}

static void write_value(const bson_iter_t *iter, struct pt_json *json, bool plain)
{
    uint32_t len;
    const char *text;
    switch (bson_iter_type(iter)) {
    case BSON_TYPE_DOUBLE:
        if (plain)
            pt_json_double(json, bson_iter_double(iter));
        else
            pt_json_number_text(json, bson_iter_double(iter));
        break;
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64: pt_json_int(json, bson_iter_as_int64(iter)); break;
    case BSON_TYPE_BOOL: pt_json_bool(json, bson_iter_bool(iter)); break;
    case BSON_TYPE_DATE_TIME: {
        int64_t ms = bson_iter_date_time(iter);
        if (ms > INT64_MAX / 1000 || ms < INT64_MIN / 1000)
            pt_json_null(json);
        else
            pt_json_time(json, ms * 1000);
        break;
    }
    case BSON_TYPE_UTF8:
        text = bson_iter_utf8(iter, &len);
        pt_json_text_n(json, text, len);
        break;
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: write_nested(iter, json, plain); break;
    default: pt_json_null(json); break;
    }
}

void pt_doc_json_value(const bson_iter_t *iter, struct pt_json *json)
{
    write_value(iter, json, false);
}

void pt_doc_json(const bson_t *doc, struct pt_json *json)
{
    pt_json_object(json);
    write_members(doc, json, true, false);
    pt_json_object_end(json);
}

void pt_doc_json_plain(const bson_t *doc, struct pt_json *json)
{
    pt_json_object(json);
    write_members(doc, json, true, true);
    pt_json_object_end(json);
}
