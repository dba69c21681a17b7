/* param.h - the query string: taken apart, decoded, checked.                    [layer: serve]
 * Knows nothing of sockets, so that it can be fuzzed. */
#ifndef PT_PARAM_H
#define PT_PARAM_H

#include "base/err.h"
#include "data/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_QUERY_MAX 64  /* parameters of one request */
#define PT_PARAMS_MAX 16 /* parameters in one route's table */

struct pt_query_item {
    const char *name, *value; /* decoded, NUL-terminated; value "" for both "a=" and "a" */
};

/* Zeroed = empty. Keeps its memory between requests: pt_query_fini frees it. */
struct pt_query {
    size_t n;
    struct pt_query_item item[PT_QUERY_MAX];
    char *text; /* owned: what the items point into */
    size_t cap;
};
void pt_query_fini(struct pt_query *query);

/* "a=1&b=%20x" -> items, in order. '+' is a blank; empty pieces ("&&") are skipped.
 * PT_EINVAL: a broken %XX, a NUL or control byte, more than PT_QUERY_MAX parameters: a malformed
 * request (400). */
enum pt_code pt_query_parse(struct pt_query *query, const char *raw, size_t len,
                            struct pt_err *err);

/* Decodes %XX in a path into out[len + 1]; the same errors. */
enum pt_code pt_path_decode(const char *raw, size_t len, char *out, struct pt_err *err);

enum pt_param_type {
    PT_PARAM_PAIR,   /* value.symbol, upper-cased */
    PT_PARAM_PERIOD, /* value.number: us */
    PT_PARAM_TIME,   /* value.number: us since 1970 */
    PT_PARAM_INT,    /* value.number, min..max */
    PT_PARAM_BOOL,   /* value.number: 0 or 1 */
    PT_PARAM_WORD,   /* value.number: index in words */
    PT_PARAM_TEXT    /* value.text, min..max bytes; borrowed from the query */
};

struct pt_param {
    const char *name;
    enum pt_param_type type;
    bool required;
    const char *fallback; /* used when not given; NULL = none */
    int64_t min, max;     /* INT; TEXT: bytes */
    const char *const *words;
    const char *about;
};

struct pt_value {
    bool given;
    int64_t number; /* of the fallback when not given */
    char symbol[PT_SYMBOL_MAX];
    const char *text;
};

/* Checks one text against a parameter. PT_EINVAL: names it, what was given and what is allowed
 * (422). */
enum pt_code pt_param_check(const struct pt_param *param, const char *text, struct pt_value *value,
                            struct pt_err *err);

/* Checks a whole query. params: ended by name NULL; values: [number of params].
 * Names that are not in the table: PT_EINVAL when extra is NULL, else listed there ([PT_QUERY_MAX])
 * for the handler. A name given twice and an empty value are PT_EINVAL always. */
enum pt_code pt_params_check(const struct pt_param *params, const struct pt_query *query,
                             struct pt_value *values, const struct pt_query_item **extra,
                             size_t *nextra, struct pt_err *err);

/* What a parameter may be, in words: "an integer 1..1000", "one of asc, desc". */
size_t pt_param_allowed(const struct pt_param *param, char *out, size_t cap);

#endif
