/* session.h - what a worker knows between two messages: store, scripts, buffers. [layer: bindings]
 * Takes the documents of unit.h and gives back those that answer them; knows no socket. */
#ifndef PT_SESSION_H
#define PT_SESSION_H

#include "bindings/own_window.h"
#include "bindings/script.h"
#include "bindings/store_columns.h"
#include "bindings/store_market.h"

struct pt_session {
    struct pt_store *store;
    char benchmark[PT_SYMBOL_MAX];
    int64_t call_budget_us, load_budget_us;
    struct pt_arena arena;
    struct pt_script_home home;
    bson_t *request; /* the load message: texts are borrowed from it */
    size_t nscripts, nlibs;
    struct pt_lua_script *scripts;
    struct pt_lua_lib *libs;
    struct pt_store_columns columns;
    struct pt_own_window own;
    struct pt_store_market market;
    bool blas;                                /* OpenBLAS is open: a script asks for a market */
    volatile struct pt_worker_status *status; /* borrowed */
};

/* Takes the load message (also on failure) and opens the store; runs no script yet. */
enum pt_code pt_session_open(struct pt_session *session, bson_t *request,
                             volatile struct pt_worker_status *status, struct pt_err *err);
/* Loads the scripts and appends the answer "loaded". */
enum pt_code pt_session_load(struct pt_session *session, bson_t *reply, struct pt_err *err);
/* Answers a "run" message with "done". A script that fails has a result that says so; an error is
 * one of the message. */
enum pt_code pt_session_run(struct pt_session *session, const bson_t *request, bson_t *reply,
                            struct pt_err *err);
void pt_session_fini(struct pt_session *session);

/* Parts of loading (session_check.c). The status page says from now on that script i is at work. */
void pt_session_note(struct pt_session *session, size_t i);
/* Checks script i on made-up markets and recent ones of the store; appends `checked` and `findings`
 * to its answer. fault: the first finding; without message when there is none. */
enum pt_code pt_session_check(struct pt_session *session, size_t i, bson_t *out,
                              struct pt_lua_fault *fault, struct pt_err *err);

/* Bytes of heap that the whole worker may need: scripts, the bars of long windows, libraries. */
size_t pt_session_heap_bytes(const struct pt_session *session);

#endif
