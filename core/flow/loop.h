/* loop.h - an event loop, and how other threads reach it.                     [layer: flow]
 *
 * All but the functions marked (any thread) belong to the thread that runs the loop. */
#ifndef PT_LOOP_H
#define PT_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct event;
struct event_base;
struct pt_loop;

enum pt_code pt_loop_new(struct pt_loop **loop, struct pt_err *err);
/* Runs what was posted and not yet run, then frees. Accepts NULL. */
void pt_loop_free(struct pt_loop *loop);
struct event_base *pt_loop_base(const struct pt_loop *loop);

/* Something to do on the loop. It lives in its owner's memory, so that posting cannot fail; `run`
 * may free it. */
struct pt_task {
    struct pt_task *next; /* the loop's, while posted */
    void (*run)(struct pt_task *task);
};
/* Tasks of one thread run in the order they were posted; a task is posted once at a time. (any
 * thread) */
void pt_loop_post(struct pt_loop *loop, struct pt_task *task);

/* Runs what was posted so far, without waiting: for the time after the loop. */
void pt_loop_flush(struct pt_loop *loop);

/* Runs until pt_loop_stop. A stop that came before makes it return after one turn. */
enum pt_code pt_loop_run(struct pt_loop *loop, struct pt_err *err);
void pt_loop_stop(struct pt_loop *loop); /* any thread, async-signal-safe */

/* A timer that rings once each time it is started. A zeroed struct is a valid one that was never
 * inited. */
struct pt_timer {
    struct event *event;
    void (*fn)(void *arg);
    void *arg;
};
enum pt_code pt_timer_init(struct pt_timer *timer, struct event_base *base, void (*fn)(void *arg),
                           void *arg, struct pt_err *err);
void pt_timer_fini(struct pt_timer *timer);
void pt_timer_start(struct pt_timer *timer, int64_t after_us); /* again: from now */
void pt_timer_stop(struct pt_timer *timer);

#endif
