/* feed_puppet.c - a feed that delivers what a test tells it to. */
#include "base/clock.h"
#include "flow/plugin.h"
#include "puppet.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct feed_puppet {
    const char *strings; /* address of the struct puppet, as %p */
    const char *text;
    int64_t number, span, size;
    bool flag;
    const struct pt_feed_host *host;
    struct puppet *puppet;
    pthread_t thread;
    atomic_bool stop;
};

static void *deliver(void *arg)
{
    struct feed_puppet *self = arg;
    struct puppet *puppet = self->puppet;
    while (!atomic_load(&self->stop)) {
        size_t next = atomic_load(&puppet->pushed);
        if (next == atomic_load(&puppet->ready)) {
            usleep(500);
            continue;
        }
        const char *message = puppet->messages[next];
        size_t len = strlen(message);
        if (self->host->push(self->host->ctx, next + 1, pt_now_us(), message, len)) {
            atomic_store(&puppet->pushed, next + 1);
        } else {
            atomic_fetch_add(&puppet->refused, 1);
            self->host->wait_room(self->host->ctx, len, 20);
        }
    }
    return NULL;
}

static enum pt_code open_feed(void *arg, const struct pt_feed_host *host, struct pt_err *err)
{
    struct feed_puppet *self = arg;
    void *puppet = NULL;
    if (sscanf(self->strings, "%p", &puppet) != 1) return pt_fail(err, PT_EINVAL, "no strings");
    self->host = host;
    self->puppet = puppet;
    self->puppet->number = self->number;
    self->puppet->span = self->span;
    self->puppet->size = self->size;
    self->puppet->flag = self->flag;
    snprintf(self->puppet->text, sizeof self->puppet->text, "%s", self->text);
    if (atomic_load(&self->puppet->fail_open))
        return pt_fail(err, PT_EIO, "the puppet does not want to");
    if (self->puppet->ask_symbol)
        self->puppet->asked_us =
            host->last_candle(host->ctx, self->puppet->ask_symbol, self->puppet->ask_period_us);
    if (pthread_create(&self->thread, NULL, deliver, self) != 0)
        return pt_fail(err, PT_EIO, "no thread");
    atomic_store(&self->puppet->opened, true);
    return PT_OK;
}

static void acked(void *arg, uint64_t tag)
{
    struct feed_puppet *self = arg;
    atomic_store(&self->puppet->acked, tag);
    if (self->puppet->on_acked) self->puppet->on_acked(tag);
}

static void drain(void *arg)
{
    struct feed_puppet *self = arg;
    while (atomic_load(&self->puppet->hang)) usleep(500);
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
    atomic_store(&self->puppet->drained, true);
}

static void close_feed(void *arg)
{
    struct feed_puppet *self = arg;
    atomic_store(&self->puppet->closed, true);
}

static const struct pt_option options[] = {
    { "strings", PT_OPT_TEXT, offsetof(struct feed_puppet, strings), NULL, 0, 0, "",
      "who pulls them" },
    { "text", PT_OPT_TEXT, offsetof(struct feed_puppet, text), "hello", 0, 0, "", "any" },
    { "number", PT_OPT_INT, offsetof(struct feed_puppet, number), "7", 1, 100, "", "any" },
    { "span", PT_OPT_SPAN, offsetof(struct feed_puppet, span), "30s", 0, 0, "span", "any" },
    { "size", PT_OPT_SIZE, offsetof(struct feed_puppet, size), "64KiB", 0, 0, "bytes", "any" },
    { "flag", PT_OPT_BOOL, offsetof(struct feed_puppet, flag), "no", 0, 0, "", "any" },
    { .name = NULL },
};

extern const struct pt_feed_plugin pt_feed_puppet;
__attribute__((visibility("default"))) const struct pt_feed_plugin pt_feed_puppet = {
    .api = PT_PLUGIN_API,
    .name = "puppet",
    .about = "delivers what a test tells it to",
    .options = options,
    .size = sizeof(struct feed_puppet),
    .open = open_feed,
    .acked = acked,
    .drain = drain,
    .close = close_feed,
};
