/* csv.c - the rows of a CSV file.                                              [layer: data]
 *
 * Two ways to read a line. The fast one knows only what nearly all lines of the big files are: the
 * right number of unquoted fields, plain digits, a good bar. It first finds all commas and newlines
 * of the block, sixteen bytes at a time, so that the fields of a row can be read independently of
 * each other, and each number with three multiplications for eight digits; whether all of it really
 * were digits is asked once a row. Whatever is not so goes the slow way, which alone knows why a
 * line is not good. */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/check.h"
#include "data/reader_internal.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- the slow way ---- */

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

static const char *read_symbol(const struct pt_reader *reader, struct pt_span field,
                               struct pt_record *record)
{
    if (reader->hint_symbol[0]) return NULL;
    return pt_symbol_parse(field.text, field.len, record->key.symbol) == PT_OK ? NULL
                                                                               : "bad_symbol";
}

static const char *read_field(const struct pt_reader *reader, struct pt_field field,
                              struct pt_span text, struct pt_record *record,
                              struct line_extras *extras)
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

static const char *read_line(const struct pt_reader *reader, const char *text, size_t len,
                             struct pt_record *record, struct line_extras *extras)
{
    const struct pt_layout *layout = &reader->layout;
    struct pt_span fields[PT_FIELDS_MAX];
    if (len > PT_LINE_MAX) return "line_too_long";
    unsigned n = pt_split_line(text, len, fields, PT_FIELDS_MAX);
    if (n != layout->nfields) return "column_count";
    blank_record(reader, record);
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

static const char *take_line(struct pt_reader *reader, const char *text, size_t len)
{
    struct pt_record record;
    struct line_extras extras = { 0, false };
    const char *reason = read_line(reader, text, len, &record, &extras);
    if (reason) return reason;
    if (reader->layout.by_level)
        return extras.snapshot ? add_level(reader, &record, extras.side) : "not_a_snapshot";
    reason = pt_cells_check(pt_kind(record.key.kind), record.val, record.dig, record.key.period_us);
    if (reason) return reason;
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

static void slow_line(struct pt_reader *reader, const char *text, size_t len)
{
    len = pt_line_trim(text, len);
    if (start_line(reader, text, len)) return;
    const char *reason = take_line(reader, text, len);
    if (reason) pt_reader_reject(reader, reader->line, reason, text, len);
}

/* A decimal at the very end with fewer digits than the one above it has lost some. */
static bool lost_digits(struct pt_reader *reader, const struct pt_record *record)
{
    struct pt_field field = reader->layout.fields[reader->layout.nfields - 1];
    if (field.role != PT_FIELD_DEC) return false;
    const struct pt_slot *slot = pt_reader_slot(reader, &record->key);
    if (!slot || slot->batch.frame.n == 0 || !reader->layout.narrow) return false;
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

/* ---- the fast way ---- */

#ifdef __SSE2__
/* The instruction is not in every x86-64, and the library's function costs a call a block. */
static inline unsigned bits_in(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}
#endif

/* Places of all commas and newlines; out has room for len + 64. May read 63 bytes behind the text.
 */
static size_t find_separators(const char *text, size_t len, uint32_t *out)
{
    size_t n = 0;
#ifdef __SSE2__
    const __m128i comma = _mm_set1_epi8(','), newline = _mm_set1_epi8('\n');
    for (size_t at = 0; at < len; at += 64) {
        uint64_t found = 0;
        for (unsigned k = 0; k < 4; k++) {
            __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + at + 16 * k));
            __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(x, comma), _mm_cmpeq_epi8(x, newline));
            found |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * k);
        }
        if (len - at < 64) found &= (UINT64_C(1) << (len - at)) - 1;
        /* eight at once: the branch of a loop over each bit would be guessed wrong every time */
        unsigned count = bits_in(found);
        uint32_t *to = out + n;
        for (unsigned left = count;; left -= 8, to += 8) {
            for (unsigned k = 0; k < 8; k++) {
                to[k] = (uint32_t)at + (uint32_t)__builtin_ctzll(found | UINT64_C(1) << 63);
                found &= found - 1;
            }
            if (left <= 8) break;
        }
        n += count;
    }
#else
    for (size_t at = 0; at < len; at++) {
        if (text[at] == ',' || text[at] == '\n') out[n++] = (uint32_t)at;
    }
#endif
    return n;
}

static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000 };

/* The n (1..8) digits that end at `end`; *bad becomes non-zero when they are none. May read 7 bytes
 * before them. The first digit lies lowest in memory and is the highest of the number, so pairs,
 * then fours, then eights are put together by a multiplication that adds the low half times ten,
 * 100, 10,000 to the high one. */
static inline uint64_t digits_before(const char *end, size_t n, uint64_t *bad)
{
    uint64_t x;
    memcpy(&x, end - 8, sizeof x);
    x = (x ^ UINT64_C(0x3030303030303030)) & UINT64_MAX << (64 - 8 * n);
    *bad |= (x | (x + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0);
    x = (x * 10 + (x >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x * 100 + (x >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (x * 10000 + (x >> 32)) & UINT32_MAX;
}

/* 1..16 digits. */
static inline uint64_t number_before(const char *end, size_t n, uint64_t *bad)
{
    if (n <= 8) return digits_before(end, n, bad);
    return digits_before(end - 8, n - 8, bad) * 100000000 + digits_before(end, 8, bad);
}

/* Length of the part behind the last point of the up to 16 characters before `end`; len when there
 * is none. */
static inline size_t behind_point(const char *end, size_t len)
{
#ifdef __SSE2__
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('.')));
    if (len < 16) hit &= 0xffffu << (16 - len);
    return hit ? (size_t)__builtin_clz(hit) - 16 : len;
#else
    size_t n = 0;
    while (n < len && end[-1 - (ptrdiff_t)n] != '.') n++;
    return n;
#endif
}

static inline void fast_decimal(const char *start, const char *end, int64_t *mantissa,
                                uint8_t *digits, uint64_t *bad)
{
    size_t len = (size_t)(end - start), behind = behind_point(end, len);
    size_t whole = behind == len ? len : len - behind - 1, fraction = behind == len ? 0 : behind;
    if (whole - 1 < 16 && fraction <= 8 && whole + fraction <= 18 && behind != 0) {
        uint64_t value = number_before(start + whole, whole, bad);
        if (fraction) value = value * powers[fraction] + digits_before(end, fraction, bad);
        *mantissa = (int64_t)value;
        *digits = (uint8_t)fraction;
    } else if (len == 0) {
        *mantissa = PT_MISSING;
        *digits = 0;
    } else if (pt_dec_parse(start, len, mantissa, digits) != PT_OK) {
        *bad = 1;
    }
}

static inline int64_t fast_time(const char *start, size_t len, uint64_t *bad)
{
    /* ms and us of the years 2001 to 2286; all others are rare enough for the slow way */
    if ((len != 13 && len != 16) || *start == '0') {
        *bad = 1;
        return 0;
    }
    uint64_t value = number_before(start + len, len, bad);
    return (int64_t)(len == 13 ? value * 1000 : value);
}

static inline int64_t fast_int(const char *end, size_t len, uint64_t *bad)
{
    if (len - 1 < 16) return (int64_t)number_before(end, len, bad);
    if (len > 0) *bad = 1;
    return PT_MISSING;
}

static inline int64_t fast_maker(const char *start, size_t len, uint64_t *bad)
{
    bool maker = (start[0] | 32) == 't';
    if (maker ? len != 4 || memcmp(start + 1, "rue", 3) != 0
              : len != 5 || (start[0] | 32) != 'f' || memcmp(start + 1, "alse", 4) != 0)
        *bad = 1;
    return maker ? PT_SIDE_SELL : PT_SIDE_BUY;
}

/* The whole check of a bar, for the usual one: all prices with the same digits, one period after
 * the last. */
static inline bool usual_bar(struct pt_frame *frame, size_t row, int64_t expected_us)
{
    int64_t open = frame->val[PT_C_OPEN][row], high = frame->val[PT_C_HIGH][row];
    int64_t low = frame->val[PT_C_LOW][row], close = frame->val[PT_C_CLOSE][row];
    unsigned digits = frame->dig[PT_C_OPEN][row];
    unsigned differ = (digits ^ frame->dig[PT_C_HIGH][row]) | (digits ^ frame->dig[PT_C_LOW][row]) |
                      (digits ^ frame->dig[PT_C_CLOSE][row]);
    return (differ == 0) & (frame->val[PT_C_TIME][row] == expected_us) & (low > 0) & (low <= open) &
           (low <= close) & (high >= open) & (high >= close) & (frame->val[PT_C_VOLUME][row] >= 0);
}

/* One row into the frame, whose memory is there. False: the slow way decides. */
static bool fast_row(struct pt_reader *reader, struct pt_frame *frame, const char *text,
                     const char *start, const uint32_t *separators)
{
    const struct pt_layout *layout = &reader->layout;
    const char *line = start;
    size_t row = frame->n;
    uint64_t bad = 0;
    for (unsigned c = 0; c < frame->kind->ncols; c++) {
        frame->val[c][row] = PT_MISSING;
        if (frame->dig[c]) frame->dig[c][row] = 0;
    }
    for (unsigned i = 0; i < layout->nfields; i++) {
        struct pt_field field = layout->fields[i];
        const char *end = text + separators[i];
        size_t len;
        if (i + 1 < layout->nfields) {
            bad |= (uint64_t)(*end ^ ',');
        } else {
            bad |= (uint64_t)(*end ^ '\n');
            if (end > start && end[-1] == '\r') end--;
        }
        len = (size_t)(end - start);
        switch ((enum pt_field_role)field.role) {
        case PT_FIELD_DEC:
            fast_decimal(start, end, &frame->val[field.cell][row], &frame->dig[field.cell][row],
                         &bad);
            break;
        case PT_FIELD_TIME: frame->val[field.cell][row] = fast_time(start, len, &bad); break;
        case PT_FIELD_TIME_US:
        case PT_FIELD_INT:
        case PT_FIELD_BOOL: frame->val[field.cell][row] = fast_int(end, len, &bad); break;
        case PT_FIELD_MAKER: frame->val[field.cell][row] = fast_maker(start, len, &bad); break;
        default:
            if (len > 0 && *start == '"') bad = 1; /* a comma may be in there */
            break;
        }
        start = text + separators[i] + 1;
    }
    if (bad || start - line > (ptrdiff_t)PT_LINE_MAX) return false;
    if (layout->kind == PT_CANDLES) {
        int64_t period_us = reader->key.period_us, time_us = frame->val[PT_C_TIME][row];
        if (!layout->has_closed)
            frame->val[PT_C_CLOSED][row] = time_us <= reader->hint.now_us - period_us;
        else if ((uint64_t)frame->val[PT_C_CLOSED][row] > 1)
            return false;
        if (!usual_bar(frame, row, reader->last_time_us + period_us) &&
            pt_frame_check(frame, row, period_us))
            return false;
        reader->last_time_us = time_us;
    } else if (pt_frame_check(frame, row, 0)) {
        return false;
    }
    frame->n++;
    return true;
}

static size_t fast_lines(struct pt_reader *reader, struct pt_slot *slot, const char *text,
                         size_t len)
{
    struct pt_frame *frame = &slot->batch.frame;
    const uint32_t *separator = reader->separators;
    const uint32_t *end = separator + find_separators(text, len, reader->separators);
    unsigned nfields = reader->layout.nfields;
    size_t at = 0;
    while (at < len && !pt_reader_stopped(reader)) {
        if (frame->n >= slot->room) {
            reader->full = true;
        } else if (!reader->header_due && (size_t)(end - separator) >= nfields &&
                   frame->n < frame->cap && fast_row(reader, frame, text, text + at, separator)) {
            at = (size_t)separator[nfields - 1] + 1;
            separator += nfields;
            reader->line++;
            reader->stats.lines++;
            reader->stats.rows++;
        } else {
            size_t line_len =
                (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
            slow_line(reader, text + at, line_len);
            at += line_len + 1;
            while (separator < end && *separator < at) separator++;
        }
    }
    return at;
}

size_t pt_csv_lines(struct pt_reader *reader, const char *text, size_t len)
{
    if (reader->layout.narrow) {
        struct pt_slot *slot = pt_reader_slot(reader, &reader->key);
        if (!slot || !pt_reader_reserve(reader, slot)) return 0;
        return fast_lines(reader, slot, text, len);
    }
    size_t at = 0;
    while (at < len && !pt_reader_stopped(reader)) {
        size_t line_len = (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
        slow_line(reader, text + at, line_len);
        at += line_len + 1;
    }
    return at;
}
