/* watch.c - tells when a script file changes.                                  [layer: flow]
 *
 * Editors write a file in many ways: in place, a new one renamed over it, a link moved. All end in
 * one of the events below, often several in a row, so the news waits until they have stopped. */
#include "flow/watch.h"

#include "base/clock.h"
#include "flow/loop.h"
#include "flow/places.h"
#include "flow/scripts.h"

#include <errno.h>
#include <event2/event.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUIET_US 200000
#define WAIT_MAX_US 2000000
#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |       \
     IN_MOVE_SELF)

struct pt_watch {
    struct event_base *base;
    int fd; /* -1: nothing is watched */
    struct event *readable;
    struct pt_timer quiet;
    int64_t first_us; /* monotonic: of the changes not told yet; 0: there are none */
    void (*fn)(void *arg);
    void *arg;
};

static void on_quiet(void *arg)
{
    struct pt_watch *watch = arg;
    watch->first_us = 0;
    watch->fn(watch->arg);
}

static void note_change(struct pt_watch *watch)
{
    int64_t now_us = pt_mono_us();
    if (watch->first_us == 0) watch->first_us = now_us;
    int64_t left_us = watch->first_us + WAIT_MAX_US - now_us;
    pt_timer_start(&watch->quiet, left_us < QUIET_US ? left_us : QUIET_US);
}

/* A script, a folder, the watched folder itself, or news lost because there were too many. */
static bool matters(const struct inotify_event *event)
{
    if (event->mask & IN_IGNORED) return false;
    if (event->mask & (IN_Q_OVERFLOW | IN_ISDIR) || event->len == 0) return true;
    return pt_source_is_script(event->name);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    _Alignas(struct inotify_event) char bytes[4096];
    bool news = false;
    ssize_t n;
    while ((n = read((int)fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            news = news || matters(event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (news) note_change(arg);
}

enum pt_code pt_watch_new(struct event_base *base, void (*fn)(void *arg), void *arg,
                          struct pt_watch **out, struct pt_err *err)
{
    *out = NULL;
    struct pt_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return pt_fail(err, PT_ENOMEM, "watching scripts");
    *watch = (struct pt_watch){ .base = base, .fd = -1, .fn = fn, .arg = arg };
    enum pt_code rc = pt_timer_init(&watch->quiet, base, on_quiet, watch, err);
    if (rc == PT_OK)
        *out = watch;
    else
        pt_watch_free(watch);
    return rc;
}

static void stop(struct pt_watch *watch)
{
    if (watch->readable) event_free(watch->readable);
    if (watch->fd >= 0) close(watch->fd);
    watch->readable = NULL;
    watch->fd = -1;
}

void pt_watch_free(struct pt_watch *watch)
{
    if (!watch) return;
    stop(watch);
    pt_timer_fini(&watch->quiet);
    free(watch);
}

static enum pt_code add(int fd, const char *dir, struct pt_err *err)
{
    if (inotify_add_watch(fd, dir, EVENTS | IN_ONLYDIR) >= 0) return PT_OK;
    return pt_fail(err, PT_EIO, "[scripts] watch: %s: %s%s", dir, strerror(errno),
                   errno == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* One item of [scripts] path: a folder with its script folders, or a file, whose folder is watched.
 */
static enum pt_code add_item(int fd, const char *item, struct pt_err *err)
{
    char dir[PATH_MAX];
    if (!is_folder(item)) {
        snprintf(dir, sizeof dir, "%s", item);
        return add(fd, dirname(dir), err);
    }
    enum pt_code rc = add(fd, item, err);
    for (const char *const *folder = pt_script_folders; rc == PT_OK && *folder; folder++) {
        if ((size_t)snprintf(dir, sizeof dir, "%s/%s", item, *folder) < sizeof dir &&
            is_folder(dir))
            rc = add(fd, dir, err);
    }
    return rc;
}

enum pt_code pt_watch_set(struct pt_watch *watch, const struct pt_conf *conf, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    const char *item;
    char installed[PATH_MAX];
    if (!pt_conf_bool(conf, "scripts", "watch")) {
        stop(watch);
        return PT_OK;
    }
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) return pt_fail(err, PT_EIO, "[scripts] watch: inotify: %s", strerror(errno));
    for (size_t i = 0; rc == PT_OK && (item = pt_conf_item(conf, "scripts", "path", i)); i++)
        rc = add_item(fd, pt_place_scripts(item, installed), err);
    struct event *readable =
        rc == PT_OK ? event_new(watch->base, fd, EV_READ | EV_PERSIST, on_readable, watch) : NULL;
    if (rc == PT_OK && (!readable || event_add(readable, NULL) != 0))
        rc = pt_fail(err, PT_ENOMEM, "watching scripts");
    if (rc != PT_OK) {
        if (readable) event_free(readable);
        close(fd);
        return rc;
    }
    stop(watch);
    watch->fd = fd;
    watch->readable = readable;
    return PT_OK;
}
