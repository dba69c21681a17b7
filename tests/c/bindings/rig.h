/* rig.h - a store made for the test and a real petrosa-worker to talk to. */
#ifndef RIG_H
#define RIG_H

#include "base/buf.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/frame.h"
#include "data/unit.h"
#include "store/store.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define RIG_T0 (INT64_C(1735689600) * PT_US_SEC) /* 2025-01-01T00:00:00Z */
#define RIG_BARS 2400
#define RIG_NEWEST INT64_MAX

struct rig {
    char folder[64];
    pid_t pid;
    int fd;
    volatile struct pt_worker_status *status;
    bool whole; /* detectors are asked for all of their window */
};

struct rig_script {
    const char *file, *text;
};
/* Bit i: script i of the next load is to be checked. */
static uint32_t rig_check = 0;

static void rig_die(const char *what)
{
    fprintf(stderr, "rig: %s: %s\n", what, strerror(errno));
    abort();
}

/* ---- the store ---------------------------------------------------------------------------------
 */

/* A walk in cents that looks the same on every machine. */
static uint64_t rig_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void rig_push_bar(struct pt_frame *frame, int64_t time_us, uint64_t *seed, int64_t *price)
{
    int64_t open = *price, close = open + (int64_t)(rig_random(seed) % 2001) - 1000;
    if (close < 100000) close = 100000;
    int64_t high = (open > close ? open : close) + (int64_t)(rig_random(seed) % 300);
    int64_t low = (open < close ? open : close) - (int64_t)(rig_random(seed) % 300);
    int64_t volume = 1 + (int64_t)(rig_random(seed) % 100000), taker = volume / 3;
    int64_t val[] = { time_us,
                      open,
                      high,
                      low,
                      close,
                      volume,
                      volume * close / 1000,
                      1 + volume % 500,
                      taker,
                      taker * close / 1000,
                      1 };
    uint8_t d2 = pt_digits(2, 0), d3 = pt_digits(3, 0);
    uint8_t dig[] = { 0, d2, d2, d2, d2, d3, d2, 0, d3, d2, 0 };
    if (pt_frame_push(frame, val, dig) != PT_OK) rig_die("push");
    *price = close;
}

/* Closed candles from RIG_T0 on, without those at positions [hole, hole + holes). */
static void rig_fill(const char *folder, const char *symbol, int64_t period_us, int bars, int hole,
                     int holes)
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = 256u << 20 };
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_store *store;
    struct pt_write *write;
    struct pt_err err;
    struct pt_frame frame;
    uint64_t seed = (uint64_t)symbol[0] * 7919;
    int64_t price = 5000000;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < bars; i++) {
        if (i < hole || i >= hole + holes)
            rig_push_bar(&frame, RIG_T0 + i * period_us, &seed, &price);
    }
    if (pt_store_open(&opts, &store, &err) != PT_OK) rig_die(err.text);
    if (pt_write_begin(store, &write, &err) != PT_OK) rig_die(err.text);
    if (pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err) != PT_OK)
        rig_die(err.text);
    if (pt_write_commit(write, &err) != PT_OK) rig_die(err.text);
    pt_store_close(store);
    pt_frame_fini(&frame);
}

static void rig_remove(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    unlink(path);
    rmdir(folder);
}

/* Behind the store's back, at one of its chunks: those of the symbol that came first come first. */
static inline void rig_chunk(const char *folder, int chunk,
                             void (*change)(MDB_cursor *cursor, MDB_val *key, MDB_val *value))
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi chunks;
    MDB_cursor *cursor;
    MDB_val key, value;
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, folder, 0, 0640), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_dbi_open(txn, "chunks", 0, &chunks), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn, chunks, &cursor), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    for (int i = 0; i < chunk; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_NEXT), 0);
    change(cursor, &key, &value);
    mdb_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* Turns bits all over it. */
static inline void rig_damage(MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    static char copy[1 << 16];
    CU_ASSERT_FATAL(value->mv_size <= sizeof copy);
    memcpy(copy, value->mv_data, value->mv_size);
    for (size_t k = 0; k < value->mv_size; k += 8) copy[k] ^= 1;
    value->mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, key, value, MDB_CURRENT), 0);
}

/* ---- the worker ---------------------------------------------------------------------------------
 */

static const char *rig_env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        errno = 0;
        rig_die("PETROSA_BUILD and PETROSA_SOURCE must be set");
    }
    return value;
}

static void rig_start(struct rig *rig)
{
    char path[1024];
    char *argv[] = { (char *)(size_t) "petrosa-worker", NULL };
    int pair[2];
    snprintf(path, sizeof path, "%s/petrosa-worker", rig_env("PETROSA_BUILD"));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) rig_die("socketpair");
    int page = memfd_create("status", MFD_CLOEXEC);
    if (page < 0 || ftruncate(page, 4096) != 0) rig_die("memfd");
    rig->status = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (rig->status == MAP_FAILED) rig_die("mmap");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int high = fcntl(pair[1], F_DUPFD_CLOEXEC, 10), high_page = fcntl(page, F_DUPFD_CLOEXEC, 10);
    posix_spawn_file_actions_adddup2(&actions, high, PT_WORKER_SOCKET_FD);
    posix_spawn_file_actions_adddup2(&actions, high_page, PT_WORKER_STATUS_FD);
    int rc = posix_spawn(&rig->pid, path, &actions, NULL, argv, environ);
    if (rc != 0) {
        errno = rc;
        rig_die(path);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(high);
    close(high_page);
    close(pair[1]);
    close(page);
    rig->fd = pair[0];
    rig->whole = false;
}

/* Closes the socket and waits: exit status, or minus the signal that ended it. */
static int rig_end(struct rig *rig)
{
    int status;
    close(rig->fd);
    munmap((void *)(size_t)rig->status, 4096);
    if (waitpid(rig->pid, &status, 0) != rig->pid) rig_die("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

struct rig_budget {
    int64_t call_us, load_us, memory_bytes;
};
static const struct rig_budget rig_usual = { 5 * PT_US_SEC, 5 * PT_US_SEC, 64 << 20 };

static void rig_append_texts(bson_t *request, const char *key, const struct rig_script *scripts,
                             size_t n, bool libs)
{
    bson_t list, entry;
    bson_append_array_begin(request, key, -1, &list);
    for (size_t i = 0; i < n; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        bson_append_document_begin(&list, index, -1, &entry);
        if (libs) {
            char name[64];
            snprintf(name, sizeof name, "%s", strrchr(scripts[i].file, '/') + 1);
            name[strlen(name) - 4] = '\0';
            bson_append_utf8(&entry, "name", -1, name, -1);
        } else {
            bson_append_utf8(&entry, "hash", -1, "00112233445566778899aabbccddeeff", -1);
        }
        bson_append_utf8(&entry, "file", -1, scripts[i].file, -1);
        bson_append_utf8(&entry, "text", -1, scripts[i].text, -1);
        if (!libs && (rig_check >> i & 1)) bson_append_bool(&entry, "check", -1, true);
        bson_append_document_end(&list, &entry);
    }
    bson_append_array_end(request, &list);
}

/* Sends "load"; the answer, or NULL when the worker ended instead. */
static bson_t *rig_load(struct rig *rig, const struct rig_budget *budget,
                        const struct rig_script *scripts, size_t n, const struct rig_script *libs,
                        size_t nlibs)
{
    bson_t request = BSON_INITIALIZER, *reply = NULL;
    struct pt_err err;
    bson_append_utf8(&request, "op", -1, "load", -1);
    if (*rig->folder) bson_append_utf8(&request, "store", -1, rig->folder, -1);
    bson_append_utf8(&request, "benchmark", -1, "BTCUSDT", -1);
    bson_append_int64(&request, "call_budget_us", -1, budget->call_us);
    bson_append_int64(&request, "load_budget_us", -1, budget->load_us);
    bson_append_int64(&request, "memory_bytes", -1, budget->memory_bytes);
    bson_append_bool(&request, "gives_way", -1, true); /* as most of a daemon's */
    rig_append_texts(&request, "scripts", scripts, n, false);
    rig_append_texts(&request, "libs", libs, nlibs, true);
    if (pt_wire_send(rig->fd, &request, &err) == PT_OK)
        pt_wire_recv(rig->fd, PT_WIRE_MAX, &reply, &err);
    bson_destroy(&request);
    return reply;
}

/* Sends "run" for scripts by name, all with the same parameters (may be NULL); the answer, or NULL.
 */
static bson_t *rig_ask(struct rig *rig, const char *symbol, int64_t period_us, int64_t as_of_us,
                       const char *const *names, const bson_t *params, enum pt_inspect inspect)
{
    bson_t request = BSON_INITIALIZER, list, entry, *reply = NULL;
    struct pt_err err;
    bson_append_utf8(&request, "op", -1, "run", -1);
    bson_append_int64(&request, "id", -1, 42);
    bson_append_utf8(&request, "symbol", -1, symbol, -1);
    bson_append_int64(&request, "period_us", -1, period_us);
    bson_append_int64(&request, "as_of_us", -1, as_of_us);
    bson_append_int64(&request, "now_us", -1, INT64_C(1760000000000000));
    if (inspect) bson_append_int64(&request, "inspect", -1, (int64_t)inspect);
    if (rig->whole) bson_append_bool(&request, "whole", -1, true);
    bson_append_array_begin(&request, "scripts", -1, &list);
    for (int i = 0; names[i]; i++) {
        char index[24];
        snprintf(index, sizeof index, "%d", i);
        bson_append_document_begin(&list, index, -1, &entry);
        bson_append_utf8(&entry, "name", -1, names[i], -1);
        if (params) bson_append_document(&entry, "params", -1, params);
        bson_append_document_end(&list, &entry);
    }
    bson_append_array_end(&request, &list);
    if (pt_wire_send(rig->fd, &request, &err) == PT_OK)
        pt_wire_recv(rig->fd, PT_WIRE_MAX, &reply, &err);
    bson_destroy(&request);
    return reply;
}

static bson_t *rig_run(struct rig *rig, const char *symbol, int64_t period_us, int64_t as_of_us,
                       const char *const *names, const bson_t *params)
{
    return rig_ask(rig, symbol, period_us, as_of_us, names, params, PT_INSPECT_NONE);
}

/* Result document i of a "done" answer; an empty one when it is not there. */
static void rig_result(const bson_t *reply, int i, bson_t *doc)
{
    static const uint8_t empty[] = { 5, 0, 0, 0, 0 };
    char path[32];
    snprintf(path, sizeof path, "results.%d.doc", i);
    if (!reply || !pt_doc_child(reply, path, doc)) bson_init_static(doc, empty, sizeof empty);
}

static const char *rig_text(const bson_t *doc, const char *path)
{
    const char *text = "(nothing)";
    if (doc) pt_doc_text(doc, path, &text);
    return text;
}

static double rig_number(const bson_t *doc, const char *path)
{
    double x = NAN;
    int64_t whole;
    if (doc && !pt_doc_double(doc, path, &x) && pt_doc_int(doc, path, &whole)) x = (double)whole;
    return x;
}

#endif
