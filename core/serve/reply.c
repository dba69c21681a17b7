#include "serve/request.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/thread.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define GZIP_FROM 1024 /* bytes: shorter bodies gain nothing */
#define COPY_MAX                                                                                   \
    4096 /* shorter bodies are copied behind the headers: one piece to write instead of two */

const char *const pt_method_names[PT_METHODS] = { "GET",    "HEAD",    "POST", "PUT",
                                                  "DELETE", "OPTIONS", "other" };

const char *pt_status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 422: return "Unprocessable Entity";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
    }
}

/* ---- bodies -------------------------------------------------------------------------------------
 */

struct pt_body *pt_body_new(struct pt_buf *text, const char *type)
{
    struct pt_body *body = calloc(1, sizeof *body);
    size_t len = 0;
    char *data = pt_buf_take(text, &len);
    if (body == NULL || data == NULL) {
        free(body);
        free(data);
        return NULL;
    }
    *body = (struct pt_body){ .refs = 1, .type = type, .data = data, .len = len };
    return body;
}

struct pt_body *pt_body_ref(struct pt_body *body)
{
    body->refs++;
    return body;
}

void pt_body_unref(struct pt_body *body)
{
    if (body == NULL || --body->refs > 0) return;
    free(body->data);
    free(body->gz);
    free(body);
}

/* Makes the compressed form once. Level 1: four times faster than the default for a fifth more
 * bytes. */
static bool compress_body(struct pt_thread *thread, struct pt_body *body)
{
    if (body->gz != NULL) return true;
    if (!thread->deflate_ready || body->len > UINT32_MAX / 2) return false;
    deflateReset(&thread->deflate);
    size_t room = deflateBound(&thread->deflate, (uLong)body->len);
    char *gz = malloc(room);
    if (gz == NULL) return false;
    thread->deflate.next_in = (Bytef *)body->data;
    thread->deflate.avail_in = (uInt)body->len;
    thread->deflate.next_out = (Bytef *)gz;
    thread->deflate.avail_out = (uInt)room;
    if (deflate(&thread->deflate, Z_FINISH) != Z_STREAM_END) {
        free(gz);
        return false;
    }
    body->gz_len = room - thread->deflate.avail_out;
    char *fitted = realloc(gz, body->gz_len);
    body->gz = fitted != NULL ? fitted : gz;
    return true;
}

/* ---- sending ------------------------------------------------------------------------------------
 */

void pt_reply_header(struct pt_request *request, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(request->ev), name, value);
}

/* evhttp would format the date anew for every reply. */
static const char *date_now(struct pt_thread *thread)
{
    time_t now = time(NULL);
    if (thread->date_s != (int64_t)now) {
        struct tm tm;
        gmtime_r(&now, &tm);
        static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        snprintf(thread->date, sizeof thread->date, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                 days[tm.tm_wday], tm.tm_mday % 100, months[tm.tm_mon], (tm.tm_year + 1900) % 10000,
                 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        thread->date_s = (int64_t)now;
    }
    return thread->date;
}

static void drop_body(const void *data, size_t len, void *body)
{
    (void)data;
    (void)len;
    pt_body_unref(body);
}

/* The one place where a request ends. body may be NULL. */
static void finish(struct pt_request *request, int status, struct pt_body *body)
{
    struct pt_thread *thread = request->thread;
    struct evbuffer *out = evhttp_request_get_output_buffer(request->ev);
    size_t sent = 0;
    pt_reply_header(request, "Date", date_now(thread));
    if (thread->http->set.cors_on) {
        pt_reply_header(request, "Access-Control-Allow-Origin", thread->http->set.cors);
        pt_reply_header(request, "Access-Control-Expose-Headers",
                        "ETag, X-Total-Count, Retry-After");
    }
    if (request->close || thread->stopping) pt_reply_header(request, "Connection", "close");
    if (body != NULL) {
        bool gzip = request->gzip && body->len > GZIP_FROM && compress_body(thread, body);
        char *data = gzip ? body->gz : body->data;
        char length[24];
        sent = gzip ? body->gz_len : body->len;
        if (gzip) pt_reply_header(request, "Content-Encoding", "gzip");
        snprintf(length, sizeof length, "%zu", sent);
        pt_reply_header(request, "Content-Length", length);
        if (request->method == PT_HEAD)
            sent = 0;
        else if (sent <= COPY_MAX)
            evbuffer_add(out, data, sent);
        else if (evbuffer_add_reference(out, data, sent, drop_body, pt_body_ref(body)) != 0)
            pt_body_unref(body);
    }
    int64_t now_ns = pt_mono_ns();
    pt_figures_count(&thread->figures, request->route, request->method, status,
                     now_ns - request->start_ns, request->bytes_in, sent);
    if (request->conn != NULL) pt_conn_replied(request->conn, request->ev, now_ns / 1000);
    evhttp_send_reply(request->ev, status, pt_status_text(status), NULL);
    request->ev = NULL;
}

void pt_reply_body(struct pt_request *request, int status, struct pt_body *body)
{
    bool tagged = body->etag[0] != '\0';
    if (tagged) pt_reply_header(request, "ETag", body->etag);
    pt_reply_header(request, "Cache-Control", "no-cache");
    pt_reply_header(request, "Vary", "Accept-Encoding, Accept");
    if (tagged && status == 200 && pt_etag_matches(request->if_none_match, body->etag)) {
        finish(request, 304, NULL);
        return;
    }
    pt_reply_header(request, "Content-Type", body->type);
    if (body->total[0] != '\0') pt_reply_header(request, "X-Total-Count", body->total);
    finish(request, status, body);
}

/* Last words when there is no memory for better ones. */
static void fail_plain(struct pt_request *request)
{
    request->close = true;
    finish(request, 503, NULL);
}

void pt_reply_text(struct pt_request *request, int status, const char *type, struct pt_buf *text)
{
    struct pt_body *body = pt_body_new(text, type);
    if (body == NULL) {
        fail_plain(request);
        return;
    }
    pt_reply_body(request, status, body);
    pt_body_unref(body);
}

void pt_reply_problem(struct pt_request *request, int status, const char *fmt, ...)
{
    struct pt_buf out = { 0 };
    char room[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(room, sizeof room, fmt, args);
    va_end(args);
    struct pt_json json;
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "type", "about:blank");
    pt_json_kv_text(&json, "title", pt_status_text(status));
    pt_json_kv_int(&json, "status", status);
    pt_json_kv_text(&json, "detail", n < 0 ? pt_status_text(status) : room);
    pt_json_object_end(&json);
    pt_reply_text(request, status, PT_TYPE_PROBLEM, &out);
}

void pt_reply_error(struct pt_request *request, const struct pt_err *err)
{
    bool passing = err->code == PT_ENOMEM || err->code == PT_EBUSY || err->code == PT_EFULL ||
                   err->code == PT_ECANCEL;
    pt_log(passing ? PT_WARN : PT_ERROR, "http", "failed", "uri=%.200s error=\"%s\"", request->uri,
           err->text);
    if (passing) pt_reply_header(request, "Retry-After", "1");
    pt_reply_problem(request, passing ? 503 : 500, "%s", err->text);
}

void pt_reply_empty(struct pt_request *request)
{
    finish(request, 204, NULL);
}

/* ---- kept replies -------------------------------------------------------------------------------
 */

/* Its compressed form may be made on the way, and counts as part of the entry. */
void pt_reply_entry(struct pt_request *request, struct pt_cache_entry *entry)
{
    struct pt_body *body = pt_body_ref(entry->body);
    bool had_gz = body->gz != NULL;
    pt_reply_body(request, 200, body);
    if (!had_gz && body->gz != NULL) pt_cache_grew(&request->thread->cache, entry);
    pt_body_unref(body);
}

bool pt_reply_same(struct pt_request *request, uint64_t inputs, int64_t expires_us)
{
    struct pt_cache_entry *entry = request->before;
    if (entry == NULL || inputs == 0 || entry->inputs != inputs) return false;
    entry->commit = request->commit;
    entry->generation = request->generation;
    entry->expires_us = expires_us;
    pt_figure_add(&request->thread->figures.cache_same, 1);
    pt_reply_entry(request, entry);
    return true;
}

void pt_reply_keep(struct pt_request *request, const char *type, struct pt_buf *text, uint64_t tag,
                   uint64_t inputs, int64_t expires_us, int64_t total)
{
    struct pt_thread *thread = request->thread;
    struct pt_body *body = pt_body_new(text, type);
    if (body == NULL) {
        fail_plain(request);
        return;
    }
    tag = XXH3_64bits_withSeed(type, strlen(type), tag); /* JSON and CSV are two bodies */
    snprintf(body->etag, sizeof body->etag, "W/\"%016llx\"", (unsigned long long)tag);
    if (strcmp(type, PT_TYPE_CSV) == 0)
        snprintf(body->total, sizeof body->total, "%lld", (long long)total);
    pt_figure_add(&thread->figures.cache_misses, 1);
    request->before = NULL; /* a put may drop it */
    struct pt_cache_entry *entry =
        pt_cache_put(&thread->cache, request->uri, request->takes_csv, body);
    if (entry != NULL) {
        entry->route = request->route;
        entry->commit = request->commit;
        entry->generation = request->generation;
        entry->expires_us = expires_us;
        entry->inputs = inputs;
        pt_reply_entry(request, entry);
    } else {
        pt_reply_body(request, 200, body);
    }
    pt_body_unref(body);
}
