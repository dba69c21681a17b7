/* reload.h - one reload after the other, each with the newest files.           [layer: flow]
 * Private to the engine. On its loop. */
#ifndef PT_RELOAD_H
#define PT_RELOAD_H

#include "flow/engine.h"
#include "flow/loop.h"

struct pt_reload;

enum pt_code pt_reload_new(struct pt_engine *engine, struct pt_reload **reload, struct pt_err *err);
/* Sets the watch, where the configuration wants one: before the files are read, so that an edit made
 * while the engine starts is news, which is seen to once everything runs. */
enum pt_code pt_reload_watch(struct pt_reload *reload, struct pt_err *err);
/* Everything runs: what was asked for until now is begun. */
void pt_reload_start(struct pt_reload *reload);
/* Whoever waits is told that the engine stops; nothing is begun any more. Accepts NULL. */
void pt_reload_stop(struct pt_reload *reload);
/* After the pool and the ingest have stopped. Accepts NULL. */
void pt_reload_free(struct pt_reload *reload);

/* Someone wants the newest files and configuration in force. */
void pt_reload_wish(struct pt_reload *reload);

/* The same, or only to see what would change, for someone who waits for the outcome. */
struct pt_reload_ask {
    struct pt_task task; /* must be first; its `run` takes the ask to pt_reload_take */
    struct pt_reload_ask *next;
    struct pt_engine *engine;
    bool diff;
    pt_reload_fn fn;
    void *arg;
};
void pt_reload_take(struct pt_reload *reload, struct pt_reload_ask *ask); /* taken: free()d */

/* What the pool says of a load that a reload began. */
void pt_reload_loaded(struct pt_reload *reload, struct pt_scripts *scripts,
                      const struct pt_err *err);
/* A load is under way that a reload began. */
bool pt_reload_loading(const struct pt_reload *reload);

#endif
