/* sqlite_out.c - see sqlite_out.h */
#include "cli/sqlite_out.h"

#include "base/buf.h"
#include "base/decimal.h"

#include <sqlite3.h>
#include <stdlib.h>

struct pt_sqlite_out {
    sqlite3 *db;
    sqlite3_stmt *insert;
    const struct pt_kind *kind;
};

static enum pt_code fail(struct pt_sqlite_out *out, struct pt_err *err, const char *what)
{
    int code = sqlite3_errcode(out->db);
    return pt_fail(err, code == SQLITE_FULL ? PT_EFULL : PT_EIO, "sqlite: %s: %s", what,
                   sqlite3_errmsg(out->db));
}

/* fn(out, name) for each stored cell: name or name_1..name_N. */
static void each_cell(const struct pt_kind *kind, struct pt_buf *sql, bool create)
{
    bool first = true;
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *col = &kind->cols[c];
        const char *type =
            col->type == PT_TYPE_DEC || col->type == PT_TYPE_ENUM ? "TEXT" : "INTEGER";
        for (unsigned k = 0; k < col->width; k++) {
            pt_buf_puts(sql, first ? "" : ",");
            first = false;
            if (!create) {
                pt_buf_putc(sql, '?');
                continue;
            }
            pt_buf_printf(sql, "\"%s", col->name);
            if (col->width > 1) pt_buf_printf(sql, "_%u", k + 1);
            pt_buf_printf(sql, "\" %s", type);
        }
    }
}

enum pt_code pt_sqlite_out_open(const char *path, const struct pt_series_key *key,
                                struct pt_sqlite_out **made, struct pt_err *err)
{
    struct pt_sqlite_out *out = calloc(1, sizeof *out);
    if (out == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    out->kind = pt_kind(key->kind);
    char table[PT_SERIES_TEXT_MAX];
    pt_series_print(key, table);
    struct pt_buf create = { 0 }, insert = { 0 };
    pt_buf_printf(&create, "CREATE TABLE \"%s\" (", table);
    each_cell(out->kind, &create, true);
    pt_buf_puts(&create, ", PRIMARY KEY (");
    for (unsigned k = 0; k < out->kind->keys; k++)
        pt_buf_printf(&create, "%s\"%s\"", k ? "," : "", out->kind->cols[k].name);
    pt_buf_puts(&create, ")) WITHOUT ROWID");
    pt_buf_printf(&insert, "INSERT INTO \"%s\" VALUES (", table);
    each_cell(out->kind, &insert, false);
    pt_buf_putc(&insert, ')');
    enum pt_code rc = PT_OK;
    if (create.failed || insert.failed)
        rc = pt_fail(err, PT_ENOMEM, "out of memory");
    else if (sqlite3_open(path, &out->db) != SQLITE_OK)
        rc = fail(out, err, path);
    else if (sqlite3_exec(out->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        rc = fail(out, err, path);
    else if (sqlite3_exec(out->db, create.data, NULL, NULL, NULL) != SQLITE_OK)
        rc = fail(out, err, table);
    else if (sqlite3_prepare_v2(out->db, insert.data, -1, &out->insert, NULL) != SQLITE_OK)
        rc = fail(out, err, table);
    pt_buf_fini(&create);
    pt_buf_fini(&insert);
    if (rc == PT_OK)
        *made = out;
    else
        pt_sqlite_out_close(out);
    return rc;
}

static int bind_cell(struct pt_sqlite_out *out, int at, const struct pt_column *col, int64_t value,
                     uint8_t digits)
{
    if (value == PT_MISSING) return sqlite3_bind_null(out->insert, at);
    if (col->type == PT_TYPE_ENUM)
        return sqlite3_bind_text(out->insert, at, col->words[value], -1, SQLITE_STATIC);
    if (col->type != PT_TYPE_DEC) return sqlite3_bind_int64(out->insert, at, value);
    char text[PT_DEC_TEXT_MAX];
    size_t len = pt_dec_print(value, digits, text);
    return sqlite3_bind_text(out->insert, at, text, (int)len, SQLITE_TRANSIENT);
}

enum pt_code pt_sqlite_out_rows(struct pt_sqlite_out *out, const struct pt_frame *frame,
                                struct pt_err *err)
{
    for (size_t i = 0; i < frame->n; i++) {
        int at = 1;
        for (unsigned c = 0; c < out->kind->ncols; c++) {
            const struct pt_column *col = &out->kind->cols[c];
            for (size_t k = i * col->width; k < (i + 1) * col->width; k++)
                if (bind_cell(out, at++, col, frame->val[c][k],
                              frame->dig[c] ? frame->dig[c][k] : 0) != SQLITE_OK)
                    return fail(out, err, "bind");
        }
        if (sqlite3_step(out->insert) != SQLITE_DONE) return fail(out, err, "insert");
        sqlite3_reset(out->insert);
    }
    return PT_OK;
}

enum pt_code pt_sqlite_out_finish(struct pt_sqlite_out *out, struct pt_err *err)
{
    return sqlite3_exec(out->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
               ? PT_OK
               : fail(out, err, "commit");
}

void pt_sqlite_out_close(struct pt_sqlite_out *out)
{
    if (out == NULL) return;
    sqlite3_finalize(out->insert);
    sqlite3_close(out->db);
    free(out);
}
