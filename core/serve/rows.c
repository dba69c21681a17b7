#include "serve/rows.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <string.h>

#define VALUE_MAX 64 /* a value with its quotes */
#define KEY_MAX 32   /* what stands before it */

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

const struct pt_row_field pt_funding_fields[] = {
    { "\"timestamp\":", PT_F_TIME },
    { "\"funding_rate\":", PT_F_RATE },
    { "\"mark_price\":", PT_F_MARK },
    { NULL, 0 },
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

static unsigned count_digits(uint64_t v)
{
    unsigned n = 1;
    for (; v >= 10000; v /= 10000) n += 4;
    return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
    "9293949596979899";

/* The lowest n digits of v before `end`; gives what is left of v. */
static uint64_t put_digits(char *end, uint64_t v, unsigned n)
{
    for (; n >= 2; n -= 2) {
        end -= 2;
        memcpy(end, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (n == 0) return v;
    end[-1] = (char)('0' + v % 10);
    return v / 10;
}

/* pt_dec_print for a page of them: straight to its place, from the last digit to the first. */
static char *put_dec(char *p, int64_t mantissa, uint8_t digits)
{
    unsigned scale = digits; /* no padding: then scale is all there is */
    if (scale > 18 || mantissa < 0) return p + pt_dec_print(mantissa, digits, p);
    uint64_t v = (uint64_t)mantissa;
    unsigned n = count_digits(v);
    if (n <= scale) n = scale + 1;
    if (scale == 0) {
        put_digits(p + n, v, n);
        return p + n;
    }
    char *end = p + n + 1;
    v = put_digits(end, v, scale);
    p[n - scale] = '.';
    put_digits(p + n - scale, v, n - scale);
    return end;
}

static char *put_word(char *p, const char *word)
{
    size_t len = strlen(word);
    memcpy(p, word, len);
    return p + len;
}

/* Rows follow each other in time, so the date of the one before is nearly always right. */
struct clock {
    int64_t day_us; /* start of the day whose date is in text */
    char text[12];  /* "2024-11-15T" */
};

static char *put_two(char *p, int64_t v)
{
    p[0] = (char)('0' + v / 10);
    p[1] = (char)('0' + v % 10);
    return p + 2;
}

static char *put_time(char *p, int64_t us, struct clock *clock)
{
    int64_t rest = us - clock->day_us;
    if (rest < 0 || rest >= PT_US_DAY || rest % PT_US_SEC != 0) {
        size_t len = pt_time_print(us, p);
        if (us >= 0 && len == 20) { /* a whole second of a four-digit year */
            memcpy(clock->text, p, 11);
            clock->day_us = us - us % PT_US_DAY;
        }
        return p + len;
    }
    rest /= PT_US_SEC;
    memcpy(p, clock->text, 11);
    p = put_two(p + 11, rest / 3600);
    *p++ = ':';
    p = put_two(p, rest / 60 % 60);
    *p++ = ':';
    p = put_two(p, rest % 60);
    *p++ = 'Z';
    return p;
}

static bool is_text(enum pt_type type)
{
    return type == PT_TYPE_TIME || type == PT_TYPE_DEC || type == PT_TYPE_ENUM;
}

/* A value that is there, without quotes. */
static char *put_value(char *p, const struct pt_frame *frame, unsigned col, size_t row,
                       struct clock *clock)
{
    int64_t v = frame->val[col][row];
    switch (frame->kind->cols[col].type) {
    case PT_TYPE_TIME: return put_time(p, v, clock);
    case PT_TYPE_DEC: return put_dec(p, v, frame->dig[col][row]);
    case PT_TYPE_INT: return put_int(p, v);
    case PT_TYPE_ENUM: return put_word(p, frame->kind->cols[col].words[v]);
    case PT_TYPE_BOOL: return put_word(p, v != 0 ? "true" : "false");
    }
    return p;
}

static size_t row_room(const struct pt_row_field *fields)
{
    size_t room = 4;
    for (; fields->key != NULL; fields++) room += KEY_MAX + VALUE_MAX;
    return room;
}

/* What stands before a value: separator, key, opening quote. Always copied whole, which is one move
 * and no call. */
struct lead {
    char text[KEY_MAX];
    size_t len;
    bool quoted;
};

static void make_leads(const struct pt_frame *frame, const struct pt_row_field *fields,
                       struct lead *leads)
{
    for (size_t f = 0; fields[f].key != NULL; f++) {
        struct lead *lead = &leads[f];
        size_t len = strlen(fields[f].key);
        lead->quoted = is_text(frame->kind->cols[fields[f].col].type);
        memset(lead->text, 0, sizeof lead->text);
        lead->text[0] = f > 0 ? ',' : '{';
        memcpy(lead->text + 1, fields[f].key, len);
        lead->len = len + 1;
        if (lead->quoted) lead->text[lead->len++] = '"';
    }
}

void pt_rows_json(const struct pt_frame *frame, const struct pt_row_field *fields,
                  bool newest_first, struct pt_buf *out)
{
    size_t room = row_room(fields);
    struct lead leads[PT_COLS_MAX];
    struct clock clock = { .day_us = INT64_MIN / 2 };
    make_leads(frame, fields, leads);
    pt_buf_putc(out, '[');
    for (size_t i = 0; i < frame->n; i++) {
        if (!pt_buf_reserve(out, room)) return;
        size_t row = newest_first ? frame->n - 1 - i : i;
        char *p = out->data + out->len;
        if (i > 0) *p++ = ',';
        for (size_t f = 0; fields[f].key != NULL; f++) {
            const struct lead *lead = &leads[f];
            memcpy(p, lead->text, KEY_MAX);
            p += lead->len;
            if (frame->val[fields[f].col][row] == PT_MISSING) {
                p = put_word(p - lead->quoted, "null");
                continue;
            }
            p = put_value(p, frame, fields[f].col, row, &clock);
            *p = '"';
            p += lead->quoted;
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
    struct clock clock = { .day_us = INT64_MIN / 2 };
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
            if (frame->val[field->col][row] != PT_MISSING)
                p = put_value(p, frame, field->col, row, &clock);
        }
        *p++ = '\n';
        *p = '\0';
        out->len = (size_t)(p - out->data);
    }
}
