#include "serve/list.h"

#include "base/decimal.h"

#include <math.h>
#include <string.h>

const char *const pt_order_words[] = { "asc", "desc", NULL };
const char *const pt_list_words[] = { "seed", "data", "both", NULL };
const char *const pt_format_words[] = { "json", "csv", NULL };

void pt_list_form(struct pt_request *request, const struct pt_value *list_key,
                  const struct pt_value *format)
{
    if (format->given) request->csv = format->number == PT_FORMAT_CSV;
    if (!list_key->given) return;
    request->lists = list_key->number != PT_LIST_DATA;
    request->data = list_key->number != PT_LIST_SEED;
}

void pt_list_write(struct pt_json *json, const char *seed_name, bool lists, bool data,
                   void (*fill)(void *arg, struct pt_buf *out), void *arg)
{
    pt_json_key(json, lists ? seed_name : "data");
    pt_json_raw(json, "", 0); /* the value follows, straight into the buffer */
    size_t start = json->out->len;
    fill(arg, json->out);
    if (!lists || !data) return;
    size_t len = json->out->len - start;
    pt_json_key(json, "data");
    pt_json_raw(json, "", 0);
    if (pt_buf_reserve(json->out, len)) pt_buf_add(json->out, json->out->data + start, len);
}

void pt_list_pagination(struct pt_json *json, int64_t total, int64_t limit, int64_t offset)
{
    pt_json_key(json, "pagination");
    pt_json_object(json);
    pt_json_kv_int(json, "total", total);
    pt_json_kv_int(json, "limit", limit);
    pt_json_kv_int(json, "offset", offset);
    pt_json_kv_int(json, "page", offset / limit + 1);
    pt_json_kv_int(json, "pages", (total + limit - 1) / limit);
    pt_json_kv_bool(json, "has_next", offset + limit < total);
    pt_json_kv_bool(json, "has_previous", offset > 0);
    pt_json_object_end(json);
}

void pt_list_time(struct pt_json *json, const char *key, int64_t us)
{
    if (us == PT_MISSING)
        pt_json_kv_null(json, key);
    else
        pt_json_kv_time(json, key, us);
}

void pt_list_percent(struct pt_json *json, const char *key, double pct)
{
    if (isfinite(pct))
        pt_json_kv_double(json, key, pct);
    else
        pt_json_kv_null(json, key);
}

void pt_list_given_time(struct pt_json *json, const char *key, const struct pt_value *value)
{
    pt_list_time(json, key, value->given ? value->number : PT_MISSING);
}

void pt_csv_text(struct pt_buf *out, const char *text, size_t len)
{
    bool quote = false;
    for (size_t i = 0; i < len && !quote; i++) quote = strchr(",\"\r\n", text[i]) != NULL;
    if (!quote) {
        pt_buf_add(out, text, len);
        return;
    }
    pt_buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"') pt_buf_putc(out, '"');
        pt_buf_putc(out, text[i]);
    }
    pt_buf_putc(out, '"');
}
