/* params.c - the parameters a script declares, and values for them.            [layer: flow] */
#include "flow/params.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool pt_param_find(const bson_t *declaration, const char *name, bson_t *entry)
{
    bson_t list;
    bson_iter_t iter;
    if (!pt_doc_child(declaration, "params", &list) || !bson_iter_init(&iter, &list)) return false;
    while (bson_iter_next(&iter)) {
        uint32_t len = 0;
        const uint8_t *data = NULL;
        const char *text;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &data);
        if (data && bson_init_static(entry, data, len) && pt_doc_text(entry, "name", &text) &&
            strcmp(text, name) == 0)
            return true;
    }
    return false;
}

void pt_param_names(const bson_t *declaration, char *out, size_t room)
{
    bson_t list;
    bson_iter_t iter, child;
    size_t len = 0;
    out[0] = '\0';
    if (!pt_doc_child(declaration, "params", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        if (!bson_iter_recurse(&iter, &child) || !bson_iter_find(&child, "name") ||
            !BSON_ITER_HOLDS_UTF8(&child))
            continue;
        int n = snprintf(out + len, room - len, "%s%s", len > 0 ? ", " : "",
                         bson_iter_utf8(&child, NULL));
        if (n < 0 || (size_t)n >= room - len) return;
        len += (size_t)n;
    }
}

/* A bound or default of either number type; false when it is not there. */
static bool number_of(const bson_t *entry, const char *key, double *v)
{
    int64_t whole;
    if (pt_doc_double(entry, key, v)) return true;
    if (!pt_doc_int(entry, key, &whole)) return false;
    *v = (double)whole;
    return true;
}

/* "from 2 to 5000 bars", "of at least 1", "" */
static void range_words(const bson_t *entry, char *out, size_t room)
{
    double min, max;
    const char *unit = "", *blank = "";
    char low[PT_DOUBLE_TEXT_MAX] = "", high[PT_DOUBLE_TEXT_MAX] = "";
    bool has_min = number_of(entry, "min", &min), has_max = number_of(entry, "max", &max);
    if (has_min) pt_double_print(min, low);
    if (has_max) pt_double_print(max, high);
    if (pt_doc_text(entry, "unit", &unit) && strcmp(unit, "none") != 0)
        blank = " ";
    else
        unit = "";
    if (has_min && has_max)
        snprintf(out, room, " from %s to %s%s%s", low, high, blank, unit);
    else if (has_min || has_max)
        snprintf(out, room, " of at %s %s%s%s", has_min ? "least" : "most", has_min ? low : high,
                 blank, unit);
    else
        snprintf(out, room, "%s%s%s", *unit ? ", in" : "", blank, unit);
}

static enum pt_code refuse(const bson_t *entry, const char *value, const char *wanted,
                           struct pt_err *err)
{
    const char *name = "?";
    pt_doc_text(entry, "name", &name);
    return pt_fail(err, PT_EINVAL, "parameter %s: '%.60s' is not %s", name, value, wanted);
}

static enum pt_code append_int(const bson_t *entry, const char *name, const char *value,
                               bson_t *params, struct pt_err *err)
{
    char wanted[160] = "a whole number", *end = NULL;
    double min, max;
    int64_t fallback;
    range_words(entry, wanted + strlen(wanted), sizeof wanted - strlen(wanted));
    errno = 0;
    long long v = strtoll(value, &end, 10);
    bool number =
        strspn(value, "+-0123456789") == strlen(value) && end != value && !*end && errno == 0;
    if (!number || (number_of(entry, "min", &min) && (double)v < min) ||
        (number_of(entry, "max", &max) && (double)v > max))
        return refuse(entry, value, wanted, err);
    if (pt_doc_int(entry, "default", &fallback) && fallback == v) return PT_OK;
    return bson_append_int64(params, name, -1, v) ? PT_OK
                                                  : pt_fail(err, PT_ENOMEM, "parameter %s", name);
}

static enum pt_code append_number(const bson_t *entry, const char *name, const char *value,
                                  bson_t *params, struct pt_err *err)
{
    char wanted[160] = "a number", *end = NULL;
    double min, max, fallback;
    range_words(entry, wanted + strlen(wanted), sizeof wanted - strlen(wanted));
    double v = strtod(value, &end);
    /* strtod also takes hexadecimal, "inf" and "nan" */
    bool number =
        strspn(value, "+-.0123456789eE") == strlen(value) && end != value && !*end && isfinite(v);
    if (!number || (number_of(entry, "min", &min) && v < min) ||
        (number_of(entry, "max", &max) && v > max))
        return refuse(entry, value, wanted, err);
    v += 0.0; /* -0 is 0: else the two would be different parameters */
    if (number_of(entry, "default", &fallback) && memcmp(&fallback, &v, sizeof v) == 0)
        return PT_OK;
    return bson_append_double(params, name, -1, v) ? PT_OK
                                                   : pt_fail(err, PT_ENOMEM, "parameter %s", name);
}

static enum pt_code append_word(const bson_t *entry, const char *name, const char *value,
                                bson_t *params, struct pt_err *err)
{
    char wanted[200] = "one of";
    const char *fallback;
    bson_t words;
    bson_iter_t iter;
    bool found = false;
    if (pt_doc_child(entry, "words", &words) && bson_iter_init(&iter, &words))
        while (bson_iter_next(&iter)) {
            if (!BSON_ITER_HOLDS_UTF8(&iter)) continue;
            const char *word = bson_iter_utf8(&iter, NULL);
            size_t len = strlen(wanted);
            found = found || strcmp(word, value) == 0;
            snprintf(wanted + len, sizeof wanted - len, "%s %s", len > sizeof "one of" ? "," : "",
                     word);
        }
    if (!found) return refuse(entry, value, wanted, err);
    if (pt_doc_text(entry, "default", &fallback) && strcmp(fallback, value) == 0) return PT_OK;
    return bson_append_utf8(params, name, -1, value, -1)
               ? PT_OK
               : pt_fail(err, PT_ENOMEM, "parameter %s", name);
}

static enum pt_code append_bool(const bson_t *entry, const char *name, const char *value,
                                bson_t *params, struct pt_err *err)
{
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no",
                                                                                   "off", "0" };
    bool v = false, found = false, fallback;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcmp(value, yes[i]) == 0) v = found = true;
        if (strcmp(value, no[i]) == 0) found = true;
    }
    if (!found) return refuse(entry, value, "true or false", err);
    if (pt_doc_bool(entry, "default", &fallback) && fallback == v) return PT_OK;
    return bson_append_bool(params, name, -1, v) ? PT_OK
                                                 : pt_fail(err, PT_ENOMEM, "parameter %s", name);
}

static bool span_of(const bson_t *entry, const char *key, int64_t *us)
{
    const char *text;
    return pt_doc_text(entry, key, &text) && pt_span_parse(text, strlen(text), us) == PT_OK;
}

static enum pt_code append_span(const bson_t *entry, const char *name, const char *value,
                                bson_t *params, struct pt_err *err)
{
    char wanted[160] = "a span such as 30d", text[PT_PERIOD_TEXT_MAX];
    const char *low = "", *high = "";
    int64_t us, bound;
    bool good = pt_span_parse(value, strlen(value), &us) == PT_OK;
    if (good && span_of(entry, "min", &bound)) good = us >= bound;
    if (good && span_of(entry, "max", &bound)) good = us <= bound;
    bool has_min = pt_doc_text(entry, "min", &low), has_max = pt_doc_text(entry, "max", &high);
    size_t len = strlen(wanted);
    if (has_min || has_max)
        snprintf(wanted + len, sizeof wanted - len, "%s%s%s%s", has_min ? ", at least " : "", low,
                 has_max ? ", at most " : "", high);
    if (!good) return refuse(entry, value, wanted, err);
    if (span_of(entry, "default", &bound) && us == bound) return PT_OK;
    pt_span_print_days(us, text); /* as results have it */
    return bson_append_utf8(params, name, -1, text, -1)
               ? PT_OK
               : pt_fail(err, PT_ENOMEM, "parameter %s", name);
}

enum pt_code pt_param_append(const bson_t *entry, const char *value, bson_t *params,
                             struct pt_err *err)
{
    const char *name = "?", *type = "?";
    pt_doc_text(entry, "name", &name);
    pt_doc_text(entry, "type", &type);
    if (bson_has_field(params, name))
        return pt_fail(err, PT_EINVAL, "parameter %s is given twice", name);
    if (strcmp(type, "int") == 0) return append_int(entry, name, value, params, err);
    if (strcmp(type, "number") == 0) return append_number(entry, name, value, params, err);
    if (strcmp(type, "enum") == 0) return append_word(entry, name, value, params, err);
    if (strcmp(type, "bool") == 0) return append_bool(entry, name, value, params, err);
    if (strcmp(type, "span") == 0) return append_span(entry, name, value, params, err);
    return pt_fail(err, PT_EINVAL, "parameter %s is declared with the unknown type '%s'", name,
                   type);
}

/* One entry of the params list with another default. */
static bool append_entry(bson_t *list, const char *key, const bson_iter_t *old,
                         const bson_t *params)
{
    bson_t entry, copy;
    bson_iter_t iter, value;
    uint32_t len = 0;
    const uint8_t *data = NULL;
    const char *name;
    bson_iter_document(old, &len, &data);
    if (!data || !bson_init_static(&entry, data, len)) return false;
    if (!pt_doc_text(&entry, "name", &name) || !bson_iter_init_find(&value, params, name))
        return bson_append_document(list, key, -1, &entry);
    if (!bson_append_document_begin(list, key, -1, &copy)) return false;
    bool ok = bson_iter_init(&iter, &entry);
    while (ok && bson_iter_next(&iter)) {
        const char *field = bson_iter_key(&iter);
        ok = bson_append_iter(&copy, field, -1, strcmp(field, "default") == 0 ? &value : &iter);
    }
    return bson_append_document_end(list, &copy) && ok;
}

bson_t *pt_param_defaults(const bson_t *declaration, const bson_t *params)
{
    bson_t *out = bson_new(), list;
    bson_iter_t iter, entry;
    bool ok = out && bson_iter_init(&iter, declaration);
    while (ok && bson_iter_next(&iter)) {
        const char *field = bson_iter_key(&iter);
        if (strcmp(field, "params") != 0 || !bson_iter_recurse(&iter, &entry)) {
            ok = bson_append_iter(out, field, -1, &iter);
            continue;
        }
        ok = bson_append_array_begin(out, field, -1, &list);
        while (ok && bson_iter_next(&entry))
            ok = BSON_ITER_HOLDS_DOCUMENT(&entry) &&
                 append_entry(&list, bson_iter_key(&entry), &entry, params);
        ok = ok && bson_append_array_end(out, &list);
    }
    if (ok) return out;
    bson_destroy(out); /* accepts NULL */
    return NULL;
}

void pt_param_all(const bson_t *declaration, const bson_t *over, const bson_t *more, bson_t *out)
{
    bson_t list, entry;
    bson_iter_t iter, value;
    const char *name;
    if (!pt_doc_child(declaration, "params", &list) || !bson_iter_init(&iter, &list)) return;
    while (bson_iter_next(&iter)) {
        uint32_t len = 0;
        const uint8_t *data = NULL;
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) continue;
        bson_iter_document(&iter, &len, &data);
        if (!data || !bson_init_static(&entry, data, len) || !pt_doc_text(&entry, "name", &name))
            continue;
        if ((more && bson_iter_init_find(&value, more, name)) ||
            (over && bson_iter_init_find(&value, over, name)) ||
            bson_iter_init_find(&value, &entry, "default"))
            bson_append_iter(out, name, -1, &value);
    }
}
