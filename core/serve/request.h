/* request.h - one request as a handler sees it, and how it is answered. [layer: serve]
 * Lives on one HTTP thread. Every request is answered exactly once, by one of the pt_reply_*
 * functions: at once, or later when a worker has computed (wait.h). */
#ifndef PT_REQUEST_H
#define PT_REQUEST_H

#include "base/buf.h"
#include "serve/param.h"

struct evhttp_request;
struct pt_cache_entry;
struct pt_conn;
struct pt_route;
struct pt_thread;

enum pt_method {
    PT_GET,
    PT_HEAD,
    PT_POST,
    PT_PUT,
    PT_DELETE,
    PT_OPTIONS,
    PT_METHOD_OTHER,
    PT_METHODS
};
extern const char *const pt_method_names[PT_METHODS];

struct pt_request {
    struct evhttp_request *ev; /* NULL once answered */
    struct pt_thread *thread;
    struct pt_conn *conn;         /* NULL when it could not be recorded */
    const struct pt_route *route; /* NULL until routed: counted as "other" */
    enum pt_method method;
    bool takes_csv, gzip; /* what the client's headers ask for and take */
    bool csv;             /* the reply's form: takes_csv unless ?format= says otherwise */
    bool close;           /* the connection ends with the reply */
    bool lists;           /* `values` is emitted */
    bool data;            /* `data` is emitted in its place, or too */
    int64_t start_ns;
    size_t bytes_in;
    const char *if_none_match; /* borrowed from the request's headers, NULL */
    const char *uri;           /* path and query as they came; borrowed */
    const char *arg; /* what stands where the path has {name}; borrowed until the handler returns */
    struct pt_value value[PT_PARAMS_MAX]; /* by position in the route's table */
    const struct pt_query_item **extra;   /* names the table does not have */
    size_t nextra;
    bool failed;                   /* computed, but not all came off: the next time it may */
    uint64_t commit;               /* of the store, read before anything else of it */
    uint64_t generation;           /* of the scripts when it came */
    struct pt_cache_entry *before; /* what the cache has for this address, perhaps no longer true */
};

/* A reply body, shared by the requests and the cache of one thread; the count is not atomic. */
struct pt_body {
    unsigned refs;
    const char *type; /* static */
    char *data, *gz;  /* owned; gz made when first asked for */
    size_t len, gz_len;
    char etag[24];  /* with its quotes; "" = none */
    char total[24]; /* X-Total-Count of a CSV page; "" = none */
};
/* Takes the text (also on failure); NULL when there is no memory. refs = 1. */
struct pt_body *pt_body_new(struct pt_buf *text, const char *type);
struct pt_body *pt_body_ref(struct pt_body *body);
void pt_body_unref(struct pt_body *body); /* accepts NULL */

#define PT_TYPE_JSON "application/json"
#define PT_TYPE_CSV "text/csv; charset=utf-8"
#define PT_TYPE_PROBLEM "application/problem+json"

/* Answers with a body (borrowed): status line, headers, gzip, 304 when the client has it already.
 */
void pt_reply_body(struct pt_request *request, int status, struct pt_body *body);
/* Answers with a text (taken); a failed buffer becomes 500. */
void pt_reply_text(struct pt_request *request, int status, const char *type, struct pt_buf *text);
/* Answers application/problem+json. */
void pt_reply_problem(struct pt_request *request, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* An error of a layer below as 500 or 503, logged. */
void pt_reply_error(struct pt_request *request, const struct pt_err *err);
/* 204 without a body. */
void pt_reply_empty(struct pt_request *request);
/* One more header for the reply to come. */
void pt_reply_header(struct pt_request *request, const char *name, const char *value);
const char *pt_status_text(int status);

/* Replies that stay true until the store or the scripts change, or what of them they are made of.
 * inputs: a digest of all that the body is made of, scripts too, 0 = cannot be told; expires_us:
 * wall clock after which the body changes by itself, INT64_MAX = never. */
/* Answers from the cache when what it holds was made of the same inputs; else false and nothing is
 * done. */
bool pt_reply_same(struct pt_request *request, uint64_t inputs, int64_t expires_us);
/* Answers with what the cache holds. */
void pt_reply_entry(struct pt_request *request, struct pt_cache_entry *entry);
/* Answers 200 with the text (taken) and keeps it. tag: what the ETag is made of. */
void pt_reply_keep(struct pt_request *request, const char *type, struct pt_buf *text, uint64_t tag,
                   uint64_t inputs, int64_t expires_us, int64_t total);

/* Header negotiation, pure. */
bool pt_accepts_gzip(const char *accept_encoding); /* NULL = no */
bool pt_accepts_csv(const char *accept);           /* text/csv wanted at least as much as JSON */
bool pt_etag_matches(const char *if_none_match,
                     const char *etag); /* weak comparison; "*" matches */

#endif
