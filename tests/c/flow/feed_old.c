/* feed_old.c - a plugin of another api: must be refused. */
#include "flow/plugin.h"

static const struct pt_option options[] = { { .name = NULL } };
extern const struct pt_feed_plugin pt_feed_old;
__attribute__((visibility("default")))
const struct pt_feed_plugin pt_feed_old = { .api = PT_PLUGIN_API + 98,
                                            .name = "old",
                                            .about = "is of yesterday",
                                            .options = options,
                                            .size = 1 };
