/* json.h - writes JSON straight into a buffer; commas look after themselves.   [layer: base]
 * Keys and text are UTF-8; bytes that are not are written as U+FFFD. A NaN or infinity is null. */
#ifndef PT_JSON_H
#define PT_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct pt_json {
    struct pt_buf *out; /* borrowed */
    unsigned depth;     /* open brackets; PT_JSON_DEPTH_MAX is a programming error */
    bool comma[64];
    bool after_key;
};
#define PT_JSON_DEPTH_MAX 63

void pt_json_init(struct pt_json *json, struct pt_buf *out);
void pt_json_object(struct pt_json *json);
void pt_json_object_end(struct pt_json *json);
void pt_json_array(struct pt_json *json);
void pt_json_array_end(struct pt_json *json);
void pt_json_key(struct pt_json *json, const char *key);
void pt_json_text(struct pt_json *json, const char *text); /* NULL writes null */
void pt_json_text_n(struct pt_json *json, const char *text, size_t len);
void pt_json_int(struct pt_json *json, int64_t v);
void pt_json_bool(struct pt_json *json, bool v);
void pt_json_null(struct pt_json *json);
void pt_json_double(struct pt_json *json, double v);     /* a JSON number, shortest, no exponent */
void pt_json_number_text(struct pt_json *json, double v); /* "the same as a string" */
void pt_json_dec(struct pt_json *json, int64_t mantissa, uint8_t digits); /* "exact string" or null */
void pt_json_time(struct pt_json *json, int64_t us);     /* "2025-01-01T00:00:00Z" */
void pt_json_raw(struct pt_json *json, const char *text, size_t len); /* one ready JSON value */

/* The same with their key: pt_json_kv_int(j, "rows", n). */
void pt_json_kv_text(struct pt_json *json, const char *key, const char *text);
void pt_json_kv_int(struct pt_json *json, const char *key, int64_t v);
void pt_json_kv_bool(struct pt_json *json, const char *key, bool v);
void pt_json_kv_null(struct pt_json *json, const char *key);
void pt_json_kv_double(struct pt_json *json, const char *key, double v);
void pt_json_kv_time(struct pt_json *json, const char *key, int64_t us);

#endif
