/* dispatch.c - from evhttp's request to a route's handler. [layer: serve] */
#include "base/clock.h"
#include "serve/guard.h"
#include "serve/list.h"
#include "serve/thread.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a path takes. */
static const char *allow(const struct pt_route *route)
{
    if (route != NULL && (route->flags & PT_ROUTE_POST) != 0) return "POST, OPTIONS";
    return "GET, HEAD, OPTIONS";
}

static const struct pt_param no_params[] = { { 0 } };

struct pt_scripts *pt_thread_scripts(struct pt_thread *thread)
{
    uint64_t generation = pt_engine_generation(thread->http->engine);
    if (thread->scripts != NULL && generation == thread->generation) return thread->scripts;
    struct pt_scripts *scripts = pt_engine_scripts(thread->http->engine);
    pt_scripts_unref(thread->scripts);
    thread->scripts = scripts;
    thread->generation = scripts != NULL ? scripts->generation : generation;
    return scripts;
}

static enum pt_method method_of(enum evhttp_cmd_type command)
{
    switch (command) {
    case EVHTTP_REQ_GET: return PT_GET;
    case EVHTTP_REQ_HEAD: return PT_HEAD;
    case EVHTTP_REQ_POST: return PT_POST;
    case EVHTTP_REQ_PUT: return PT_PUT;
    case EVHTTP_REQ_DELETE: return PT_DELETE;
    case EVHTTP_REQ_OPTIONS: return PT_OPTIONS;
    case EVHTTP_REQ_TRACE:
    case EVHTTP_REQ_CONNECT:
    case EVHTTP_REQ_PATCH:
    default: return PT_METHOD_OTHER;
    }
}

static enum pt_code read_heads(struct pt_request *request, struct pt_heads *heads,
                               struct pt_err *err)
{
    struct evkeyval *header;
    const struct evkeyvalq *list = evhttp_request_get_input_headers(request->ev);
    for (header = list->tqh_first; header != NULL; header = header->next.tqe_next) {
        enum pt_code rc = pt_guard_header(heads, header->key, header->value, err);
        if (rc != PT_OK) return rc;
    }
    const struct evhttp_request *ev = request->ev;
    bool http_1_1 = ev->major > 1 || (ev->major == 1 && ev->minor >= 1);
    bool reads_body =
        ev->type == EVHTTP_REQ_POST || ev->type == EVHTTP_REQ_PUT || ev->type == EVHTTP_REQ_PATCH;
    enum pt_code rc = pt_guard_heads(heads, http_1_1, reads_body, &request->close, err);
    if (rc == PT_OK) rc = pt_guard_uri(request->uri, err);
    request->if_none_match = heads->if_none_match;
    request->gzip = pt_accepts_gzip(heads->accept_encoding);
    request->takes_csv = pt_accepts_csv(heads->accept);
    request->bytes_in = heads->bytes + strlen(request->uri) + evbuffer_get_length(ev->input_buffer);
    return rc;
}

static bool brings_token(const struct pt_request *request, const char *authorization)
{
    const char *token = request->thread->http->set.token;
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0) return false;
    authorization += 7;
    return pt_guard_same(token, authorization + strspn(authorization, " "));
}

/* True: may go on. Else the request is answered. */
static bool check_token(struct pt_request *request, const char *authorization)
{
    if (brings_token(request, authorization)) return true;
    if (authorization == NULL) {
        pt_reply_header(request, "WWW-Authenticate", "Bearer");
        pt_reply_problem(request, 401, "this needs a token: Authorization: Bearer TOKEN");
        return false;
    }
    pt_reply_problem(request, 403, "the token is not the right one");
    return false;
}

static bool needs_token(const struct pt_request *request)
{
    const struct pt_http_settings *set = &request->thread->http->set;
    if (set->token == NULL) return false;
    switch (request->method) {
    case PT_OPTIONS: return false;
    case PT_GET:
    case PT_HEAD:
        return set->protect_reads &&
               !(request->route != NULL && (request->route->flags & PT_ROUTE_PROBE) != 0);
    case PT_POST:
    case PT_PUT:
    case PT_DELETE:
    case PT_METHOD_OTHER:
    case PT_METHODS: break;
    }
    return true;
}

/* Answers from the cache if what it holds is still true; else notes it for pt_reply_same. */
static bool answer_cached(struct pt_request *request)
{
    struct pt_thread *thread = request->thread;
    if (request->method != PT_GET && request->method != PT_HEAD) return false;
    struct pt_cache_entry *entry = pt_cache_find(&thread->cache, request->uri, request->takes_csv);
    if (entry == NULL) return false;
    request->before = entry;
    if (request->commit == 0 || entry->commit != request->commit ||
        entry->generation != request->generation)
        return false;
    if (entry->expires_us != INT64_MAX && pt_now_us() >= entry->expires_us) return false;
    request->route = entry->route;
    pt_reply_entry(request, entry);
    pt_figure_add(&thread->figures.cache_hits, 1);
    return true;
}

/* The path of a request target, decoded into the thread's scratch; *query: what follows the '?'. */
static enum pt_code read_target(struct pt_request *request, const char **query, size_t *query_len,
                                struct pt_err *err)
{
    struct pt_thread *thread = request->thread;
    const char *path = request->uri, *scheme = *path == '/' ? NULL : strstr(path, "://");
    if (scheme != NULL) path = scheme + 3 + strcspn(scheme + 3, "/?#"); /* http://host/path */
    size_t len = strcspn(path, "?#");
    *query = path[len] == '?' ? path + len + 1 : "";
    *query_len = strcspn(*query, "#");
    if (thread->path_cap < 2 * (len + 2)) { /* and room for a piece of it: cut_arg */
        char *room = realloc(thread->path, 2 * (len + 2));
        if (room == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
        thread->path = room;
        thread->path_cap = 2 * (len + 2);
    }
    if (len == 0 && scheme != NULL) {
        strcpy(thread->path, "/");
        return PT_OK;
    }
    return pt_path_decode(path, len, thread->path, err);
}

/* What stands for {name} as a text of its own, where the path goes on behind it. */
static void cut_arg(struct pt_request *request)
{
    if (request->arg == NULL) return;
    size_t len = strcspn(request->arg, "/");
    if (request->arg[len] == '\0') return;
    char *room = request->thread->path + strlen(request->thread->path) + 1;
    memcpy(room, request->arg, len);
    room[len] = '\0';
    request->arg = room;
}

static void no_route(struct pt_request *request)
{
    if (pt_later_find(request->thread->path))
        pt_reply_problem(request, 501, "%.200s is known but not built in this version",
                         request->thread->path);
    else
        pt_reply_problem(request, 404, "no such path: %.200s; /docs lists all",
                         request->thread->path);
}

static void answer_options(struct pt_request *request)
{
    pt_reply_header(request, "Allow", allow(request->route));
    if (request->thread->http->set.cors_on) {
        pt_reply_header(request, "Access-Control-Allow-Methods", allow(request->route));
        pt_reply_header(request, "Access-Control-Allow-Headers",
                        "Authorization, Content-Type, If-None-Match");
        pt_reply_header(request, "Access-Control-Max-Age", "600");
    }
    pt_reply_empty(request);
}

/* False: answered, because the method is none that the path has. */
static bool check_method(struct pt_request *request)
{
    bool post = (request->route->flags & PT_ROUTE_POST) != 0;
    switch (request->method) {
    case PT_GET:
    case PT_HEAD:
        if (!post) return true;
        break;
    case PT_POST:
        if (post) return true;
        break;
    case PT_OPTIONS: answer_options(request); return false;
    case PT_PUT:
    case PT_DELETE:
    case PT_METHOD_OTHER:
    case PT_METHODS: break;
    }
    if (pt_later_find(request->thread->path)) {
        no_route(request); /* the path takes this method, only not yet */
        return false;
    }
    pt_reply_header(request, "Allow", allow(request->route));
    pt_reply_problem(request, 405, "%.200s takes %s", request->thread->path, allow(request->route));
    return false;
}

static void handle(struct pt_request *request, const char *query, size_t query_len)
{
    struct pt_thread *thread = request->thread;
    const struct pt_route *route = request->route;
    struct pt_err err;
    if (route->found != NULL && !route->found(request)) return;
    if ((route->flags & PT_ROUTE_LAX) == 0) {
        if (pt_query_parse(&thread->query, query, query_len, &err) != PT_OK) {
            pt_reply_problem(request, err.code == PT_ENOMEM ? 503 : 400, "%s", err.text);
            return;
        }
        bool open = (route->flags & PT_ROUTE_OPEN) != 0;
        const struct pt_param *params = route->params != NULL ? route->params : no_params;
        if (route->params_of != NULL) params = route->params_of(route->script(request));
        request->extra = thread->extra;
        if (pt_params_check(params, &thread->query, request->value, open ? thread->extra : NULL,
                            &request->nextra, &err) != PT_OK) {
            pt_reply_problem(request, 422, "%s", err.text);
            return;
        }
    }
    request->csv = request->takes_csv && (route->flags & PT_ROUTE_LIST) != 0;
    route->handle(request);
}

static void route_request(struct pt_request *request, const struct pt_heads *heads)
{
    const char *query;
    size_t query_len;
    struct pt_err err;
    if (request->method == PT_OPTIONS && strcmp(request->uri, "*") == 0) {
        answer_options(request);
        return;
    }
    if (read_target(request, &query, &query_len, &err) != PT_OK) {
        pt_reply_problem(request, err.code == PT_ENOMEM ? 503 : 400, "%s", err.text);
        return;
    }
    request->route = pt_route_find(request->thread->path, &request->arg);
    cut_arg(request);
    if (needs_token(request) && !check_token(request, heads->authorization)) return;
    if (request->route == NULL)
        no_route(request);
    else if (check_method(request))
        handle(request, query, query_len);
}

void pt_dispatch(struct evhttp_request *ev, void *arg)
{
    struct pt_thread *thread = arg;
    struct pt_http *http = thread->http;
    struct pt_heads heads = { 0 };
    struct pt_err err;
    int64_t start_ns = pt_mono_ns();
    struct pt_request request = { .ev = ev,
                                  .thread = thread,
                                  .conn = pt_conn_of(thread, ev, start_ns / 1000),
                                  .method = method_of(evhttp_request_get_command(ev)),
                                  .lists = http->set.lists,
                                  .data = http->set.data,
                                  .start_ns = start_ns,
                                  .uri = evhttp_request_get_uri(ev),
                                  .commit = pt_store_commit_id(http->store) };
    pt_thread_scripts(thread);
    request.generation = thread->generation;
    if (read_heads(&request, &heads, &err) != PT_OK) {
        request.close = true;
        pt_reply_problem(&request, 400, "%s", err.text);
    } else if (request.conn != NULL && request.conn->over) {
        request.close = true;
        pt_reply_header(&request, "Retry-After", "1");
        pt_reply_problem(&request, 503, "%u connections are open, the most there may be",
                         http->set.max_connections);
    } else if ((http->set.token != NULL && http->set.protect_reads &&
                !brings_token(&request, heads.authorization)) ||
               !answer_cached(&request)) {
        route_request(&request, &heads);
    }
}
