/* list.h - what every list reply has in common: parameters, paging, names, CSV. [layer: serve] */
#ifndef PT_LIST_H
#define PT_LIST_H

#include "base/json.h"
#include "serve/request.h"

#define PT_LIMIT_MAX 1000

/* Rows of a parameter table. */
#define PT_PARAM_ROW_PAIR                                                                          \
    {                                                                                              \
        .name = "pair", .type = PT_PARAM_PAIR, .required = true, .about = "trading pair"           \
    }
#define PT_PARAM_ROW_START                                                                         \
    {                                                                                              \
        .name = "start", .type = PT_PARAM_TIME, .about = "from this time on, inclusive"            \
    }
#define PT_PARAM_ROW_END                                                                           \
    {                                                                                              \
        .name = "end", .type = PT_PARAM_TIME, .about = "up to this time, exclusive"                \
    }
#define PT_PARAM_ROW_LIMIT(text)                                                                   \
    {                                                                                              \
        .name = "limit", .type = PT_PARAM_INT, .fallback = text, .min = 1, .max = PT_LIMIT_MAX,    \
        .about = "rows in a reply"                                                                 \
    }
#define PT_PARAM_ROW_OFFSET                                                                        \
    {                                                                                              \
        .name = "offset", .type = PT_PARAM_INT, .fallback = "0", .min = 0,                         \
        .max = INT64_C(1000000000000),                                                             \
        .about =                                                                                   \
            "rows to skip; without start, and with sort_order=desc, counted back from the newest"  \
    }
#define PT_PARAM_ROW_ORDER                                                                         \
    {                                                                                              \
        .name = "sort_order", .type = PT_PARAM_WORD, .fallback = "asc", .words = pt_order_words,   \
        .about = "order of the rows by time"                                                       \
    }
#define PT_PARAM_ROW_LIST_KEY                                                                      \
    {                                                                                              \
        .name = "list_key", .type = PT_PARAM_WORD, .words = pt_list_words,                         \
        .about = "name of the list: seed (its own), data, or both; default: [http] list_keys"       \
    }
#define PT_PARAM_ROW_FORMAT                                                                        \
    {                                                                                              \
        .name = "format", .type = PT_PARAM_WORD, .words = pt_format_words,                         \
        .about = "json or csv; default: what Accept asks for"                                      \
    }
extern const char *const pt_order_words[], *const pt_list_words[], *const pt_format_words[];
enum { PT_ORDER_ASC, PT_ORDER_DESC };
enum { PT_LIST_SEED, PT_LIST_DATA, PT_LIST_BOTH };
enum { PT_FORMAT_JSON, PT_FORMAT_CSV };

/* Applies format and list_key to the request. */
void pt_list_form(struct pt_request *request, const struct pt_value *list_key,
                  const struct pt_value *format);

/* Writes the list under the seed's name, as `data`, or both: `fill` appends one JSON array. */
void pt_list_write(struct pt_json *json, const char *seed_name, bool lists, bool data,
                   void (*fill)(void *arg, struct pt_buf *out), void *arg);

/* "pagination": {...} */
void pt_list_pagination(struct pt_json *json, int64_t total, int64_t limit, int64_t offset);

/* Members that are null when they are not known. */
void pt_list_time(struct pt_json *json, const char *key, int64_t us);    /* PT_MISSING */
void pt_list_percent(struct pt_json *json, const char *key, double pct); /* NaN */
void pt_list_given_time(struct pt_json *json, const char *key, const struct pt_value *value);

/* A text as one CSV field. */
void pt_csv_text(struct pt_buf *out, const char *text, size_t len);

#endif
