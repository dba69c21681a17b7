/* dump.c - rows as CSV and JSON lines.                                         [layer: data] */
#include "data/dump.h"

#include "base/decimal.h"
#include "base/json.h"

#include <string.h>

/* The end of a buffer with room for one row; NULL without memory. */
#define CELL_TEXT_MAX (PT_DEC_TEXT_MAX + 1) /* and a comma */
static char *room(struct pt_buf *out, const struct pt_kind *kind)
{
    if (out->failed || !pt_buf_reserve(out, (size_t)pt_kind_cells(kind) * CELL_TEXT_MAX))
        return NULL;
    return out->data + out->len;
}

static char *print_int(int64_t value, char *p)
{
    char digits[20];
    unsigned n = 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do digits[n++] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0) *p++ = '-';
    while (n > 0) *p++ = digits[--n];
    return p;
}

static const char *word_of(const struct pt_column *column, int64_t value)
{
    for (int64_t i = 0; column->words[i]; i++) {
        if (i == value) return column->words[i];
    }
    return "";
}

static char *print_cell(const struct pt_column *column, int64_t value, uint8_t digits, char *p)
{
    if (value == PT_MISSING) return p;
    switch (column->type) {
    case PT_TYPE_DEC: return p + pt_dec_print(value, digits, p);
    case PT_TYPE_ENUM: return stpcpy(p, word_of(column, value));
    default: return print_int(value, p);
    }
}

void pt_dump_csv_header(const struct pt_kind *kind, struct pt_buf *out)
{
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *column = &kind->cols[c];
        for (unsigned w = 0; w < column->width; w++) {
            if (c + w > 0) pt_buf_putc(out, ',');
            pt_buf_puts(out, column->name);
            if (column->width > 1) pt_buf_printf(out, "_%u", w + 1);
        }
    }
    pt_buf_putc(out, '\n');
}

void pt_dump_csv(const struct pt_frame *frame, size_t from, size_t n, struct pt_buf *out)
{
    const struct pt_kind *kind = frame->kind;
    for (size_t i = from; i < from + n; i++) {
        char *p = room(out, kind);
        if (!p) return;
        for (unsigned c = 0; c < kind->ncols; c++) {
            const struct pt_column *column = &kind->cols[c];
            for (size_t at = i * column->width; at < (i + 1) * column->width; at++) {
                p = print_cell(column, frame->val[c][at], frame->dig[c] ? frame->dig[c][at] : 0, p);
                *p++ = ',';
            }
        }
        p[-1] = '\n';
        *p = '\0';
        out->len = (size_t)(p - out->data);
    }
}

static void json_cell(struct pt_json *json, const struct pt_column *column, int64_t value,
                      uint8_t digits)
{
    if (value == PT_MISSING) {
        pt_json_null(json);
        return;
    }
    switch (column->type) {
    case PT_TYPE_DEC: pt_json_dec(json, value, digits); break;
    case PT_TYPE_ENUM: pt_json_text(json, word_of(column, value)); break;
    case PT_TYPE_BOOL: pt_json_bool(json, value != 0); break;
    default: pt_json_int(json, value); break;
    }
}

void pt_dump_jsonl(const struct pt_frame *frame, size_t from, size_t n, struct pt_buf *out)
{
    const struct pt_kind *kind = frame->kind;
    for (size_t i = from; i < from + n && !out->failed; i++) {
        struct pt_json json;
        pt_json_init(&json, out);
        pt_json_object(&json);
        for (unsigned c = 0; c < kind->ncols; c++) {
            const struct pt_column *column = &kind->cols[c];
            const int64_t *val = frame->val[c] + i * column->width;
            const uint8_t *dig = frame->dig[c] ? frame->dig[c] + i * column->width : NULL;
            pt_json_key(&json, column->name);
            if (column->width > 1) pt_json_array(&json);
            for (unsigned w = 0; w < column->width; w++)
                json_cell(&json, column, val[w], dig ? dig[w] : 0);
            if (column->width > 1) pt_json_array_end(&json);
        }
        pt_json_object_end(&json);
        pt_buf_putc(out, '\n');
    }
}
