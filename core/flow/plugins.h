/* plugins.h - loading the shared objects at the edge.                          [layer: flow] */
#ifndef PT_PLUGINS_H
#define PT_PLUGINS_H

#include "base/conf.h"
#include "flow/plugin.h"

/* A loaded feed with its options checked and filled in; not opened. */
struct pt_feed {
    const struct pt_feed_plugin *plugin;
    void *self; /* the plugin's own struct */
    char name[64];
    void *handle; /* of the shared object */
    char **texts; /* owned: values of its text options */
    size_t ntexts;
};

/* Loads feed_NAME and fills its options from `[feed NAME]`. Appends every mistake, with what to do,
 * to `mistakes` (joined by "; "); PT_EINVAL when there was any. */
enum pt_code pt_feed_load(const struct pt_conf *conf, const char *name, struct pt_feed **feed,
                          struct pt_buf *mistakes);
void pt_feed_free(struct pt_feed *feed); /* accepts NULL; after the plugin's close */

/* Every option of every plugin that is found, as text: for `petrosa options`. */
enum pt_code pt_plugins_print(const struct pt_conf *conf, struct pt_buf *out, struct pt_err *err);

#endif
