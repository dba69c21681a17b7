/* settings.h - what the engine reads from the configuration and the folders before it starts
 * anything. [layer: flow] */
#ifndef PT_SETTINGS_H
#define PT_SETTINGS_H

#include "flow/plugins.h"
#include "flow/pool.h"
#include "store/retention.h"

#include <limits.h>

#define PT_FEEDS_MAX 8 /* as many as struct pt_engine_stats has room for */

struct pt_settings {
    char worker[PATH_MAX];
    struct pt_sources sources;
    const char *
        *pairs; /* [cycle] pairs, ended by NULL; NULL: all. The texts are the configuration's */
    size_t nrules;
    struct pt_retention *rules; /* owned */
    size_t nfeeds;
    struct pt_feed *feeds[PT_FEEDS_MAX]; /* owned, loaded and not opened; NULL: taken */
};

/* Names every mistake there is. serve: also feeds and retention. extra: one more script file, or
 * NULL. On failure the settings are empty. */
enum pt_code pt_settings_read(const struct pt_conf *conf, bool serve, const char *extra,
                              struct pt_settings *settings, struct pt_err *err);
void pt_settings_fini(struct pt_settings *settings);

/* What the configuration says of workers. */
void pt_settings_limits(const struct pt_conf *conf, struct pt_pool_limits *limits);

#endif
