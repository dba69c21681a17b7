#include "base/json.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pt_json_init(struct pt_json *json, struct pt_buf *out)
{
    *json = (struct pt_json){ .out = out };
}

/* Before every value: the comma that separates it from the one before. */
static void separate(struct pt_json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->comma[json->depth]) pt_buf_putc(json->out, ',');
    json->comma[json->depth] = true;
}

static void misuse(const char *what)
{
    fprintf(stderr, "json writer: %s\n", what);
    abort();
}

static void open_bracket(struct pt_json *json, char bracket)
{
    separate(json);
    if (json->depth >= PT_JSON_DEPTH_MAX) misuse("nested too deep");
    json->comma[++json->depth] = false;
    pt_buf_putc(json->out, bracket);
}

static void close_bracket(struct pt_json *json, char bracket)
{
    if (json->depth == 0) misuse("closing a bracket that is not open");
    if (json->after_key) misuse("a key without a value");
    json->depth--;
    pt_buf_putc(json->out, bracket);
}

void pt_json_object(struct pt_json *json)
{
    open_bracket(json, '{');
}

void pt_json_object_end(struct pt_json *json)
{
    close_bracket(json, '}');
}

void pt_json_array(struct pt_json *json)
{
    open_bracket(json, '[');
}

void pt_json_array_end(struct pt_json *json)
{
    close_bracket(json, ']');
}

/* Length of the UTF-8 character at p (Unicode table 3-7), 0 when it is none. */
static size_t utf8_char(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t len;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        if (p[0] == 0xe0) low = 0xa0;  /* shorter forms exist */
        if (p[0] == 0xed) high = 0x9f; /* surrogates */
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        if (p[0] == 0xf0) low = 0x90;
        if (p[0] == 0xf4) high = 0x8f; /* past U+10FFFF */
    } else {
        return 0;
    }
    if (left < len || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    return len;
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void escaped(struct pt_buf *out, unsigned char c)
{
    switch (c) {
    case '"': pt_buf_add(out, "\\\"", 2); break;
    case '\\': pt_buf_add(out, "\\\\", 2); break;
    case '\n': pt_buf_add(out, "\\n", 2); break;
    case '\r': pt_buf_add(out, "\\r", 2); break;
    case '\t': pt_buf_add(out, "\\t", 2); break;
    default: pt_buf_printf(out, "\\u%04x", c);
    }
}

static void quoted(struct pt_buf *out, const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    pt_buf_putc(out, '"');
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && plain(p[run])) run++;
        if (run > i) {
            pt_buf_add(out, text + i, run - i);
            i = run;
        } else if (p[i] < 0x80) {
            escaped(out, p[i++]);
        } else {
            size_t n = utf8_char(p + i, len - i);
            pt_buf_add(out, n > 0 ? text + i : "\xef\xbf\xbd", n > 0 ? n : 3);
            i += n > 0 ? n : 1;
        }
    }
    pt_buf_putc(out, '"');
}

void pt_json_key(struct pt_json *json, const char *key)
{
    if (json->after_key) misuse("a key after a key");
    separate(json);
    quoted(json->out, key, strlen(key));
    pt_buf_putc(json->out, ':');
    json->after_key = true;
}

void pt_json_raw(struct pt_json *json, const char *text, size_t len)
{
    separate(json);
    pt_buf_add(json->out, text, len);
}

void pt_json_text_n(struct pt_json *json, const char *text, size_t len)
{
    separate(json);
    quoted(json->out, text, len);
}

void pt_json_text(struct pt_json *json, const char *text)
{
    if (text == NULL) {
        pt_json_null(json);
    } else {
        pt_json_text_n(json, text, strlen(text));
    }
}

void pt_json_int(struct pt_json *json, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)v);
    pt_json_raw(json, text, (size_t)n);
}

void pt_json_bool(struct pt_json *json, bool v)
{
    pt_json_raw(json, v ? "true" : "false", v ? 4 : 5);
}

void pt_json_null(struct pt_json *json)
{
    pt_json_raw(json, "null", 4);
}

void pt_json_double(struct pt_json *json, double v)
{
    if (!isfinite(v)) {
        pt_json_null(json);
        return;
    }
    char text[PT_DOUBLE_TEXT_MAX];
    pt_json_raw(json, text, pt_double_print(v, text));
}

void pt_json_number_text(struct pt_json *json, double v)
{
    if (!isfinite(v)) {
        pt_json_null(json);
        return;
    }
    char text[PT_DOUBLE_TEXT_MAX + 2];
    size_t len = pt_double_print(v, text + 1);
    text[0] = text[len + 1] = '"';
    pt_json_raw(json, text, len + 2);
}

void pt_json_dec(struct pt_json *json, int64_t mantissa, uint8_t digits)
{
    if (mantissa == PT_MISSING) {
        pt_json_null(json);
        return;
    }
    char text[PT_DEC_TEXT_MAX + 2];
    size_t len = pt_dec_print(mantissa, digits, text + 1);
    text[0] = text[len + 1] = '"';
    pt_json_raw(json, text, len + 2);
}

void pt_json_time(struct pt_json *json, int64_t us)
{
    char text[PT_TIME_TEXT_MAX + 2];
    size_t len = pt_time_print(us, text + 1);
    text[0] = text[len + 1] = '"';
    pt_json_raw(json, text, len + 2);
}

void pt_json_kv_text(struct pt_json *json, const char *key, const char *text)
{
    pt_json_key(json, key);
    pt_json_text(json, text);
}

void pt_json_kv_int(struct pt_json *json, const char *key, int64_t v)
{
    pt_json_key(json, key);
    pt_json_int(json, v);
}

void pt_json_kv_bool(struct pt_json *json, const char *key, bool v)
{
    pt_json_key(json, key);
    pt_json_bool(json, v);
}

void pt_json_kv_null(struct pt_json *json, const char *key)
{
    pt_json_key(json, key);
    pt_json_null(json);
}

void pt_json_kv_double(struct pt_json *json, const char *key, double v)
{
    pt_json_key(json, key);
    pt_json_double(json, v);
}

void pt_json_kv_time(struct pt_json *json, const char *key, int64_t us)
{
    pt_json_key(json, key);
    pt_json_time(json, us);
}
