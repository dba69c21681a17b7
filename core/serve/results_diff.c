/* results_diff.c - where two results of the same bar differ, value by value.   [layer: serve] */
#include "base/timefmt.h"
#include "flow/result.h"
#include "serve/results.h"

#include <string.h>

#define DEPTH_MAX 8

struct diff {
    const bson_t *doc; /* says when and whose */
    bool pairs;
    struct pt_buf *out, path;
    size_t n;
};

static void put_line(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now)
{
    char text[PT_TIME_TEXT_MAX];
    int64_t as_of_us;
    const char *symbol;
    diff->n++;
    if (pt_result_as_of(diff->doc, &as_of_us))
        pt_buf_add(diff->out, text, pt_time_print(as_of_us, text));
    if (diff->pairs && pt_doc_text(diff->doc, "symbol", &symbol))
        pt_buf_printf(diff->out, ",%s", symbol);
    pt_buf_printf(diff->out, ",%s,", diff->path.data);
    if (before) pt_results_csv_value(before, diff->out);
    pt_buf_putc(diff->out, ',');
    if (now) pt_results_csv_value(now, diff->out);
    pt_buf_putc(diff->out, '\n');
}

static bool is_nested(const bson_iter_t *iter)
{
    return iter && (BSON_ITER_HOLDS_DOCUMENT(iter) || BSON_ITER_HOLDS_ARRAY(iter));
}

static bool is_same(const bson_iter_t *a, const bson_iter_t *b)
{
    if (bson_iter_type(a) != bson_iter_type(b)) return false;
    if (BSON_ITER_HOLDS_DOUBLE(a)) {
        double x = bson_iter_double(a), y = bson_iter_double(b);
        return x == y || memcmp(&x, &y, sizeof x) == 0; /* a 0 has no sign in any reply */
    }
    if (BSON_ITER_HOLDS_UTF8(a))
        return strcmp(bson_iter_utf8(a, NULL), bson_iter_utf8(b, NULL)) == 0;
    return bson_iter_as_int64(a) == bson_iter_as_int64(b); /* null is 0 in both */
}

static void compare(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now,
                    unsigned depth);

static void enter(struct diff *diff, const char *key, const bson_iter_t *before,
                  const bson_iter_t *now, unsigned depth)
{
    size_t len = diff->path.len;
    pt_buf_printf(&diff->path, "%s%s", len > 0 ? "." : "", key);
    if (!diff->path.failed) {
        compare(diff, before, now, depth);
        diff->path.len = len;
        diff->path.data[len] = '\0';
    }
}

/* Members of `now` in their order, then those that only `before` has. Either may be something else
 * than a map, or NULL: it has no members then. */
static void compare_members(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now,
                            unsigned depth)
{
    bson_iter_t x, y, found;
    bool some = is_nested(before) && bson_iter_recurse(before, &x);
    if (is_nested(now) && bson_iter_recurse(now, &y))
        while (bson_iter_next(&y)) {
            bool both = some && bson_iter_recurse(before, &found) &&
                        bson_iter_find(&found, bson_iter_key(&y));
            enter(diff, bson_iter_key(&y), both ? &found : NULL, &y, depth + 1);
        }
    while (some && bson_iter_next(&x)) {
        bool both = is_nested(now) && bson_iter_recurse(now, &found) &&
                    bson_iter_find(&found, bson_iter_key(&x));
        if (!both) enter(diff, bson_iter_key(&x), &x, NULL, depth + 1);
    }
}

/* NULL: the output is not there. */
static void compare(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now,
                    unsigned depth)
{
    if (depth < DEPTH_MAX && (is_nested(before) || is_nested(now)))
        compare_members(diff, before, now, depth);
    else if (!before || !now || !is_same(before, now))
        put_line(diff, before, now);
}

size_t pt_results_diff(const bson_t *before, const bson_t *now, bool pairs, struct pt_buf *out)
{
    static const char *const members[] = { "status", "data", NULL };
    struct diff diff = { .doc = now, .pairs = pairs, .out = out };
    for (const char *const *name = members; *name; name++) {
        bson_iter_t x, y;
        bool was = bson_iter_init_find(&x, before, *name), is = bson_iter_init_find(&y, now, *name);
        if (strcmp(*name, "data") == 0)
            compare_members(&diff, was ? &x : NULL, is ? &y : NULL, 0);
        else
            enter(&diff, *name, was ? &x : NULL, is ? &y : NULL, 0);
    }
    if (diff.path.failed) out->failed = true;
    pt_buf_fini(&diff.path);
    return diff.n;
}
