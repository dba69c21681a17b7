/* check_compare.c - comparing results, and saying where they differ.           [layer: bindings] */
#include "bindings/check_compare.h"

#include <stdio.h>
#include <string.h>

static bool same_child(const bson_t *a, const bson_t *b, const char *path)
{
    bson_t x, y;
    bool in_a = pt_doc_child(a, path, &x), in_b = pt_doc_child(b, path, &y);
    if (in_a != in_b) return false;
    return !in_a || (x.len == y.len && memcmp(bson_get_data(&x), bson_get_data(&y), x.len) == 0);
}

bool pt_results_same(const bson_t *a, const bson_t *b)
{
    const char *x = "", *y = "";
    pt_doc_text(a, "status", &x);
    pt_doc_text(b, "status", &y);
    return strcmp(x, y) == 0 && same_child(a, b, "data") && same_child(a, b, "metadata.reasons");
}

void pt_results_shift(bson_t *doc, int64_t us)
{
    bson_iter_t top, list, found, member;
    if (!bson_iter_init(&top, doc) || !bson_iter_find_descendant(&top, "data.anomalies", &list) ||
        !bson_iter_recurse(&list, &found))
        return;
    while (bson_iter_next(&found)) {
        if (!bson_iter_recurse(&found, &member) || !bson_iter_find(&member, "time") ||
            !BSON_ITER_HOLDS_DATE_TIME(&member))
            continue;
        bson_iter_overwrite_date_time(&member, bson_iter_date_time(&member) + us / 1000);
    }
}

static bool is_nested(const bson_iter_t *iter)
{
    return BSON_ITER_HOLDS_DOCUMENT(iter) || BSON_ITER_HOLDS_ARRAY(iter);
}

static bool same_value(const bson_iter_t *a, const bson_iter_t *b)
{
    bson_t x = BSON_INITIALIZER, y = BSON_INITIALIZER;
    bool same = bson_append_iter(&x, "v", 1, a) && bson_append_iter(&y, "v", 1, b) &&
                x.len == y.len && memcmp(bson_get_data(&x), bson_get_data(&y), x.len) == 0;
    bson_destroy(&x);
    bson_destroy(&y);
    return same;
}

static void words(const bson_iter_t *iter, char out[64])
{
    const char *text;
    uint32_t len = 0;
    if (!iter) {
        snprintf(out, 64, "nothing");
    } else if (BSON_ITER_HOLDS_DOUBLE(iter)) {
        snprintf(out, 64, "%.17g", bson_iter_double(iter));
    } else if (BSON_ITER_HOLDS_INT64(iter)) {
        snprintf(out, 64, "%lld", (long long)bson_iter_int64(iter));
    } else if (BSON_ITER_HOLDS_UTF8(iter)) {
        text = bson_iter_utf8(iter, &len);
        snprintf(out, 64, "\"%.50s\"", text);
    } else {
        snprintf(out, 64, "%s", is_nested(iter) ? "a table" : "null");
    }
}

/* The first value of `a` that b has otherwise; false when there is none. */
static bool walk(const bson_t *a, const bson_t *b, struct pt_difference *out)
{
    bson_iter_t x, y;
    size_t used = strlen(out->path);
    if (!bson_iter_init(&x, a)) return false;
    while (bson_iter_next(&x)) {
        bool there = bson_iter_init_find(&y, b, bson_iter_key(&x));
        if (there && same_value(&x, &y)) continue;
        snprintf(out->path + used, sizeof out->path - used, "%s%s", used > 0 ? "." : "",
                 bson_iter_key(&x));
        bson_t p, q;
        uint32_t np = 0, nq = 0;
        const uint8_t *dp = NULL, *dq = NULL;
        if (there && is_nested(&x) && is_nested(&y)) {
            (BSON_ITER_HOLDS_ARRAY(&x) ? bson_iter_array : bson_iter_document)(&x, &np, &dp);
            (BSON_ITER_HOLDS_ARRAY(&y) ? bson_iter_array : bson_iter_document)(&y, &nq, &dq);
            if (dp && dq && bson_init_static(&p, dp, np) && bson_init_static(&q, dq, nq) &&
                walk(&p, &q, out))
                return true;
        }
        words(&x, out->a);
        words(there ? &y : NULL, out->b);
        return true;
    }
    return false;
}

void pt_results_difference(const bson_t *a, const bson_t *b, struct pt_difference *out)
{
    static const char *const parts[] = { "data", "metadata.reasons" };
    bson_t x, y;
    const char *was = "", *is = "";
    *out = (struct pt_difference){ 0 };
    pt_doc_text(a, "status", &was);
    pt_doc_text(b, "status", &is);
    if (strcmp(was, is) == 0) {
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            if (!pt_doc_child(a, parts[i], &x) || !pt_doc_child(b, parts[i], &y)) continue;
            if (walk(&x, &y, out)) {
                snprintf(out->output, sizeof out->output, "%.*s", (int)strcspn(out->path, "."),
                         out->path);
                return;
            }
            if (walk(&y, &x, out)) { /* b has more */
                char text[64];
                memcpy(text, out->a, sizeof text);
                memcpy(out->a, out->b, sizeof text);
                memcpy(out->b, text, sizeof text);
                snprintf(out->output, sizeof out->output, "%.*s", (int)strcspn(out->path, "."),
                         out->path);
                return;
            }
        }
    }
    snprintf(out->a, sizeof out->a, "status %.40s", was);
    snprintf(out->b, sizeof out->b, "status %.40s", is);
}

static bool any_value(bson_iter_t *iter)
{
    bson_iter_t child;
    if (!is_nested(iter)) return !BSON_ITER_HOLDS_NULL(iter);
    if (!bson_iter_recurse(iter, &child)) return false;
    if (BSON_ITER_HOLDS_ARRAY(iter)) return true; /* an empty list says something */
    while (bson_iter_next(&child))
        if (any_value(&child)) return true;
    return false;
}

enum pt_given pt_result_given(const bson_t *doc, const char *output, const char *not_finite)
{
    bson_t part;
    bson_iter_t iter;
    size_t len = strlen(output);
    enum pt_given best = PT_GIVEN_NOT;
    if (pt_doc_child(doc, "data", &part) && bson_iter_init_find(&iter, &part, output) &&
        any_value(&iter))
        return PT_GIVEN;
    if (!pt_doc_child(doc, "metadata.reasons", &part) || !bson_iter_init(&iter, &part)) return best;
    while (bson_iter_next(&iter)) { /* reasons are named by path: "map.key" */
        const char *key = bson_iter_key(&iter);
        if (strncmp(key, output, len) != 0 || (key[len] != '\0' && key[len] != '.')) continue;
        const char *word = BSON_ITER_HOLDS_UTF8(&iter) ? bson_iter_utf8(&iter, NULL) : "";
        if (strcmp(word, "not_given") == 0) continue;
        if (strcmp(word, not_finite) != 0) return PT_GIVEN;
        best = PT_GIVEN_NOT_FINITE;
    }
    return best;
}
