/* worker.c - petrosa-worker: one process that runs scripts.                    [layer: bindings]
 *
 * Started by the daemon with its socket as fd 3 and its status page as fd 4 (unit.h). Takes the
 * scripts and the store, closes the door behind it, loads, and then answers one unit after the
 * other until the socket is closed. It may be killed at any moment: it holds nothing that is not in
 * the store. */
#include "base/log.h"
#include "bindings/guard.h"
#include "bindings/session.h"
#include "bindings/turns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static volatile struct pt_worker_status *status_page(struct pt_err *err)
{
    void *page = mmap(NULL, sizeof(struct pt_worker_status), PROT_READ | PROT_WRITE, MAP_SHARED,
                      PT_WORKER_STATUS_FD, 0);
    if (page == MAP_FAILED) {
        pt_fail(err, PT_EIO, "status page (fd %d): %s", PT_WORKER_STATUS_FD, strerror(errno));
        return NULL;
    }
    return page;
}

static enum pt_code answer(struct pt_session *session, const bson_t *request, struct pt_err *err)
{
    const char *op = "";
    bson_t reply = BSON_INITIALIZER;
    enum pt_code rc;
    pt_doc_text(request, "op", &op);
    if (strcmp(op, "run") == 0)
        rc = pt_session_run(session, request, &reply, err);
    else
        rc = pt_fail(err, PT_EINVAL, "operation '%.40s' is not known", op);
    if (rc == PT_OK) rc = pt_wire_send(PT_WORKER_SOCKET_FD, &reply, err);
    bson_destroy(&reply);
    return rc;
}

/* The first message. *gives_way: others are let in while units run, too. */
static enum pt_code open_session(struct pt_session *session,
                                 volatile struct pt_worker_status *status, bool *gives_way,
                                 struct pt_err *err)
{
    const char *op = "";
    bson_t *request = NULL, reply = BSON_INITIALIZER;
    enum pt_code rc = pt_wire_recv(PT_WORKER_SOCKET_FD, PT_WIRE_MAX, &request, err);
    pt_turns_begin();
    if (rc == PT_OK && (!pt_doc_text(request, "op", &op) || strcmp(op, "load") != 0)) {
        rc = pt_fail(err, PT_EINVAL, "the first message must be load, not '%.40s'", op);
        bson_destroy(request); /* op is of it */
    } else if (rc == PT_OK) {
        pt_doc_bool(request, "gives_way", gives_way);
        rc = pt_session_open(session, request, status, err);
    }
    if (rc == PT_OK) rc = pt_guard_close(pt_session_heap_bytes(session), err);
    if (rc == PT_OK) rc = pt_session_load(session, &reply, err);
    if (rc == PT_OK) rc = pt_wire_send(PT_WORKER_SOCKET_FD, &reply, err);
    pt_turns_end();
    bson_destroy(&reply);
    return rc;
}

int main(void)
{
    bool gives_way = false;
    struct pt_err err = { 0 };
    struct pt_session session = { 0 };
    volatile struct pt_worker_status *status = NULL;
    enum pt_code rc = pt_guard_start(&err);
    if (rc == PT_OK && !(status = status_page(&err))) rc = err.code;
    if (rc == PT_OK) pt_turns_start();
    if (rc == PT_OK) rc = open_session(&session, status, &gives_way, &err);
    while (rc == PT_OK) {
        bson_t *request = NULL;
        rc = pt_wire_recv(PT_WORKER_SOCKET_FD, PT_WIRE_MAX, &request, &err);
        if (rc == PT_ENOENT) { /* the daemon closed the socket */
            pt_turns_begin();
            pt_session_fini(&session);
            return 0;
        }
        if (rc != PT_OK) break;
        if (gives_way) pt_turns_begin();
        rc = answer(&session, request, &err);
        pt_turns_end();
        bson_destroy(request);
    }
    pt_session_fini(&session);
    pt_log(PT_ERROR, "worker", "failed", "%s", err.text);
    return 1;
}
