/* results_csv.c - results as CSV: one line a result, maps as dotted columns.    [layer: serve] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "flow/result.h"
#include "serve/csv_columns.h"
#include "serve/list.h"
#include "serve/results.h"
#include "serve/shown.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What the lines are made of; nothing of it changes while they are written. */
struct table {
    const struct pt_results *results;
    bson_t *data;           /* owned: views of the data of each document */
    struct output *outputs; /* owned */
    size_t noutputs;
};

/* An output of document i, searched by either of its names. */
static bool value_of(const struct table *table, size_t i, const struct output *output,
                     bson_iter_t *value)
{
    const bson_t *data = &table->data[i];
    return bson_iter_init_find(value, data, output->name) ||
           (output->stored != NULL && bson_iter_init_find(value, data, output->stored));
}

static bool read_outputs(struct table *table)
{
    bson_t list;
    bson_iter_t iter;
    if (!pt_doc_child(table->results->script->declaration, "outputs", &list)) return false;
    table->outputs = calloc(bson_count_keys(&list) + 1, sizeof *table->outputs);
    if (table->outputs == NULL || !bson_iter_init(&iter, &list)) return false;
    while (bson_iter_next(&iter)) {
        struct output *output = &table->outputs[table->noutputs];
        bson_t one;
        uint32_t len;
        const uint8_t *bytes;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &bytes);
        if (!bson_init_static(&one, bytes, len) || !pt_doc_text(&one, "name", &output->name))
            continue;
        pt_doc_text(&one, "stored", &output->stored);
        output->by_symbol = pt_output_by_symbol(&one);
        table->noutputs++;
    }
    return true;
}

static bool table_init(struct table *table, const struct pt_results *results)
{
    static const uint8_t nothing[] = { 5, 0, 0, 0, 0 };
    *table = (struct table){ .results = results, .data = pt_results_views(results->n) };
    if (table->data == NULL || !read_outputs(table)) return false;
    for (size_t i = 0; i < results->n; i++)
        if (!pt_doc_child(&results->docs[i], "data", &table->data[i]))
            bson_init_static(&table->data[i], nothing, sizeof nothing);
    return true;
}

static void table_fini(struct table *table)
{
    free(table->outputs);
    free(table->data);
}

static bool is_nested(const bson_iter_t *value)
{
    return BSON_ITER_HOLDS_DOCUMENT(value) || BSON_ITER_HOLDS_ARRAY(value) ||
           BSON_ITER_HOLDS_BINARY(value);
}

static void add_output(const struct table *table, struct output *output,
                       struct pt_csv_columns *columns)
{
    const struct pt_results *results = table->results;
    bson_iter_t value;
    struct pt_shown shown;
    for (size_t i = 0; i < results->n && !output->nested; i++)
        output->nested = value_of(table, i, output, &value) && is_nested(&value);
    if (!output->nested) {
        pt_csv_columns_of(columns, output->name);
        return;
    }
    for (size_t i = 0; i < results->n && !columns->failed; i++) {
        if (!value_of(table, i, output, &value)) continue;
        if (BSON_ITER_HOLDS_NULL(&value)) continue;
        if (!pt_shown_init(&shown, results, &results->docs[i])) columns->failed = true;
        flatten_output(columns, &shown, output, &value, false);
        pt_shown_fini(&shown);
    }
}

static void write_line(const struct table *table, size_t i, struct pt_csv_columns *columns,
                       struct pt_buf *out)
{
    const struct pt_results *results = table->results;
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
    for (size_t k = 0; k < table->noutputs; k++) {
        const struct output *output = &table->outputs[k];
        bson_iter_t value;
        if (!value_of(table, i, output, &value)) continue;
        if (output->nested && BSON_ITER_HOLDS_NULL(&value)) continue;
        flatten_output(columns, &shown, output, &value, true);
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

/* ---- many lines ------------------------------------------------------------------------------
 * A replay has so many lines that they are half of its time where one thread writes them. Parts of
 * them are written side by side, each with cells of its own: all columns are there by then. */

enum { PART_LINES = 2048, PARTS_MAX = 4 };

struct part {
    const struct table *table;
    size_t from, to; /* lines */
    struct pt_csv_columns columns;
    struct pt_buf *out, own; /* the first part goes straight where all belongs */
    pthread_t thread;
    bool started;
};

static void *write_part(void *arg)
{
    struct part *part = arg;
    const struct pt_results *results = part->table->results;
    for (size_t k = part->from; k < part->to && !part->columns.failed; k++)
        write_line(part->table, results->descending ? results->n - 1 - k : k, &part->columns,
                   part->out);
    return NULL;
}

static size_t parts_of(size_t lines)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = lines / PART_LINES, most = cores > PARTS_MAX ? PARTS_MAX : (size_t)cores;
    if (cores < 1 || n < 1) return 1;
    return n < most ? n : most;
}

static void write_lines(const struct table *table, struct pt_csv_columns *columns,
                        struct pt_buf *out)
{
    struct part parts[PARTS_MAX] = { 0 };
    size_t lines = table->results->n, n = parts_of(lines);
    for (size_t p = 0; p < n; p++) {
        struct part *part = &parts[p];
        *part = (struct part){ .table = table, .from = lines * p / n, .to = lines * (p + 1) / n };
        part->out = p == 0 ? out : &part->own;
        if (!pt_csv_columns_share(&part->columns, columns)) columns->failed = true;
        /* this thread has the first part, and those that there is no other thread for */
        part->started =
            p > 0 && !columns->failed && pthread_create(&part->thread, NULL, write_part, part) == 0;
    }
    for (size_t p = 0; p < n; p++) {
        struct part *part = &parts[p];
        if (part->started)
            pthread_join(part->thread, NULL);
        else if (!columns->failed)
            write_part(part);
        if (part->columns.failed || part->own.failed) columns->failed = true;
        if (!columns->failed) pt_buf_add(out, part->own.data, part->own.len);
        pt_csv_columns_unshare(&part->columns);
        pt_buf_fini(&part->own);
    }
}

bool pt_results_csv(const struct pt_results *results, struct pt_buf *out)
{
    struct pt_csv_columns columns = { 0 };
    struct table table;
    if (!table_init(&table, results)) columns.failed = true;
    for (size_t k = 0; k < table.noutputs; k++) add_output(&table, &table.outputs[k], &columns);
    pt_buf_printf(out, "timestamp%s%s,status", results->asked_us ? ",as_of" : "",
                  results->by_pair ? ",pair" : "");
    for (size_t k = 0; k < columns.n && !columns.failed; k++) {
        pt_buf_putc(out, ',');
        pt_csv_text(out, columns.name[k], strlen(columns.name[k]));
    }
    pt_buf_putc(out, '\n');
    if (!columns.failed) write_lines(&table, &columns, out);
    if (columns.failed) out->failed = true;
    pt_csv_columns_fini(&columns);
    table_fini(&table);
    return !columns.many;
}
