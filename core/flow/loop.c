/* loop.c - an event loop with a door for other threads: an eventfd and a list.  [layer: flow] */
#include "flow/loop.h"

#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct pt_loop {
    struct event_base *base;
    struct event *door;
    int fd; /* eventfd behind the door */
    atomic_bool stop;
    pthread_mutex_t lock; /* of the list */
    struct pt_task *first, **last;
};

static void ring_door(struct pt_loop *loop)
{
    uint64_t one = 1;
    /* fails only when the counter is full, and then the door rings anyway */
    ssize_t n = write(loop->fd, &one, sizeof one);
    (void)n;
}

static void run_tasks(struct pt_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct pt_task *task = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->lock);
    while (task) {
        struct pt_task *next = task->next;
        task->next = NULL;
        task->run(task);
        task = next;
    }
}

static void on_door(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct pt_loop *loop = arg;
    uint64_t count;
    ssize_t n = read((int)fd, &count, sizeof count); /* empties it; nothing to learn from it */
    (void)n;
    run_tasks(loop);
    if (atomic_load(&loop->stop)) event_base_loopbreak(loop->base);
}

enum pt_code pt_loop_new(struct pt_loop **out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    struct pt_loop *loop = calloc(1, sizeof *loop);
    if (!loop) return pt_fail(err, PT_ENOMEM, "event loop");
    loop->last = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    loop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->fd < 0) {
        rc = pt_fail(err, PT_EIO, "eventfd: %s", strerror(errno));
        goto out;
    }
    loop->base = event_base_new();
    if (loop->base)
        loop->door = event_new(loop->base, loop->fd, EV_READ | EV_PERSIST, on_door, loop);
    if (!loop->door || event_add(loop->door, NULL) != 0)
        rc = pt_fail(err, PT_ENOMEM, "event loop: no memory or no file descriptors left");
out:
    if (rc == PT_OK)
        *out = loop;
    else
        pt_loop_free(loop);
    return rc;
}

void pt_loop_free(struct pt_loop *loop)
{
    if (!loop) return;
    pt_loop_flush(loop);
    if (loop->door) event_free(loop->door);
    if (loop->base) event_base_free(loop->base);
    if (loop->fd >= 0) close(loop->fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void pt_loop_flush(struct pt_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool more = loop->first != NULL;
    pthread_mutex_unlock(&loop->lock);
    if (more) run_tasks(loop);
}

struct event_base *pt_loop_base(const struct pt_loop *loop)
{
    return loop->base;
}

void pt_loop_post(struct pt_loop *loop, struct pt_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&loop->lock);
    *loop->last = task;
    loop->last = &task->next;
    pthread_mutex_unlock(&loop->lock);
    ring_door(loop);
}

enum pt_code pt_loop_run(struct pt_loop *loop, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    if (event_base_dispatch(loop->base) < 0)
        rc = pt_fail(err, PT_EIO, "event loop: %s", strerror(errno));
    atomic_store(&loop->stop, false);
    return rc;
}

void pt_loop_stop(struct pt_loop *loop)
{
    int saved = errno;
    atomic_store(&loop->stop, true);
    ring_door(loop);
    errno = saved;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_timer *timer = arg;
    timer->fn(timer->arg);
}

enum pt_code pt_timer_init(struct pt_timer *timer, struct event_base *base, void (*fn)(void *arg),
                           void *arg, struct pt_err *err)
{
    timer->fn = fn;
    timer->arg = arg;
    timer->event = evtimer_new(base, on_timer, timer);
    return timer->event ? PT_OK : pt_fail(err, PT_ENOMEM, "timer");
}

void pt_timer_fini(struct pt_timer *timer)
{
    if (timer->event) event_free(timer->event);
    timer->event = NULL;
}

void pt_timer_start(struct pt_timer *timer, int64_t after_us)
{
    if (after_us < 0) after_us = 0;
    struct timeval tv = { .tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000 };
    if (event_add(timer->event, &tv) != 0)
        pt_log(PT_ERROR, "loop", "timer_lost", "out of memory, after_us=%" PRId64, after_us);
}

void pt_timer_stop(struct pt_timer *timer)
{
    if (timer->event) event_del(timer->event);
}
