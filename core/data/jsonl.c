/* jsonl.c - rows of our own export as JSON lines, back again.                   [layer: data]
 * One object a line, keys in the order of the schema table, wide columns as arrays, as dump.c
 * writes them. Other JSON is not read here: messages of an exchange go through capture.c. */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/reader_internal.h"

#include <string.h>

struct cursor {
    const char *p, *end;
};

static bool eat(struct cursor *c, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len) != 0) return false;
    c->p += len;
    return true;
}

/* Up to the character that ends a value. */
static struct pt_span until(struct cursor *c, const char *ends)
{
    const char *start = c->p;
    while (c->p < c->end && !(*c->p && strchr(ends, *c->p))) c->p++;
    return (struct pt_span){ start, (size_t)(c->p - start) };
}

static const char *read_text(const struct pt_column *column, struct pt_span text, int64_t *val,
                             uint8_t *dig)
{
    enum pt_code rc;
    if (column->type == PT_TYPE_DEC) {
        rc = pt_dec_parse(text.text, text.len, val, dig);
        return rc == PT_OK ? NULL : rc == PT_ERANGE ? "decimal_out_of_range" : "unreadable_number";
    }
    if (column->type != PT_TYPE_ENUM) return "unreadable_number";
    for (*val = 0; column->words[*val]; ++*val) {
        if (strlen(column->words[*val]) == text.len &&
            memcmp(column->words[*val], text.text, text.len) == 0)
            return NULL;
    }
    return "unknown_word";
}

static const char *read_value(struct cursor *c, const struct pt_column *column, int64_t *val,
                              uint8_t *dig)
{
    uint8_t digits;
    if (eat(c, "null")) return NULL;
    if (eat(c, "\"")) {
        const char *reason = read_text(column, until(c, "\""), val, dig);
        return reason ? reason : eat(c, "\"") ? NULL : "bad_json";
    }
    if (column->type == PT_TYPE_BOOL) {
        *val = eat(c, "true");
        return *val || eat(c, "false") ? NULL : "bad_flag";
    }
    if (column->type != PT_TYPE_TIME && column->type != PT_TYPE_INT) return "bad_json";
    struct pt_span text = until(c, ",]}");
    bool good = pt_dec_parse(text.text, text.len, val, &digits) == PT_OK && digits == 0;
    return good ? NULL : column->type == PT_TYPE_TIME ? "unreadable_time" : "unreadable_number";
}

static const char *read_column(struct cursor *c, const struct pt_column *column, int64_t *val,
                               uint8_t *dig)
{
    if (!eat(c, "\"") || !eat(c, column->name) || !eat(c, "\":")) return "bad_json";
    if (column->width == 1) return read_value(c, column, val, dig);
    for (unsigned w = 0; w < column->width; w++) {
        if (!eat(c, w ? "," : "[")) return "bad_json";
        const char *reason = read_value(c, column, &val[w], &dig[w]);
        if (reason) return reason;
    }
    return eat(c, "]") ? NULL : "bad_json";
}

const char *pt_jsonl_row(const struct pt_kind *kind, const char *text, size_t len, int64_t *val,
                         uint8_t *dig)
{
    struct cursor c = { text, text + len };
    for (unsigned i = 0, cell = 0; i < kind->ncols; cell += kind->cols[i++].width) {
        if (!eat(&c, i ? "," : "{")) return "bad_json";
        const char *reason = read_column(&c, &kind->cols[i], &val[cell], &dig[cell]);
        if (reason) return reason;
    }
    return eat(&c, "}") && c.p == c.end ? NULL : "bad_json";
}

bool pt_jsonl_detect(const char *line, size_t len, struct pt_layout *layout)
{
    len = pt_line_trim(line, len);
    for (int k = 0; k < PT_KINDS; k++) {
        const struct pt_kind *kind = pt_kind((enum pt_kind_id)k);
        int64_t val[PT_CELLS_MAX];
        uint8_t dig[PT_CELLS_MAX];
        if (pt_jsonl_row(kind, line, len, val, dig) != NULL) continue;
        *layout = (struct pt_layout){ .name = "export_jsonl",
                                      .kind = kind->id,
                                      .has_closed = true,
                                      .jsonl = true,
                                      .ours = true };
        return true;
    }
    return false;
}
