/* wait.h - requests that wait for a worker, a commit or a reload.               [layer: serve]
 *
 *     HTTP thread                     engine's loop thread
 *     pt_wait_begin ── unit ────────> worker computes
 *     (next requests)                 on_done: copies the document, puts it into the mailbox, rings
 *     pt_wait_mail  <──── eventfd ──┘
 *
 * pt_wait_mail looks up the number and calls then(); a number that is gone (deadline, closed
 * connection, stop) is dropped. The mailbox is counted and outlives its thread, because an answer
 * may come after the thread has ended. */
#ifndef PT_WAIT_H
#define PT_WAIT_H

#include "base/timefmt.h"
#include "data/doc.h"
#include "serve/request.h"
#include "store/anomaly.h"

struct pt_engine;
struct pt_unit;
struct pt_mailbox;

#define PT_WAITS_MAX 256 /* of one thread; more are answered 503 */

/* doc: the result document; of a detection { logged, result }; of an anomaly its document; of a
 * reload its outcome; NULL when it failed and err says why.
 * Must answer the request. */
typedef void (*pt_wait_fn)(struct pt_request *request, void *arg, const bson_t *doc,
                           const struct pt_err *err);

struct pt_wait {
    struct pt_wait *next;
    uint64_t number;
    int64_t until_us; /* monotonic */
    struct pt_request request;
    char *if_none_match; /* owned: the request's headers are not kept */
    char *uri;
    pt_wait_fn then;
    void (*free_arg)(void *arg);
    void *arg;
};

struct pt_waits {
    struct pt_wait *first;
    unsigned n;
    uint64_t next_number;
    struct pt_mailbox *box;
};

enum pt_code pt_waits_init(struct pt_waits *waits, struct pt_err *err);
void pt_waits_fini(
    struct pt_waits *waits); /* drops all; answers still to come find the box closed */
int pt_waits_fd(const struct pt_waits *waits);
void pt_waits_ring(struct pt_waits *waits); /* wakes the thread; any thread */

/* Hands a unit to a worker; the document of its last script is the answer. arg is taken: free_arg
 * is called after then, or when the wait is dropped, also on failure. PT_EBUSY: too many wait
 * already. On failure the request is still the caller's to answer. */
enum pt_code pt_wait_begin(struct pt_request *request, const struct pt_unit *unit, pt_wait_fn then,
                           void (*free_arg)(void *arg), void *arg, struct pt_err *err);

/* The same of a detector, over all of its window: when what it found is durable in the log. */
enum pt_code pt_wait_detect(struct pt_request *request, const struct pt_unit *unit, pt_wait_fn then,
                            void (*free_arg)(void *arg), void *arg, struct pt_err *err);

/* Gives an anomaly another status. Otherwise as pt_wait_begin. */
enum pt_code pt_wait_settle(struct pt_request *request, const char *id,
                            enum pt_anomaly_status status, pt_wait_fn then, struct pt_err *err);

/* Asks the engine to reload, or with diff to say what would change; as long as that takes, but
 * PT_RELOAD_WAIT_US at most. Otherwise as pt_wait_begin. */
#define PT_RELOAD_WAIT_US (10 * PT_US_MIN)
enum pt_code pt_wait_reload(struct pt_request *request, bool diff, pt_wait_fn then,
                            struct pt_err *err);

/* Event callback: answers that came. */
void pt_wait_mail(int fd, short what, void *thread);
/* The connection of a wait closed. */
void pt_wait_gone(struct pt_waits *waits, uint64_t number);
/* The thread stops: nobody waits beyond until_us. */
void pt_waits_hurry(struct pt_waits *waits, int64_t until_us);
/* 503 for those whose time is up. */
void pt_waits_expire(struct pt_waits *waits, int64_t now_us);

#endif
