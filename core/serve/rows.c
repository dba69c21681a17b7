#include "serve/rows.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <string.h>

#define VALUE_MAX 64 /* a value with its quotes and comma */

const struct pt_row_field pt_candle_fields[] = {
    { "\"timestamp\":", PT_C_TIME },
    { "\"open\":", PT_C_OPEN },
    { "\"high\":", PT_C_HIGH },
    { "\"low\":", PT_C_LOW },
    { "\"close\":", PT_C_CLOSE },
    { "\"volume\":", PT_C_VOLUME },
    { "\"quote_volume\":", PT_C_QUOTE_VOLUME },
    { "\"trades_count\":", PT_C_TRADES },
    { "\"taker_buy_volume\":", PT_C_TAKER_VOLUME },
    { "\"closed\":", PT_C_CLOSED },
    { NULL, 0 },
};

const struct pt_row_field pt_trade_fields[] = {
    { "\"timestamp\":", PT_T_TIME },    { "\"trade_id\":", PT_T_ID }, { "\"price\":", PT_T_PRICE },
    { "\"quantity\":", PT_T_QUANTITY }, { "\"side\":", PT_T_SIDE },   { NULL, 0 },
};

static char *put_int(char *p, int64_t v)
{
    char digits[20];
    size_t n = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u != 0);
    if (v < 0) *p++ = '-';
    while (n > 0) *p++ = digits[--n];
    return p;
}

static char *put_word(char *p, const char *word)
{
    size_t len = strlen(word);
    memcpy(p, word, len);
    return p + len;
}

/* One cell. quote: '"' for JSON texts, 0 for CSV. */
static char *put_cell(char *p, const struct pt_frame *frame, unsigned col, size_t row, char quote)
{
    int64_t v = frame->val[col][row];
    const struct pt_column *column = &frame->kind->cols[col];
    if (v == PT_MISSING) return quote != 0 ? put_word(p, "null") : p;
    bool text =
        column->type == PT_TYPE_TIME || column->type == PT_TYPE_DEC || column->type == PT_TYPE_ENUM;
    if (text && quote != 0) *p++ = quote;
    switch (column->type) {
    case PT_TYPE_TIME: p += pt_time_print(v, p); break;
    case PT_TYPE_DEC: p += pt_dec_print(v, frame->dig[col][row], p); break;
    case PT_TYPE_INT: p = put_int(p, v); break;
    case PT_TYPE_ENUM: p = put_word(p, column->words[v]); break;
    case PT_TYPE_BOOL: p = put_word(p, v != 0 ? "true" : "false"); break;
    }
    if (text && quote != 0) *p++ = quote;
    return p;
}

static size_t row_room(const struct pt_row_field *fields)
{
    size_t room = 4;
    for (; fields->key != NULL; fields++) room += strlen(fields->key) + VALUE_MAX;
    return room;
}

void pt_rows_json(const struct pt_frame *frame, const struct pt_row_field *fields,
                  bool newest_first, struct pt_buf *out)
{
    size_t room = row_room(fields), key_len[PT_COLS_MAX];
    for (size_t f = 0; fields[f].key != NULL; f++) key_len[f] = strlen(fields[f].key);
    pt_buf_putc(out, '[');
    for (size_t i = 0; i < frame->n; i++) {
        if (!pt_buf_reserve(out, room)) return;
        size_t row = newest_first ? frame->n - 1 - i : i;
        char *p = out->data + out->len;
        if (i > 0) *p++ = ',';
        *p++ = '{';
        for (size_t f = 0; fields[f].key != NULL; f++) {
            if (f > 0) *p++ = ',';
            memcpy(p, fields[f].key, key_len[f]);
            p = put_cell(p + key_len[f], frame, fields[f].col, row, '"');
        }
        *p++ = '}';
        *p = '\0';
        out->len = (size_t)(p - out->data);
    }
    pt_buf_putc(out, ']');
}

void pt_rows_csv(const struct pt_frame *frame, const struct pt_row_field *fields, bool newest_first,
                 struct pt_buf *out)
{
    size_t room = row_room(fields);
    for (const struct pt_row_field *field = fields; field->key != NULL; field++) {
        if (field != fields) pt_buf_putc(out, ',');
        pt_buf_add(out, field->key + 1, strlen(field->key) - 3); /* without quotes and colon */
    }
    pt_buf_putc(out, '\n');
    for (size_t i = 0; i < frame->n; i++) {
        if (!pt_buf_reserve(out, room)) return;
        size_t row = newest_first ? frame->n - 1 - i : i;
        char *p = out->data + out->len;
        for (const struct pt_row_field *field = fields; field->key != NULL; field++) {
            if (field != fields) *p++ = ',';
            p = put_cell(p, frame, field->col, row, 0);
        }
        *p++ = '\n';
        *p = '\0';
        out->len = (size_t)(p - out->data);
    }
}
