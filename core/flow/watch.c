/* watch.c - tells when a script file changes.                                  [layer: flow]
 *
 * Editors write a file in many ways: in place, a new one renamed over it, a link moved. All end in
 * one of the events below, often several in a row, so the news waits until they have stopped.
 *
 * A link is two places: what it leads to, and the folder it stands in, where it is moved. There
 * only its name counts. That holds for each folder on the way to the scripts and for each script.
 */
#include "flow/watch.h"

#include "base/clock.h"
#include "flow/loop.h"
#include "flow/places.h"
#include "flow/scripts.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <libgen.h>
#include <limits.h>
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

#define LINKS_MAX 8 /* one leading to the next */

/* A folder that is watched for its scripts, or for one name in it. */
struct spot {
    int wd;
    char name[NAME_MAX + 1]; /* "": for its scripts */
};
struct spots {
    int fd; /* -1: nothing is watched */
    size_t n;
    struct spot *v; /* owned */
};

struct pt_watch {
    struct event_base *base;
    struct spots spots;
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

/* A script, a folder, the watched folder itself, a link, or news lost because there were too many.
 */
static bool matters(const struct spots *spots, const struct inotify_event *event)
{
    if (event->mask & IN_IGNORED) return false;
    if (event->mask & IN_Q_OVERFLOW || event->len == 0) return true;
    for (size_t i = 0; i < spots->n; i++) {
        const struct spot *spot = &spots->v[i];
        if (spot->wd != event->wd) continue;
        if (spot->name[0] ? strcmp(spot->name, event->name) == 0
                          : event->mask & IN_ISDIR || pt_source_is_script(event->name))
            return true;
    }
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct pt_watch *watch = arg;
    _Alignas(struct inotify_event) char bytes[4096];
    bool news = false;
    ssize_t n;
    while ((n = read((int)fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            news = news || matters(&watch->spots, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (news) note_change(watch);
}

enum pt_code pt_watch_new(struct event_base *base, void (*fn)(void *arg), void *arg,
                          struct pt_watch **out, struct pt_err *err)
{
    *out = NULL;
    struct pt_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return pt_fail(err, PT_ENOMEM, "watching scripts");
    *watch = (struct pt_watch){ .base = base, .spots = { .fd = -1 }, .fn = fn, .arg = arg };
    enum pt_code rc = pt_timer_init(&watch->quiet, base, on_quiet, watch, err);
    if (rc == PT_OK)
        *out = watch;
    else
        pt_watch_free(watch);
    return rc;
}

static void close_spots(struct spots *spots)
{
    if (spots->fd >= 0) close(spots->fd);
    free(spots->v);
    *spots = (struct spots){ .fd = -1 };
}

static void stop(struct pt_watch *watch)
{
    if (watch->readable) event_free(watch->readable);
    close_spots(&watch->spots);
    watch->readable = NULL;
}

void pt_watch_free(struct pt_watch *watch)
{
    if (!watch) return;
    stop(watch);
    pt_timer_fini(&watch->quiet);
    free(watch);
}

/* name: "" for the scripts of the folder. */
static enum pt_code add(struct spots *spots, const char *dir, const char *name, struct pt_err *err)
{
    int wd = inotify_add_watch(spots->fd, dir, EVENTS | IN_ONLYDIR);
    if (wd < 0)
        return pt_fail(err, PT_EIO, "[scripts] watch: %s: %s%s", dir, strerror(errno),
                       errno == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
    struct spot *grown = realloc(spots->v, (spots->n + 1) * sizeof *grown);
    if (!grown) return pt_fail(err, PT_ENOMEM, "watching scripts");
    spots->v = grown;
    grown[spots->n].wd = wd;
    snprintf(grown[spots->n++].name, sizeof grown->name, "%s", name);
    return PT_OK;
}

/* The folder that the last part of the path stands in, for that part's sake. */
static enum pt_code add_name(struct spots *spots, const char *path, struct pt_err *err)
{
    char dir[PATH_MAX], name[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    snprintf(name, sizeof name, "%s", path);
    return add(spots, dirname(dir), basename(name), err);
}

static bool is_link(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Where the link leads, one step; false: nowhere that has a path. */
static bool follow(const char *link, char out[PATH_MAX])
{
    char dir[PATH_MAX], to[PATH_MAX];
    ssize_t n = readlink(link, to, sizeof to - 1);
    if (n <= 0) return false;
    to[n] = '\0';
    snprintf(dir, sizeof dir, "%s", link);
    return (size_t)(*to == '/' ? snprintf(out, PATH_MAX, "%s", to)
                               : snprintf(out, PATH_MAX, "%s/%s", dirname(dir), to)) < PATH_MAX;
}

/* Every part of the path that is a link, and those that it leads to. */
static enum pt_code add_links(struct spots *spots, const char *path, unsigned depth,
                              struct pt_err *err)
{
    char part[PATH_MAX], next[PATH_MAX];
    enum pt_code rc = PT_OK;
    size_t len = strlen(path);
    for (size_t at = 1; rc == PT_OK && at <= len && at < sizeof part; at++) {
        if (at < len && path[at] != '/') continue;
        memcpy(part, path, at);
        part[at] = '\0';
        if (part[at - 1] == '/' || !is_link(part)) continue;
        rc = add_name(spots, part, err);
        if (rc == PT_OK && depth < LINKS_MAX && follow(part, next))
            rc = add_links(spots, next, depth + 1, err);
    }
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A script that is a link: what it leads to may be edited, or moved. */
static enum pt_code add_script(struct spots *spots, const char *file, struct pt_err *err)
{
    char real[PATH_MAX];
    if (!is_link(file)) return PT_OK;
    enum pt_code rc = add_links(spots, file, 0, err);
    return rc == PT_OK && realpath(file, real) ? add_name(spots, real, err) : rc;
}

static enum pt_code add_folder(struct spots *spots, const char *dir, struct pt_err *err)
{
    char file[PATH_MAX];
    const struct dirent *entry;
    enum pt_code rc = add_links(spots, dir, 0, err);
    if (rc == PT_OK) rc = add(spots, dir, "", err);
    DIR *handle = rc == PT_OK ? opendir(dir) : NULL;
    while (handle && rc == PT_OK && (entry = readdir(handle)))
        if (pt_source_is_script(entry->d_name) &&
            (size_t)snprintf(file, sizeof file, "%s/%s", dir, entry->d_name) < sizeof file)
            rc = add_script(spots, file, err);
    if (handle) closedir(handle);
    return rc;
}

/* One item of [scripts] path: a folder with its script folders, or a file, whose folder is watched.
 */
static enum pt_code add_item(struct spots *spots, const char *item, struct pt_err *err)
{
    char dir[PATH_MAX];
    if (!is_folder(item)) {
        snprintf(dir, sizeof dir, "%s", item);
        return add_folder(spots, dirname(dir), err);
    }
    enum pt_code rc = add_folder(spots, item, err);
    for (const char *const *folder = pt_script_folders; rc == PT_OK && *folder; folder++) {
        if ((size_t)snprintf(dir, sizeof dir, "%s/%s", item, *folder) < sizeof dir &&
            is_folder(dir))
            rc = add_folder(spots, dir, err);
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
    struct spots spots = { .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
    if (spots.fd < 0) return pt_fail(err, PT_EIO, "[scripts] watch: inotify: %s", strerror(errno));
    for (size_t i = 0; rc == PT_OK && (item = pt_conf_item(conf, "scripts", "path", i)); i++)
        rc = add_item(&spots, pt_place_scripts(item, installed), err);
    struct event *readable =
        rc == PT_OK ? event_new(watch->base, spots.fd, EV_READ | EV_PERSIST, on_readable, watch)
                    : NULL;
    if (rc == PT_OK && (!readable || event_add(readable, NULL) != 0))
        rc = pt_fail(err, PT_ENOMEM, "watching scripts");
    if (rc != PT_OK) {
        if (readable) event_free(readable);
        close_spots(&spots);
        return rc;
    }
    stop(watch);
    watch->spots = spots;
    watch->readable = readable;
    return PT_OK;
}
