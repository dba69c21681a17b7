#include "serve/wait.h"

#include "base/clock.h"
#include "base/log.h"
#include "serve/thread.h"

#include <errno.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct letter {
    struct letter *next;
    uint64_t number;
    bson_t *doc; /* owned, NULL: err says why */
    bool failed; /* something of what was computed did */
    struct pt_err err;
};

struct pt_mailbox {
    atomic_uint refs;
    pthread_mutex_t lock;
    struct letter *first, **last;
    bool closed;
    int fd;
};

/* What the engine gets as arg. */
struct call {
    struct pt_mailbox *box;
    uint64_t number;
};

static void letter_free(struct letter *letter)
{
    if (letter->doc != NULL) bson_destroy(letter->doc);
    free(letter);
}

static void box_unref(struct pt_mailbox *box)
{
    if (atomic_fetch_sub(&box->refs, 1) != 1) return;
    for (struct letter *letter = box->first, *next; letter != NULL; letter = next) {
        next = letter->next;
        letter_free(letter);
    }
    close(box->fd);
    pthread_mutex_destroy(&box->lock);
    free(box);
}

static void ring(struct pt_mailbox *box)
{
    uint64_t one = 1;
    ssize_t n = write(box->fd, &one, sizeof one);
    (void)n; /* a full counter is readable already */
}

enum pt_code pt_waits_init(struct pt_waits *waits, struct pt_err *err)
{
    *waits = (struct pt_waits){ .next_number = 1 };
    struct pt_mailbox *box = calloc(1, sizeof *box);
    if (box == NULL) return pt_fail(err, PT_ENOMEM, "no memory for a mailbox");
    box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (box->fd < 0) {
        free(box);
        return pt_fail(err, PT_EIO, "eventfd: %s", strerror(errno));
    }
    atomic_init(&box->refs, 1);
    pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    waits->box = box;
    return PT_OK;
}

static void wait_free(struct pt_wait *wait)
{
    wait->free_arg(wait->arg);
    free(wait->if_none_match);
    free(wait->uri);
    free(wait);
}

void pt_waits_fini(struct pt_waits *waits)
{
    if (waits->box != NULL) {
        pthread_mutex_lock(&waits->box->lock);
        waits->box->closed = true;
        pthread_mutex_unlock(&waits->box->lock);
        box_unref(waits->box);
    }
    for (struct pt_wait *wait = waits->first, *next; wait != NULL; wait = next) {
        next = wait->next;
        wait_free(wait);
    }
    *waits = (struct pt_waits){ 0 };
}

int pt_waits_fd(const struct pt_waits *waits)
{
    return waits->box->fd;
}

void pt_waits_ring(struct pt_waits *waits)
{
    ring(waits->box);
}

/* On the engine's thread: copies, hands over, returns. doc NULL: err says why. */
static void deliver(struct call *call, const bson_t *doc, bool failed, const struct pt_err *err)
{
    struct pt_mailbox *box = call->box;
    struct letter *letter = calloc(1, sizeof *letter);
    if (letter == NULL) {
        pt_log(PT_WARN, "http", "no_memory", "for an answer; its request will time out");
    } else {
        letter->number = call->number;
        letter->failed = failed;
        if (doc != NULL)
            letter->doc = bson_copy(doc);
        else
            letter->err = *err;
        pthread_mutex_lock(&box->lock);
        bool closed = box->closed;
        if (!closed) {
            *box->last = letter;
            box->last = &letter->next;
        }
        pthread_mutex_unlock(&box->lock);
        if (closed)
            letter_free(letter);
        else
            ring(box);
    }
    box_unref(box);
    free(call);
}

static void on_done(void *arg, const struct pt_unit_result *results, size_t n,
                    const struct pt_err *err)
{
    struct pt_err none;
    if (err == NULL && (n == 0 || results[n - 1].doc == NULL)) {
        pt_fail(&none, PT_EIO, "the worker gave no result");
        err = &none;
    }
    if (err == NULL)
        deliver(arg, results[n - 1].doc, results[n - 1].failed, NULL);
    else
        deliver(arg, NULL, true, err);
}

static void on_told(void *arg, const bson_t *doc, const struct pt_err *err)
{
    deliver(arg, doc, false, err);
}

static void on_detected(void *arg, const bson_t *doc, uint64_t logged, const struct pt_err *err)
{
    bson_t told = BSON_INITIALIZER;
    struct pt_err none;
    if (err == NULL && doc == NULL) {
        pt_fail(&none, PT_EIO, "the worker gave no result");
        err = &none;
    }
    if (err == NULL) {
        bson_append_int64(&told, "logged", -1, (int64_t)logged);
        bson_append_document(&told, "result", -1, doc);
    }
    deliver(arg, err == NULL ? &told : NULL, false, err);
    bson_destroy(&told);
}

/* A copy that outlives the handler: what was borrowed is copied or left out. */
static bool keep_request(struct pt_wait *wait, const struct pt_request *request)
{
    wait->uri = strdup(request->uri);
    if (request->if_none_match != NULL) wait->if_none_match = strdup(request->if_none_match);
    wait->request = *request;
    wait->request.uri = wait->uri;
    wait->request.if_none_match = wait->if_none_match;
    wait->request.arg = NULL;
    wait->request.extra = NULL;
    wait->request.nextra = 0;
    wait->request.before = NULL;
    return wait->uri != NULL && (request->if_none_match == NULL || wait->if_none_match != NULL);
}

static void free_nothing(void *arg)
{
    (void)arg;
}

/* What is asked of the engine. */
struct asked {
    enum { ASK_UNIT, ASK_DETECTION, ASK_STATUS, ASK_RELOAD } what;
    const struct pt_unit *unit; /* of these two */
    const char *id;             /* whose status */
    enum pt_anomaly_status status;
    bool diff; /* of a reload */
    int64_t wait_us;
};

static enum pt_code ask(struct pt_engine *engine, const struct asked *asked, struct call *call,
                        struct pt_err *err)
{
    switch (asked->what) {
    case ASK_UNIT: return pt_engine_eval(engine, asked->unit, on_done, call, err);
    case ASK_DETECTION: return pt_engine_detect(engine, asked->unit, on_detected, call, err);
    case ASK_STATUS: return pt_engine_settle(engine, asked->id, asked->status, on_told, call, err);
    case ASK_RELOAD: break;
    }
    return pt_engine_reload(engine, asked->diff, on_told, call, err);
}

static enum pt_code begin(struct pt_request *request, const struct asked *asked, pt_wait_fn then,
                          void (*free_arg)(void *arg), void *arg, struct pt_err *err)
{
    struct pt_thread *thread = request->thread;
    struct pt_waits *waits = &thread->waits;
    struct pt_wait *wait = NULL;
    struct call *call = NULL;
    enum pt_code rc;
    if (waits->n >= PT_WAITS_MAX) {
        rc = pt_fail(err, PT_EBUSY, "%d requests wait already", PT_WAITS_MAX);
        goto out;
    }
    if (request->conn == NULL) {
        rc = pt_fail(err, PT_EBUSY, "the connection could not be recorded");
        goto out;
    }
    wait = calloc(1, sizeof *wait);
    call = calloc(1, sizeof *call);
    if (wait == NULL || call == NULL || !keep_request(wait, request)) {
        rc = pt_fail(err, PT_ENOMEM, "out of memory");
        goto out;
    }
    wait->number = waits->next_number++;
    wait->until_us = pt_mono_us() + asked->wait_us;
    wait->then = then;
    wait->free_arg = free_arg;
    wait->arg = arg;
    atomic_fetch_add(&waits->box->refs, 1);
    *call = (struct call){ waits->box, wait->number };
    rc = ask(thread->http->engine, asked, call, err);
    if (rc != PT_OK) {
        box_unref(waits->box);
        goto out;
    }
    pt_conn_hold(request->conn, wait->number);
    wait->next = waits->first;
    waits->first = wait;
    waits->n++;
    request->ev = NULL; /* the wait's now */
    return PT_OK;
out:
    if (wait != NULL) {
        free(wait->if_none_match);
        free(wait->uri);
    }
    free(wait);
    free(call);
    free_arg(arg);
    return rc;
}

enum pt_code pt_wait_begin(struct pt_request *request, const struct pt_unit *unit, pt_wait_fn then,
                           void (*free_arg)(void *arg), void *arg, struct pt_err *err)
{
    const struct asked asked = { .what = ASK_UNIT,
                                 .unit = unit,
                                 .wait_us = request->thread->http->set.request_us };
    return begin(request, &asked, then, free_arg, arg, err);
}

enum pt_code pt_wait_detect(struct pt_request *request, const struct pt_unit *unit, pt_wait_fn then,
                            void (*free_arg)(void *arg), void *arg, struct pt_err *err)
{
    const struct asked asked = { .what = ASK_DETECTION,
                                 .unit = unit,
                                 .wait_us = request->thread->http->set.request_us };
    return begin(request, &asked, then, free_arg, arg, err);
}

enum pt_code pt_wait_settle(struct pt_request *request, const char *id,
                            enum pt_anomaly_status status, pt_wait_fn then, struct pt_err *err)
{
    const struct asked asked = { .what = ASK_STATUS,
                                 .id = id,
                                 .status = status,
                                 .wait_us = request->thread->http->set.request_us };
    return begin(request, &asked, then, free_nothing, NULL, err);
}

enum pt_code pt_wait_reload(struct pt_request *request, bool diff, pt_wait_fn then,
                            struct pt_err *err)
{
    const struct asked asked = { .what = ASK_RELOAD, .diff = diff, .wait_us = PT_RELOAD_WAIT_US };
    return begin(request, &asked, then, free_nothing, NULL, err);
}

static struct pt_wait *take(struct pt_waits *waits, uint64_t number)
{
    for (struct pt_wait **at = &waits->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->number != number) continue;
        struct pt_wait *wait = *at;
        *at = wait->next;
        waits->n--;
        return wait;
    }
    return NULL;
}

void pt_wait_mail(int fd, short what, void *arg)
{
    (void)what;
    struct pt_thread *thread = arg;
    struct pt_mailbox *box = thread->waits.box;
    uint64_t rung;
    ssize_t n = read(fd, &rung, sizeof rung);
    (void)n; /* nothing to read: woken twice for one bell */
    pthread_mutex_lock(&box->lock);
    struct letter *letter = box->first;
    box->first = NULL;
    box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    for (struct letter *next; letter != NULL; letter = next) {
        next = letter->next;
        struct pt_wait *wait = take(&thread->waits, letter->number);
        if (wait != NULL) {
            wait->request.failed = letter->failed;
            wait->then(&wait->request, wait->arg, letter->doc,
                       letter->doc != NULL ? NULL : &letter->err);
            wait_free(wait);
        }
        letter_free(letter);
    }
    pt_http_woken(thread);
}

void pt_wait_gone(struct pt_waits *waits, uint64_t number)
{
    struct pt_wait *wait = take(waits, number);
    if (wait == NULL) return;
    /* When the stream failed, evhttp leaves a request that is ours to us; when the server is being
     * freed, it frees it. */
    struct evhttp_request *ev = wait->request.ev;
    if (evhttp_request_get_connection(ev) == NULL) evhttp_request_free(ev);
    wait_free(wait);
}

void pt_waits_hurry(struct pt_waits *waits, int64_t until_us)
{
    for (struct pt_wait *wait = waits->first; wait != NULL; wait = wait->next) {
        if (wait->until_us > until_us) wait->until_us = until_us;
    }
}

void pt_waits_expire(struct pt_waits *waits, int64_t now_us)
{
    for (struct pt_wait *wait = waits->first, *next; wait != NULL; wait = next) {
        next = wait->next;
        if (now_us < wait->until_us) continue;
        take(waits, wait->number);
        pt_reply_header(&wait->request, "Retry-After", "1");
        pt_reply_problem(&wait->request, 503, "the answer was not there in time");
        wait_free(wait);
    }
}
