/* csv.c - the rows of a CSV file, any row: the way that knows why a line is not good.  [layer:
 * data] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/book.h"
#include "data/check.h"
#include "data/reader_internal.h"

#include <string.h>

static const char *read_decimal(struct pt_span field, int64_t *mantissa, uint8_t *digits)
{
    switch (pt_dec_parse(field.text, field.len, mantissa, digits)) {
    case PT_OK: return NULL;
    case PT_ERANGE: return "decimal_out_of_range";
    default: return "unreadable_number";
    }
}

/* Whole numbers; "40210.0" is one too. */
static const char *read_int(struct pt_span field, int64_t *out)
{
    int64_t mantissa;
    uint8_t digits;
    const char *reason = read_decimal(field, &mantissa, &digits);
    if (reason) return reason;
    for (unsigned scale = pt_digits_scale(digits); scale > 0; scale--) {
        if (mantissa % 10 != 0) return "not_a_whole_number";
        mantissa /= 10;
    }
    *out = mantissa;
    return NULL;
}

static bool is(struct pt_span field, const char *text)
{
    return strlen(text) == field.len && memcmp(field.text, text, field.len) == 0;
}

static const char *read_flag(struct pt_span field, int64_t *out)
{
    *out = is(field, "1") || is(field, "true") || is(field, "True") || is(field, "TRUE");
    return *out || is(field, "0") || is(field, "false") || is(field, "False") || is(field, "FALSE")
               ? NULL
               : "bad_flag";
}

/* What a line says besides the cells. */
struct line_extras {
    int side; /* 0 bid, 1 ask */
    bool snapshot;
};

static const struct pt_column *column_of(const struct pt_kind *kind, unsigned cell)
{
    unsigned c = 0;
    for (; cell >= kind->cols[c].width; c++) cell -= kind->cols[c].width;
    return &kind->cols[c];
}

static const char *read_word(const struct pt_kind *kind, unsigned cell, struct pt_span field,
                             int64_t *out)
{
    const char *const *words = column_of(kind, cell)->words;
    for (*out = 0; words[*out]; ++*out) {
        if (is(field, words[*out])) return NULL;
    }
    return "unknown_word";
}

/* A hint renames the symbol of a file; it must not make one series of several symbols. */
static const char *read_renamed(struct pt_reader *reader, struct pt_span field)
{
    if (field.len == 0 || field.len > sizeof reader->column_symbol) return "bad_symbol";
    if (reader->column_symbol_len == 0) {
        memcpy(reader->column_symbol, field.text, field.len);
        reader->column_symbol_len = field.len;
    }
    bool same = field.len == reader->column_symbol_len &&
                memcmp(field.text, reader->column_symbol, field.len) == 0;
    return same ? NULL : "another_symbol";
}

static const char *read_symbol(struct pt_reader *reader, struct pt_span field,
                               struct pt_record *record)
{
    if (reader->hint_symbol[0]) return read_renamed(reader, field);
    return pt_symbol_parse(field.text, field.len, record->key.symbol) == PT_OK ? NULL
                                                                               : "bad_symbol";
}

static const char *read_field(struct pt_reader *reader, struct pt_field field, struct pt_span text,
                              struct pt_record *record, struct line_extras *extras)
{
    int64_t *value = &record->val[field.cell];
    switch ((enum pt_field_role)field.role) {
    case PT_FIELD_SKIP:
    case PT_FIELD_CLOSE_TIME: return NULL;
    case PT_FIELD_SYMBOL: return read_symbol(reader, text, record);
    case PT_FIELD_SIDE:
        extras->side = is(text, "a");
        return is(text, "a") || is(text, "b") ? NULL : "unknown_word";
    case PT_FIELD_UPDATE: extras->snapshot = is(text, "snap"); return NULL;
    default: break;
    }
    if (text.len == 0) return NULL; /* missing; the check knows where that is allowed */
    switch ((enum pt_field_role)field.role) {
    case PT_FIELD_TIME:
        return pt_time_parse(text.text, text.len, value) == PT_OK ? NULL : "unreadable_time";
    case PT_FIELD_TIME_US: return read_int(text, value) == NULL ? NULL : "unreadable_time";
    case PT_FIELD_DEC: return read_decimal(text, value, &record->dig[field.cell]);
    case PT_FIELD_INT: return read_int(text, value);
    case PT_FIELD_BOOL: return read_flag(text, value);
    case PT_FIELD_WORD: return read_word(pt_kind(record->key.kind), field.cell, text, value);
    case PT_FIELD_MAKER: {
        int64_t maker;
        const char *reason = read_flag(text, &maker);
        *value = maker ? PT_SIDE_SELL : PT_SIDE_BUY;
        return reason;
    }
    default: return NULL;
    }
}

static void blank_record(const struct pt_reader *reader, struct pt_record *record)
{
    unsigned cells = pt_kind_cells(pt_kind(reader->layout.kind));
    record->key = reader->key;
    for (unsigned i = 0; i < cells; i++) record->val[i] = PT_MISSING;
    memset(record->dig, 0, cells);
}

static const char *read_line(struct pt_reader *reader, const char *text, size_t len,
                             struct pt_record *record, struct line_extras *extras)
{
    const struct pt_layout *layout = &reader->layout;
    struct pt_span fields[PT_FIELDS_MAX];
    if (len > PT_LINE_MAX) return "line_too_long";
    blank_record(reader, record);
    if (layout->jsonl)
        return pt_jsonl_row(pt_kind(layout->kind), text, len, record->val, record->dig);
    unsigned n = pt_split_line(text, len, fields, PT_FIELDS_MAX);
    if (n != layout->nfields) return "column_count";
    for (unsigned i = 0; i < n; i++) {
        const char *reason = read_field(reader, layout->fields[i], fields[i], record, extras);
        if (reason) return reason;
    }
    if (layout->kind == PT_CANDLES && !layout->has_closed && record->val[PT_C_TIME] != PT_MISSING)
        record->val[PT_C_CLOSED] =
            record->val[PT_C_TIME] <= reader->hint.now_us - record->key.period_us;
    return NULL;
}

/* ---- books that come one level a line ---- */

static void end_book(struct pt_reader *reader)
{
    struct pt_book_rows *book = &reader->book;
    if (!book->any) return;
    book->any = false;
    const char *reason = pt_cells_check(pt_kind(PT_DEPTH), book->record.val, book->record.dig, 0);
    if (reason)
        pt_reader_reject(reader, book->line, reason, "", 0);
    else
        pt_reader_keep(reader, &book->record);
}

static const char *add_level(struct pt_reader *reader, const struct pt_record *line, int side)
{
    struct pt_book_rows *book = &reader->book;
    const unsigned price = 2, quantity = price + PT_DEPTH_LEVELS, asks = 2 * PT_DEPTH_LEVELS;
    if (line->val[0] == PT_MISSING || line->val[price] == PT_MISSING) return "value_missing";
    bool same = book->any && line->val[0] == book->record.val[0] &&
                line->val[1] == book->record.val[1] &&
                memcmp(&line->key, &book->record.key, sizeof line->key) == 0;
    if (!same) {
        end_book(reader);
        blank_record(reader, &book->record);
        book->record.key = line->key;
        book->record.val[0] = line->val[0];
        book->record.val[1] = line->val[1];
        book->levels[0] = book->levels[1] = 0;
        book->line = reader->line;
        book->any = true;
    }
    unsigned level = book->levels[side]++;
    if (level >= PT_DEPTH_LEVELS) return NULL; /* deeper than what is kept */
    unsigned to = (side ? asks : 0) + level;
    book->record.val[to + price] = line->val[price];
    book->record.dig[to + price] = line->dig[price];
    book->record.val[to + quantity] = line->val[quantity];
    book->record.dig[to + quantity] = line->dig[quantity];
    return NULL;
}

/* ---- one line ---- */

/* Where no valid book was known: only our own export says so. */
static bool is_break(const struct pt_reader *reader, const struct pt_record *record,
                     const char *reason)
{
    return record->key.kind == PT_DEPTH && reader->layout.ours &&
           strcmp(reason, "empty_book") == 0 && pt_is_break_row(record->val);
}

static const char *take_line(struct pt_reader *reader, const char *text, size_t len)
{
    struct pt_record record;
    struct line_extras extras = { 0, false };
    const char *reason = read_line(reader, text, len, &record, &extras);
    if (reason) return reason;
    if (reader->layout.by_level)
        return extras.snapshot ? add_level(reader, &record, extras.side) : "not_a_snapshot";
    reason = pt_cells_check(pt_kind(record.key.kind), record.val, record.dig, record.key.period_us);
    if (reason && !is_break(reader, &record, reason)) return reason;
    reader->last_time_us = record.val[0];
    pt_reader_keep(reader, &record);
    return NULL;
}

/* True when the line was a blank one or the header. */
static bool start_line(struct pt_reader *reader, const char *text, size_t len)
{
    reader->line++;
    reader->stats.lines++;
    size_t i = 0;
    while (i < len && (text[i] == ' ' || text[i] == '\t')) i++;
    if (i == len) return true;
    if (!reader->header_due) return false;
    reader->header_due = false;
    return true;
}

void pt_csv_line(struct pt_reader *reader, const char *text, size_t len)
{
    len = pt_line_trim(text, len);
    if (start_line(reader, text, len)) return;
    const char *reason = take_line(reader, text, len);
    if (reason) pt_reader_reject(reader, reader->line, reason, text, len);
}

/* A decimal at the very end with fewer digits than the one above it has lost some. */
static bool lost_digits(struct pt_reader *reader, const struct pt_record *record)
{
    const struct pt_kind *kind = pt_kind(reader->layout.kind);
    if (reader->layout.nfields == 0 || pt_kind_cells(kind) != kind->ncols) return false;
    struct pt_field field = reader->layout.fields[reader->layout.nfields - 1];
    if (field.role != PT_FIELD_DEC) return false;
    const struct pt_slot *slot = pt_reader_slot(reader, &record->key);
    if (!slot || slot->batch.frame.n == 0) return false;
    uint8_t now = record->dig[field.cell],
            above = slot->batch.frame.dig[field.cell][slot->batch.frame.n - 1];
    return pt_digits_scale(now) + pt_digits_pad(now) <
           pt_digits_scale(above) + pt_digits_pad(above);
}

void pt_csv_last(struct pt_reader *reader, const char *text, size_t len, bool torn)
{
    struct pt_record record;
    struct line_extras extras = { 0, false };
    len = pt_line_trim(text, len);
    if (start_line(reader, text, len)) return;
    const char *reason = read_line(reader, text, len, &record, &extras);
    if (torn || reason || lost_digits(reader, &record))
        reason = "unfinished_line";
    else
        reason = take_line(reader, text, len);
    if (reason) pt_reader_reject(reader, reader->line, reason, text, len);
}

void pt_csv_end(struct pt_reader *reader, bool torn)
{
    if (torn && reader->book.any) {
        reader->book.any = false;
        pt_reader_reject(reader, reader->book.line, "unfinished_book", "", 0);
    }
    end_book(reader);
}

size_t pt_csv_lines(struct pt_reader *reader, const char *text, size_t len)
{
    if (reader->layout.narrow) {
        struct pt_slot *slot = pt_reader_slot(reader, &reader->key);
        return slot ? pt_csv_fast_lines(reader, slot, text, len) : 0;
    }
    size_t at = 0;
    while (at < len && !pt_reader_stopped(reader)) {
        size_t line_len = (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
        pt_csv_line(reader, text + at, line_len);
        at += line_len + 1;
    }
    return at;
}
