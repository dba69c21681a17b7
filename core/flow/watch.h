/* watch.h - tells when a script file changes.                                  [layer: flow] */
#ifndef PT_WATCH_H
#define PT_WATCH_H

#include "base/conf.h"

struct event_base;
struct pt_watch;

/* fn: on the loop, once things have been quiet for a moment after a change, or at most 2 s after it
 * where they never are. Nothing is watched yet. */
enum pt_code pt_watch_new(struct event_base *base, void (*fn)(void *arg), void *arg,
                          struct pt_watch **watch, struct pt_err *err);
void pt_watch_free(struct pt_watch *watch); /* accepts NULL */

/* Watches the folders of [scripts] path as they are now, in place of what it watched; nothing, when
 * [scripts] watch says no. What changes after the call is told, so read the files after it. PT_EIO:
 * the system has no watches left, or a folder cannot be watched. */
enum pt_code pt_watch_set(struct pt_watch *watch, const struct pt_conf *conf, struct pt_err *err);

#endif
