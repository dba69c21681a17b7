/* plugin.h - the contract between the engine and a shared object at its edge.  [layer: flow]
 *
 * plugins/feed_NAME.c exports one symbol, `pt_feed_NAME`, a const struct pt_feed_plugin; likewise later
 * mirror_NAME, sink_NAME, history_NAME. A plugin sees core/base, core/data and this header, and brings its own
 * thread. Options are data: checked before open, printed by `petrosa options`. */
#ifndef PT_PLUGIN_H
#define PT_PLUGIN_H

#include "base/err.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_PLUGIN_API 1

enum pt_option_type { PT_OPT_TEXT, PT_OPT_INT, PT_OPT_BOOL, PT_OPT_SPAN, PT_OPT_SIZE };

/* Fields at `offset` of the plugin's struct: const char * (owned by the host, lives until close), int64_t, bool,
 * int64_t us, int64_t bytes. fallback NULL = required. */
struct pt_option {
    const char *name;
    enum pt_option_type type;
    size_t offset;
    const char *fallback;
    int64_t min, max; /* both 0 = unbounded */
    const char *unit, *help;
};

/* What a feed may call, from its own thread (one thread at a time). */
struct pt_feed_host {
    void *ctx;
    /* Hands one message over (copied). tag: the feed's own number, grows; acknowledged later. recv_us: when it came
     * in. False: the ring is full; the feed waits, slows its source or drops what it may drop, and says so. */
    bool (*push)(void *ctx, uint64_t tag, int64_t recv_us, const void *bytes, size_t len);
    /* Waits for room; true when there is. */
    bool (*wait_room)(void *ctx, size_t len, int timeout_ms);
    /* Open time of the newest closed candle, PT_MISSING when none: where a feed with history goes on. */
    int64_t (*last_candle)(void *ctx, const char *symbol, int64_t period_us);
    void (*log)(enum pt_level level, const char *part, const char *event, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
};

struct pt_feed_plugin {
    int api; /* PT_PLUGIN_API */
    const char *name, *about;
    const struct pt_option *options; /* ended by name NULL */
    size_t size;                     /* of the plugin's own struct, zeroed and filled with options before open */
    /* Starts delivering, on a thread of its own. The host outlives close. */
    enum pt_code (*open)(void *self, const struct pt_feed_host *host, struct pt_err *err);
    /* Everything up to and including `tag` is durable; called on the writer thread, must not block. May be NULL. */
    void (*acked)(void *self, uint64_t tag);
    /* Stops delivering: returns when no further push will come. What was pushed is still committed and acked. */
    void (*drain)(void *self);
    /* Frees everything; after drain and the last ack. A changed section means drain, close, open anew. */
    void (*close)(void *self);
};

#endif
