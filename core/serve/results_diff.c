/* results_diff.c - where two results of the same bar differ, value by value.   [layer: serve] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/results.h"
#include "serve/shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

struct diff {
    const bson_t *before;
    const bson_t *doc; /* the one of now; says whose */
    int64_t at_us;
    bool pairs;
    struct pt_buf *out, path;
    size_t n;
};

/* timestamp,(pair,)output, */
static void begin_line(struct diff *diff)
{
    char text[PT_TIME_TEXT_MAX];
    const char *symbol;
    diff->n++;
    pt_buf_add(diff->out, text, pt_time_print(diff->at_us, text));
    if (diff->pairs && pt_doc_text(diff->doc, "symbol", &symbol))
        pt_buf_printf(diff->out, ",%s", symbol);
    pt_buf_printf(diff->out, ",%s,", diff->path.data);
}

static void put_line(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now)
{
    begin_line(diff);
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

/* ---- matrices ------------------------------------------------------------------------------ */

struct side { /* of one of the two results; zeroed: it has no matrix */
    struct pt_shown shown;
    struct pt_matrix matrix;
};

struct place { /* a symbol of either, and where each has it; SIZE_MAX: nowhere */
    const char *name;
    size_t at[2];
};

static bool side_init(struct side *side, const bson_t *doc, const bson_iter_t *value)
{
    static const struct pt_results all;
    *side = (struct side){ 0 };
    if (!value || !pt_matrix_view(value, &side->matrix)) return true;
    return pt_shown_init(&side->shown, &all, doc);
}

/* Both lists are sorted. How many there are. */
static size_t merge_places(const struct side *sides, struct place *places)
{
    const struct pt_shown *x = &sides[0].shown, *y = &sides[1].shown;
    size_t n = 0, i = 0, j = 0;
    while (i < x->n || j < y->n) {
        int order = i == x->n ? 1 : j == y->n ? -1 : strcmp(x->name[i], y->name[j]);
        places[n] = (struct place){ order <= 0 ? x->name[i] : y->name[j], { SIZE_MAX, SIZE_MAX } };
        if (order <= 0) places[n].at[0] = x->at[i++];
        if (order >= 0) places[n].at[1] = y->at[j++];
        n++;
    }
    return n;
}

static double cell_of(const struct side *side, size_t i, size_t j)
{
    if (i >= side->matrix.n || j >= side->matrix.n) return NAN;
    return pt_matrix_get(&side->matrix, i, j);
}

static void put_cell(struct pt_buf *out, double x)
{
    char text[PT_DOUBLE_TEXT_MAX];
    if (isfinite(x)) pt_buf_add(out, text, pt_double_print(x, text));
}

static void compare_cells(struct diff *diff, const struct side *sides, const struct place *a,
                          const struct place *b)
{
    double before = cell_of(&sides[0], a->at[0], b->at[0]),
           now = cell_of(&sides[1], a->at[1], b->at[1]);
    size_t len = diff->path.len;
    if (before == now || (!isfinite(before) && !isfinite(now))) return;
    pt_buf_printf(&diff->path, ".%s.%s", a->name, b->name);
    if (diff->path.failed) return;
    begin_line(diff);
    put_cell(diff->out, before);
    pt_buf_putc(diff->out, ',');
    put_cell(diff->out, now);
    pt_buf_putc(diff->out, '\n');
    diff->path.len = len;
    diff->path.data[len] = '\0';
}

/* Each two symbols once; a cell that is not there is a missing one. */
static void compare_matrices(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now)
{
    struct side sides[2];
    struct place *places = NULL;
    bool good = side_init(&sides[0], diff->before, before);
    good = side_init(&sides[1], diff->doc, now) && good;
    if (good) places = calloc(sides[0].shown.n + sides[1].shown.n + 1, sizeof *places);
    if (!places) diff->out->failed = true;
    size_t n = places ? merge_places(sides, places) : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) compare_cells(diff, sides, &places[i], &places[j]);
    free(places);
    pt_shown_fini(&sides[0].shown);
    pt_shown_fini(&sides[1].shown);
}

static bool is_matrix(const bson_iter_t *iter)
{
    struct pt_matrix matrix;
    return iter && pt_matrix_view(iter, &matrix);
}

/* ---- any value ----------------------------------------------------------------------------- */

/* NULL: the output is not there. */
static void compare(struct diff *diff, const bson_iter_t *before, const bson_iter_t *now,
                    unsigned depth)
{
    bool was = is_matrix(before), is = is_matrix(now);
    if (was || is) compare_matrices(diff, before, now);
    if (was && is) return;
    if (was) before = NULL; /* and what the other is, if it is something else */
    if (is) now = NULL;
    if ((was || is) && !before && !now) return;
    if (depth < DEPTH_MAX && (is_nested(before) || is_nested(now)))
        compare_members(diff, before, now, depth);
    else if (!before || !now || !is_same(before, now))
        put_line(diff, before, now);
}

size_t pt_results_diff(const bson_t *before, const bson_t *now, int64_t at_us, bool pairs,
                       struct pt_buf *out)
{
    static const char *const members[] = { "status", "data", NULL };
    struct diff diff = { .before = before, .doc = now, .at_us = at_us, .pairs = pairs, .out = out };
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
