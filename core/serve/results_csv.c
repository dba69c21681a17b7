/* results_csv.c - results as CSV: one line a result, maps as dotted columns.    [layer: serve] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/result.h"
#include "serve/csv_columns.h"
#include "serve/list.h"
#include "serve/results.h"
#include "serve/shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

static void write_int(int64_t v, struct pt_buf *out)
{
    char text[PT_DEC_TEXT_MAX];
    if (v == PT_MISSING) /* no decimal, but here a number like others */
        pt_buf_printf(out, "%lld", (long long)v);
    else
        pt_buf_add(out, text, pt_dec_print(v, 0, text));
}

void pt_results_csv_value(const bson_iter_t *iter, struct pt_buf *out)
{
    char text[PT_DOUBLE_TEXT_MAX];
    uint32_t len;
    switch (bson_iter_type(iter)) {
    case BSON_TYPE_DOUBLE:
        if (isfinite(bson_iter_double(iter)))
            pt_buf_add(out, text, pt_double_print(bson_iter_double(iter), text));
        break;
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64: write_int(bson_iter_as_int64(iter), out); break;
    case BSON_TYPE_BOOL: pt_buf_puts(out, bson_iter_bool(iter) ? "true" : "false"); break;
    case BSON_TYPE_DATE_TIME:
        pt_buf_add(out, text, pt_time_print(bson_iter_date_time(iter) * 1000, text));
        break;
    case BSON_TYPE_UTF8: {
        const char *word = bson_iter_utf8(iter, &len);
        pt_csv_text(out, word, len);
        break;
    }
    default: break; /* null is an empty field */
    }
}

/* Names one step of a path; no printf, which would take most of the time of a table. */
static void path_add(struct pt_buf *path, const char *name)
{
    pt_buf_putc(path, '.');
    pt_buf_puts(path, name);
}

static void path_cut(struct pt_buf *path, size_t len)
{
    path->len = len;
    path->data[len] = '\0';
}

/* Values below `iter`, each under its dotted path. fill: into the line; else only makes the
 * columns. */
static void flatten(struct pt_csv_columns *columns, const bson_iter_t *iter, struct pt_buf *path,
                    unsigned depth, bool fill)
{
    bson_iter_t inner;
    bool nested = BSON_ITER_HOLDS_DOCUMENT(iter) || BSON_ITER_HOLDS_ARRAY(iter);
    if (!nested || depth >= DEPTH_MAX || !bson_iter_recurse(iter, &inner)) {
        if (path->failed) columns->failed = true;
        if (columns->failed) return;
        size_t i = pt_csv_columns_of(columns, path->data);
        if (!fill || columns->failed) return;
        columns->cell[i].at = columns->line.len;
        pt_results_csv_value(iter, &columns->line);
        columns->cell[i].len = columns->line.len - columns->cell[i].at;
        return;
    }
    while (bson_iter_next(&inner)) {
        size_t len = path->len;
        path_add(path, bson_iter_key(&inner));
        flatten(columns, &inner, path, depth + 1, fill);
        if (path->failed) return;
        path_cut(path, len);
    }
}

struct output {
    const char *name, *stored;
    bool by_symbol;
    bool nested; /* a map, list or matrix in some document: then the name itself is no column */
};

/* A matrix: path.A.B for each two symbols that are shown. */
static void flatten_matrix(struct pt_csv_columns *columns, const struct pt_shown *shown,
                           const struct pt_matrix *matrix, struct pt_buf *path, bool fill)
{
    char text[PT_DOUBLE_TEXT_MAX];
    size_t len = path->len;
    if (!pt_csv_columns_fit(columns, shown->n * shown->n)) return;
    for (size_t i = 0; i < shown->n; i++) {
        for (size_t j = 0; j < shown->n && !columns->failed; j++) {
            path_add(path, shown->name[i]);
            path_add(path, shown->name[j]);
            if (path->failed) columns->failed = true;
            if (columns->failed) return;
            size_t at = pt_csv_columns_of(columns, path->data);
            path_cut(path, len);
            if (!fill || columns->failed) continue;
            if (shown->at[i] >= matrix->n || shown->at[j] >= matrix->n) continue;
            double x = pt_matrix_get(matrix, shown->at[i], shown->at[j]);
            columns->cell[at].at = columns->line.len;
            if (isfinite(x)) pt_buf_add(&columns->line, text, pt_double_print(x, text));
            columns->cell[at].len = columns->line.len - columns->cell[at].at;
        }
    }
}

/* An output as a whole: what is shown of it. */
static void flatten_output(struct pt_csv_columns *columns, const struct pt_shown *shown,
                           const struct output *output, const bson_iter_t *value, bool fill)
{
    struct pt_matrix matrix;
    struct pt_buf path = { 0 };
    bson_iter_t inner;
    pt_buf_puts(&path, output->name);
    if (pt_matrix_view(value, &matrix)) {
        flatten_matrix(columns, shown, &matrix, &path, fill);
    } else if (output->by_symbol && BSON_ITER_HOLDS_DOCUMENT(value)) {
        size_t len = path.len;
        for (size_t i = 0; i < shown->n && !path.failed; i++) {
            if (!bson_iter_recurse(value, &inner) || !bson_iter_find(&inner, shown->name[i]))
                continue;
            path_add(&path, shown->name[i]);
            flatten(columns, &inner, &path, 1, fill);
            if (path.failed) break;
            path_cut(&path, len);
        }
    } else {
        flatten(columns, value, &path, 0, fill);
    }
    if (path.failed) columns->failed = true;
    pt_buf_fini(&path);
}

/* The output called `name` of one document, NULL-safe search by either of its names. */
static bool value_of(const bson_t *doc, const char *name, const char *stored, bson_iter_t *value)
{
    bson_t data;
    return pt_doc_child(doc, "data", &data) &&
           (bson_iter_init_find(value, &data, name) ||
            (stored != NULL && bson_iter_init_find(value, &data, stored)));
}

static size_t read_outputs(const struct pt_results *results, struct output **out)
{
    bson_t list;
    bson_iter_t iter;
    size_t n = 0;
    *out = NULL;
    if (!pt_doc_child(results->script->declaration, "outputs", &list)) return 0;
    struct output *outputs = calloc(bson_count_keys(&list) + 1, sizeof *outputs);
    if (outputs == NULL || !bson_iter_init(&iter, &list)) {
        free(outputs);
        return 0;
    }
    while (bson_iter_next(&iter)) {
        bson_t one;
        uint32_t len;
        const uint8_t *bytes;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &bytes);
        if (!bson_init_static(&one, bytes, len) || !pt_doc_text(&one, "name", &outputs[n].name))
            continue;
        pt_doc_text(&one, "stored", &outputs[n].stored);
        outputs[n].by_symbol = pt_output_by_symbol(&one);
        n++;
    }
    *out = outputs;
    return n;
}

static bool is_nested(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_DOCUMENT(value) || BSON_ITER_HOLDS_ARRAY(value) ||
           BSON_ITER_HOLDS_BINARY(value);
}

static void add_output(const struct pt_results *results, struct output *output,
                       struct pt_csv_columns *columns)
{
    bson_iter_t value;
    struct pt_shown shown;
    for (size_t i = 0; i < results->n && !output->nested; i++) {
        output->nested =
            value_of(&results->docs[i], output->name, output->stored, &value) && is_nested(&value);
    }
    if (!output->nested) {
        pt_csv_columns_of(columns, output->name);
        return;
    }
    for (size_t i = 0; i < results->n && !columns->failed; i++) {
        if (!value_of(&results->docs[i], output->name, output->stored, &value)) continue;
        if (BSON_ITER_HOLDS_NULL(&value)) continue;
        if (!pt_shown_init(&shown, results, &results->docs[i])) columns->failed = true;
        flatten_output(columns, &shown, output, &value, false);
        pt_shown_fini(&shown);
    }
}

static void write_line(const struct pt_results *results, size_t i, const struct output *outputs,
                       size_t noutputs, struct pt_csv_columns *columns, struct pt_buf *out)
{
    const bson_t *doc = &results->docs[i];
    char text[PT_TIME_TEXT_MAX];
    struct pt_shown shown;
    int64_t as_of_us;
    const char *symbol;
    if (!pt_shown_init(&shown, results, doc)) columns->failed = true;
    if (results->asked_us) {
        pt_buf_add(out, text, pt_time_print(results->asked_us[i], text));
        pt_buf_putc(out, ',');
    }
    if (pt_result_as_of(doc, &as_of_us)) pt_buf_add(out, text, pt_time_print(as_of_us, text));
    if (results->by_pair && pt_doc_text(doc, "symbol", &symbol)) pt_buf_printf(out, ",%s", symbol);
    pt_buf_printf(out, ",%s", pt_results_status(results, i));
    if (columns->n > 0) memset(columns->cell, 0, columns->n * sizeof *columns->cell);
    pt_buf_clear(&columns->line);
    for (size_t k = 0; k < noutputs; k++) {
        bson_iter_t value;
        if (!value_of(doc, outputs[k].name, outputs[k].stored, &value)) continue;
        if (outputs[k].nested && BSON_ITER_HOLDS_NULL(&value)) continue;
        flatten_output(columns, &shown, &outputs[k], &value, true);
    }
    pt_shown_fini(&shown);
    for (size_t k = 0; k < columns->n; k++) {
        pt_buf_putc(out, ',');
        const struct pt_csv_cell *cell = &columns->cell[k];
        if (cell->len > 0) pt_buf_add(out, columns->line.data + cell->at, cell->len);
    }
    if (columns->line.failed) columns->failed = true;
    pt_buf_putc(out, '\n');
}

bool pt_results_csv(const struct pt_results *results, struct pt_buf *out)
{
    struct pt_csv_columns columns = { 0 };
    struct output *outputs;
    size_t noutputs = read_outputs(results, &outputs);
    if (outputs == NULL) columns.failed = true;
    for (size_t k = 0; k < noutputs; k++) add_output(results, &outputs[k], &columns);
    pt_buf_printf(out, "timestamp%s%s,status", results->asked_us ? ",as_of" : "",
                  results->by_pair ? ",pair" : "");
    for (size_t k = 0; k < columns.n && !columns.failed; k++) {
        pt_buf_putc(out, ',');
        pt_csv_text(out, columns.name[k], strlen(columns.name[k]));
    }
    pt_buf_putc(out, '\n');
    for (size_t k = 0; k < results->n && !columns.failed; k++) {
        write_line(results, results->descending ? results->n - 1 - k : k, outputs, noutputs,
                   &columns, out);
    }
    if (columns.failed) out->failed = true;
    pt_csv_columns_fini(&columns);
    free(outputs);
    return !columns.many;
}
