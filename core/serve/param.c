#include "serve/param.h"

#include "base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 64 /* bytes of a bad value that are shown back */

void pt_query_fini(struct pt_query *query)
{
    free(query->text);
    *query = (struct pt_query){ 0 };
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* One piece, %XX decoded, NUL-terminated. Decoded text is never longer than its source.
 * Control bytes are refused: no parameter of ours may hold one, and a NUL would hide what follows
 * it. */
static enum pt_code decode(const char *raw, size_t len, bool plus_is_blank, char *out,
                           size_t *out_len, struct pt_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)raw[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(raw[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(raw[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return pt_fail(err, PT_EINVAL,
                               "a '%%' in the address is not followed by two hex digits");
            }
            c = (unsigned char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f) {
            return pt_fail(err, PT_EINVAL, "control byte %%%02X in the address", c);
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    *out_len = n;
    return PT_OK;
}

enum pt_code pt_path_decode(const char *raw, size_t len, char *out, struct pt_err *err)
{
    size_t out_len;
    return decode(raw, len, false, out, &out_len, err);
}

enum pt_code pt_query_parse(struct pt_query *query, const char *raw, size_t len, struct pt_err *err)
{
    query->n = 0;
    if (len == 0) return PT_OK;
    if (len > SIZE_MAX / 4) return pt_fail(err, PT_EINVAL, "query too long");
    /* each item grows by at most two NULs over its source, and has at least one byte of it */
    size_t need = len * 3 + 2;
    if (query->cap < need) {
        char *text = realloc(query->text, need);
        if (text == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
        query->text = text;
        query->cap = need;
    }
    char *out = query->text;
    for (size_t at = 0; at < len;) {
        const char *piece = raw + at;
        const char *end = memchr(piece, '&', len - at);
        size_t piece_len = end != NULL ? (size_t)(end - piece) : len - at;
        at += piece_len + 1;
        if (piece_len == 0) continue;
        if (query->n == PT_QUERY_MAX) {
            return pt_fail(err, PT_EINVAL, "more than %d parameters", PT_QUERY_MAX);
        }
        struct pt_query_item *item = &query->item[query->n];
        const char *equals = memchr(piece, '=', piece_len);
        size_t name_len = equals != NULL ? (size_t)(equals - piece) : piece_len;
        size_t out_len;
        item->name = out;
        enum pt_code rc = decode(piece, name_len, true, out, &out_len, err);
        if (rc != PT_OK) return rc;
        out += out_len + 1;
        item->value = out;
        size_t skip = equals != NULL ? name_len + 1 : piece_len;
        rc = decode(piece + skip, piece_len - skip, true, out, &out_len, err);
        if (rc != PT_OK) return rc;
        out += out_len + 1;
        query->n++;
    }
    return PT_OK;
}

size_t pt_param_allowed(const struct pt_param *param, char *out, size_t cap)
{
    int n = 0;
    switch (param->type) {
    case PT_PARAM_PAIR:
        n = snprintf(out, cap, "a trading pair such as BTCUSDT, ^[A-Z0-9_]{2,30}$");
        break;
    case PT_PARAM_PERIOD: n = snprintf(out, cap, "one of"); break;
    case PT_PARAM_TIME:
        n = snprintf(out, cap,
                     "an ISO 8601 time, a date, or epoch seconds, milliseconds or microseconds");
        break;
    case PT_PARAM_INT:
        n = snprintf(out, cap, "an integer %lld..%lld", (long long)param->min,
                     (long long)param->max);
        break;
    case PT_PARAM_BOOL: n = snprintf(out, cap, "true or false"); break;
    case PT_PARAM_WORD: n = snprintf(out, cap, "one of"); break;
    case PT_PARAM_TEXT:
        n = snprintf(out, cap, "a text of %lld..%lld bytes", (long long)param->min,
                     (long long)param->max);
        break;
    }
    size_t len = n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
    if (param->type == PT_PARAM_PERIOD) {
        for (const int64_t *period = pt_periods; *period != 0 && len + PT_PERIOD_TEXT_MAX + 2 < cap;
             period++) {
            out[len++] = ' ';
            len += pt_period_print(*period, out + len);
        }
    } else if (param->type == PT_PARAM_WORD) {
        for (const char *const *word = param->words; *word != NULL; word++) {
            n = snprintf(out + len, cap - len, "%s %s", word == param->words ? "" : ",", *word);
            if (n < 0 || (size_t)n >= cap - len) break;
            len += (size_t)n;
        }
    }
    if (cap > 0) out[len] = '\0';
    return len;
}

static enum pt_code refuse(const struct pt_param *param, const char *text, struct pt_err *err)
{
    char allowed[256];
    pt_param_allowed(param, allowed, sizeof allowed);
    size_t len = strlen(text);
    return pt_fail(err, PT_EINVAL, "%s: got \"%.*s%s\", must be %s", param->name, SHOWN, text,
                   len > SHOWN ? "..." : "", allowed);
}

/* A plus sign that a client did not encode arrives as a blank: "2025-01-01T00:00:00 02:00". */
static enum pt_code check_time(const char *text, int64_t *us)
{
    size_t len = strlen(text);
    enum pt_code rc = pt_time_parse(text, len, us);
    char fixed[PT_TIME_TEXT_MAX];
    if (rc == PT_OK || len < 6 || len >= sizeof fixed || text[len - 6] != ' ') return rc;
    memcpy(fixed, text, len + 1);
    fixed[len - 6] = '+';
    return pt_time_parse(fixed, len, us);
}

static bool check_int(const char *text, int64_t min, int64_t max, int64_t *v)
{
    const char *p = text + (*text == '-');
    size_t digits = strlen(p);
    if (digits == 0 || digits > 18 || strspn(p, "0123456789") != digits) return false;
    long long number = strtoll(text, NULL, 10);
    *v = number;
    return number >= min && number <= max;
}

static bool check_word(const char *text, const char *const *words, int64_t *v)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *v = (int64_t)i;
        return true;
    }
    return false;
}

enum pt_code pt_param_check(const struct pt_param *param, const char *text, struct pt_value *value,
                            struct pt_err *err)
{
    static const char *const bools[] = { "false", "true", "no", "yes", "0", "1", NULL };
    bool good = false;
    switch (param->type) {
    case PT_PARAM_PAIR: good = pt_symbol_parse(text, strlen(text), value->symbol) == PT_OK; break;
    case PT_PARAM_PERIOD:
        good = pt_period_parse(text, strlen(text), &value->number) == PT_OK;
        break;
    case PT_PARAM_TIME: good = check_time(text, &value->number) == PT_OK; break;
    case PT_PARAM_INT: good = check_int(text, param->min, param->max, &value->number); break;
    case PT_PARAM_BOOL:
        good = check_word(text, bools, &value->number);
        value->number &= 1;
        break;
    case PT_PARAM_WORD: good = check_word(text, param->words, &value->number); break;
    case PT_PARAM_TEXT: {
        int64_t len = (int64_t)strlen(text);
        value->text = text;
        good = len >= param->min && len <= param->max;
        break;
    }
    }
    return good ? PT_OK : refuse(param, text, err);
}

static const struct pt_param *find(const struct pt_param *params, const char *name)
{
    for (const struct pt_param *param = params; param->name != NULL; param++) {
        if (strcmp(param->name, name) == 0) return param;
    }
    return NULL;
}

static enum pt_code unknown(const struct pt_param *params, const char *name, struct pt_err *err)
{
    char names[256] = "";
    size_t len = 0;
    for (const struct pt_param *param = params; param->name != NULL; param++) {
        int n = snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "", param->name);
        if (n < 0 || (size_t)n >= sizeof names - len) break;
        len += (size_t)n;
    }
    return pt_fail(err, PT_EINVAL, "%.*s: unknown parameter; this path takes %s", SHOWN, name,
                   len > 0 ? names : "none");
}

static enum pt_code check_given(const struct pt_param *params, const struct pt_query *query,
                                size_t i, struct pt_value *values,
                                const struct pt_query_item **extra, size_t *nextra,
                                struct pt_err *err)
{
    const struct pt_query_item *item = &query->item[i];
    const struct pt_param *param = find(params, item->name);
    if (param == NULL && extra == NULL) return unknown(params, item->name, err);
    for (size_t k = 0; k < i; k++) {
        if (strcmp(query->item[k].name, item->name) == 0) {
            return pt_fail(err, PT_EINVAL, "%.*s: given more than once", SHOWN, item->name);
        }
    }
    if (param == NULL) {
        if (*item->value == '\0') {
            return pt_fail(err, PT_EINVAL, "%.*s: got an empty value", SHOWN, item->name);
        }
        extra[(*nextra)++] = item;
        return PT_OK;
    }
    struct pt_value *value = &values[param - params];
    if (*item->value == '\0') return refuse(param, item->value, err);
    value->given = true;
    return pt_param_check(param, item->value, value, err);
}

enum pt_code pt_params_check(const struct pt_param *params, const struct pt_query *query,
                             struct pt_value *values, const struct pt_query_item **extra,
                             size_t *nextra, struct pt_err *err)
{
    if (nextra != NULL) *nextra = 0;
    for (const struct pt_param *param = params; param->name != NULL; param++) {
        values[param - params] = (struct pt_value){ 0 };
    }
    for (size_t i = 0; i < query->n; i++) {
        enum pt_code rc = check_given(params, query, i, values, extra, nextra, err);
        if (rc != PT_OK) return rc;
    }
    for (const struct pt_param *param = params; param->name != NULL; param++) {
        struct pt_value *value = &values[param - params];
        if (value->given) continue;
        if (param->required) {
            char allowed[256];
            pt_param_allowed(param, allowed, sizeof allowed);
            return pt_fail(err, PT_EINVAL, "%s: missing, must be %s", param->name, allowed);
        }
        if (param->fallback == NULL) continue;
        enum pt_code rc = pt_param_check(param, param->fallback, value, err);
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}
