/* child.h - the store's suites start themselves again in a role, never fork an open store. */
#ifndef PT_STORE_CHILD_H
#define PT_STORE_CHILD_H

#include "kit.h"

#include <signal.h>
#include <sys/wait.h>

enum { CHILD_SKIP = 77 };

/* Starts this program in a role; its stdout can be read from *out. */
static inline pid_t start(const char *role, const char *folder, const char *arg, int *out)
{
    int ends[2];
    if (pipe(ends) != 0) abort();
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "suite", role, folder, arg, (char *)NULL);
        _exit(126);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

/* Exit status, or minus the signal. */
static inline int finish(pid_t pid, int out)
{
    int status;
    char rest[4096];
    while (read(out, rest, sizeof rest) > 0) continue;
    close(out);
    if (waitpid(pid, &status, 0) != pid) abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int run(const char *role, const char *folder, const char *arg)
{
    int out;
    pid_t pid = start(role, folder, arg, &out);
    return finish(pid, out);
}

/* Batch i of the writer that gets killed: 150 rows in order and 5 late ones. */
static inline void make_batch(int64_t i, struct pt_frame *frame)
{
    uint64_t seed = (uint64_t)i * 77 + 5;
    for (int64_t j = 0; j < 150; j++) kit_push(frame, T0 + (i * 150 + j) * 2, j, (uint64_t)(i + j));
    for (int j = 0; j < 5; j++) {
        int64_t late = (int64_t)(kit_random(&seed) % (uint64_t)(i * 300 + 300));
        kit_push(frame, T0 + (late | 1), j, (uint64_t)i + 1000);
    }
}

static inline enum pt_code write_batch(struct pt_store *store, int64_t i, struct pt_frame *frame)
{
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_write *write;
    enum pt_code rc = pt_write_begin(store, &write, &kit_err);
    if (rc != PT_OK) return rc;
    pt_frame_clear(frame);
    make_batch(i, frame);
    bson_t *doc = BCON_NEW("next", BCON_INT64(i + 1));
    rc = pt_frame_sort(frame);
    if (rc == PT_OK) rc = pt_write_rows(write, &key, frame, PT_PUT_CORRECT, &stats, &kit_err);
    if (rc == PT_OK) rc = pt_write_doc(write, "progress", "p", 1, doc, &kit_err);
    bson_destroy(doc);
    if (rc == PT_OK) return pt_write_commit(write, &kit_err);
    pt_write_abort(write);
    return rc;
}

static inline int64_t progress(struct pt_store *store)
{
    struct pt_read *read;
    bson_t view;
    int64_t next = 0;
    if (pt_read_begin(store, &read, &kit_err) != PT_OK) return -1;
    if (pt_docs_get(read, "progress", "p", 1, &view, &kit_err) == PT_OK)
        pt_doc_int(&view, "next", &next);
    pt_read_end(read);
    return next;
}

static inline int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, kit_err.text);
    return 1;
}

/* Writes batches until `until` (or it is killed), naming each on stdout once it is committed. */
static inline int child_writer(const char *folder, const char *until)
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = UINT64_C(1) << 30 };
    struct pt_store *store;
    struct pt_frame frame;
    if (pt_store_open(&opts, &store, &kit_err) != PT_OK) return fail("open");
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    for (int64_t i = progress(store); i < atol(until); i++) {
        if (write_batch(store, i, &frame) != PT_OK) return fail("write");
        if (write(1, &i, sizeof i) != sizeof i) return fail("report");
    }
    pt_frame_fini(&frame);
    pt_store_close(store);
    return 0;
}

#endif
