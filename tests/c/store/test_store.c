/* test_store.c - the environment: opening, sharing, filling up, damage, backup, sudden death.
 * Children are this program again with a role as its first argument, never a fork of an open store.
 */
#include "kit.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CHILD_SKIP = 77 };

/* ---- children ----------------------------------------------------------------------------- */

/* Starts this program in a role; its stdout can be read from *out. */
static pid_t start(const char *role, const char *folder, const char *arg, int *out)
{
    int ends[2];
    if (pipe(ends) != 0) abort();
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "test_store", role, folder, arg, (char *)NULL);
        _exit(126);
    }
    close(ends[1]);
    *out = ends[0];
    return pid;
}

/* Exit status, or minus the signal. */
static int finish(pid_t pid, int out)
{
    int status;
    char rest[4096];
    while (read(out, rest, sizeof rest) > 0) continue;
    close(out);
    if (waitpid(pid, &status, 0) != pid) abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const char *role, const char *folder, const char *arg)
{
    int out;
    pid_t pid = start(role, folder, arg, &out);
    return finish(pid, out);
}

/* Batch i of the writer that gets killed: 150 rows in order and 5 late ones. */
static void make_batch(int64_t i, struct pt_frame *frame)
{
    uint64_t seed = (uint64_t)i * 77 + 5;
    for (int64_t j = 0; j < 150; j++) kit_push(frame, T0 + (i * 150 + j) * 2, j, (uint64_t)(i + j));
    for (int j = 0; j < 5; j++) {
        int64_t late = (int64_t)(kit_random(&seed) % (uint64_t)(i * 300 + 300));
        kit_push(frame, T0 + (late | 1), j, (uint64_t)i + 1000);
    }
}

static enum pt_code write_batch(struct pt_store *store, int64_t i, struct pt_frame *frame)
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

static int64_t progress(struct pt_store *store)
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

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, kit_err.text);
    return 1;
}

/* Writes batches until `until` (or it is killed), naming each on stdout once it is committed. */
static int child_writer(const char *folder, const char *until)
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

static int child_claim(const char *folder)
{
    struct pt_store_opts opts = { .path = folder };
    struct pt_store *store;
    if (pt_store_open(&opts, &store, &kit_err) != PT_OK) return fail("open");
    enum pt_code rc = pt_store_claim(store, &kit_err);
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getppid());
    bool named = rc == PT_EBUSY && strstr(kit_err.text, pid) != NULL;
    pt_store_close(store);
    return rc == PT_OK ? 0 : named ? 3 : 4;
}

/* Fills the store until it is full; the count of good batches must be readable, then `room` is made
 * and writing goes on. */
static const char *fill_up(struct pt_store *store, const char *folder, bool (*room)(const char *),
                           struct pt_frame *frame)
{
    enum pt_code rc = PT_OK;
    int64_t i = 0;
    while (rc == PT_OK && i < 100000) {
        rc = write_batch(store, i, frame);
        i += rc == PT_OK;
    }
    if (rc != PT_EFULL) return "filling";
    if (progress(store) != i) return "reading while full";
    if (write_batch(store, i, frame) != PT_EFULL) return "still full";
    if (!room(folder)) return "making room";
    for (int k = 0; k < 20; k++, i++) {
        if (write_batch(store, i, frame) != PT_OK) return "writing again";
    }
    struct pt_verify sums;
    if (pt_store_verify(store, NULL, NULL, &sums, &kit_err) != PT_OK) return "verify";
    return progress(store) == i ? NULL : "reading afterwards";
}

static int child_fill(const char *folder, bool (*room)(const char *))
{
    struct pt_store_opts opts = { .path = folder, .max_bytes = UINT64_C(1) << 30 };
    struct pt_store *store;
    struct pt_frame frame;
    if (pt_store_open(&opts, &store, &kit_err) != PT_OK) return fail("open");
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    const char *wrong = fill_up(store, folder, room, &frame);
    pt_frame_fini(&frame);
    pt_store_close(store);
    return wrong ? fail(wrong) : 0;
}

static bool lift_limit(const char *folder)
{
    (void)folder;
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur = limit.rlim_max, setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static int child_limited(const char *folder)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return CHILD_SKIP;
    limit.rlim_cur = 3 << 20;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return CHILD_SKIP;
    return child_fill(folder, lift_limit);
}

static bool bigger_disk(const char *folder)
{
    return mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64m") == 0;
}

/* Opens a snapshot and never ends it. */
static int child_reader(const char *folder)
{
    struct pt_store_opts opts = { .path = folder, .readonly = true };
    struct pt_store *store;
    struct pt_read *read;
    if (pt_store_open(&opts, &store, &kit_err) != PT_OK) return fail("open");
    if (pt_read_begin(store, &read, &kit_err) != PT_OK) return fail("read");
    if (write(1, "r", 1) != 1) return fail("report");
    for (;;) pause();
}

/* Little address space: the map must do with less. */
static int child_narrow(const char *folder)
{
    struct pt_store_opts opts = { .path = folder };
    struct rlimit limit = { UINT64_C(6) << 30, RLIM_INFINITY };
    struct pt_store *store;
    struct pt_frame frame;
    if (getrlimit(RLIMIT_AS, &limit) != 0) return CHILD_SKIP;
    limit.rlim_cur = UINT64_C(6) << 30;
    if (setrlimit(RLIMIT_AS, &limit) != 0) return CHILD_SKIP;
    if (pt_store_open(&opts, &store, &kit_err) != PT_OK) return fail("open");
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    enum pt_code rc = write_batch(store, 0, &frame);
    pt_frame_fini(&frame);
    pt_store_close(store);
    return rc == PT_OK ? 0 : fail("write");
}

/* A disk of 4 MB in a mount namespace of its own, which goes with the child. */
static int child_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0) return CHILD_SKIP;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return CHILD_SKIP;
    if (mount("tmpfs", folder, "tmpfs", 0, "size=4m") != 0) return CHILD_SKIP;
    return child_fill(folder, bigger_disk);
}

/* ---- opening ------------------------------------------------------------------------------ */

static void test_a_folder_is_made_and_opened_again(void)
{
    char *path = kit_folder(), deep[300];
    struct pt_store_opts opts = { .readonly = true };
    struct pt_store *store;
    snprintf(deep, sizeof deep, "%s/a/b", path);
    opts.path = deep;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NULL(store);
    store = kit_open(deep);
    CU_ASSERT_STRING_EQUAL(pt_store_path(store), deep);
    pt_store_close(store);
    OK(pt_store_open(&opts, &store, &kit_err));
    struct pt_write *write;
    CU_ASSERT_EQUAL(pt_write_begin(store, &write, &kit_err), PT_EINVAL);
    pt_store_close(store);
    pt_store_close(NULL);
    kit_remove(deep);
    snprintf(deep, sizeof deep, "%s/a", path);
    opts.path = deep;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_ENOENT);
    kit_remove(deep);
    kit_remove(path);
}

static void test_one_process_opens_a_folder_once(void)
{
    char *path = kit_folder();
    struct pt_store_opts opts = { .path = path };
    struct pt_store *store = kit_open(path), *again;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &again, &kit_err), PT_EBUSY);
    CU_ASSERT_PTR_NULL(again);
    pt_store_close(store);
    OK(pt_store_open(&opts, &again, &kit_err));
    pt_store_close(again);
    kit_remove(path);
}

static void test_one_daemon_claims_a_folder(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    CU_ASSERT_EQUAL(run("claim", path, ""), 0);
    OK(pt_store_claim(store, &kit_err));
    OK(pt_store_claim(store, &kit_err));
    CU_ASSERT_EQUAL(run("claim", path, ""), 3); /* busy, and it names our pid */
    pt_store_close(store);
    CU_ASSERT_EQUAL(run("claim", path, ""), 0);
    kit_remove(path);
}

/* A write behind the store's back. */
static void raw(const char *path, const char *dbi_name, void (*change)(MDB_cursor *cursor))
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor;
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, path, 0, 0640), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_dbi_open(txn, dbi_name, MDB_CREATE, &dbi), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn, dbi, &cursor), 0);
    change(cursor);
    mdb_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void set_version(MDB_cursor *cursor)
{
    uint32_t version = 9;
    MDB_val key = { 7, (void *)(size_t) "version" }, value = { sizeof version, &version };
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, 0), 0);
}

static void test_another_version_is_refused_by_name(void)
{
    char *path = kit_folder();
    struct pt_store_opts opts = { .path = path };
    struct pt_store *store;
    pt_store_close(kit_open(path));
    raw(path, "meta", set_version);
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EVERSION);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "version 9"));
    kit_remove(path);
}

static void put_foreign(MDB_cursor *cursor)
{
    MDB_val key = { 1, (void *)(size_t) "x" }, value = { 1, (void *)(size_t) "y" };
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, 0), 0);
}

static void test_what_is_no_store_is_left_alone(void)
{
    char *path = kit_folder(), file[300];
    struct pt_store_opts opts = { .path = path };
    struct pt_store *store;
    raw(path, "theirs", put_foreign);
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EVERSION);
    kit_remove(path);

    path = kit_folder();
    snprintf(file, sizeof file, "%s/data.mdb", path);
    FILE *out = fopen(file, "w");
    if (!out) abort();
    for (int i = 0; i < 9000; i++) fputs("not a store ", out);
    fclose(out);
    opts.path = path;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EDAMAGE);
    opts.path = file;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EINVAL);
    kit_remove(path);
}

static void test_a_narrow_address_space_gets_a_smaller_map(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    pt_skip("a sanitizer needs the address space itself");
#else
    char *path = kit_folder();
    CU_ASSERT_EQUAL(run("narrow", path, ""), 0);
    kit_remove(path);
#endif
}

static void test_started_programs_inherit_no_file_of_the_store(void)
{
    char *path = kit_folder(), name[300], target[300];
    struct pt_store *store = kit_open(path);
    OK(pt_store_claim(store, &kit_err));
    unsigned seen = 0;
    for (int fd = 0; fd < 256; fd++) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(name, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        if (strncmp(target, path, strlen(path)) != 0) continue;
        seen++;
        CU_ASSERT_TRUE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    CU_ASSERT_TRUE(seen >= 3); /* data, lock, claim */
    pt_store_close(store);
    kit_remove(path);
}

static void test_too_many_readers_are_refused_and_leave(void)
{
    enum { MORE = 1100 };
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    static struct pt_read *reads[MORE];
    enum pt_code rc = PT_OK;
    int n = 0;
    while (n < MORE && (rc = pt_read_begin(store, &reads[n], &kit_err)) == PT_OK) n++;
    CU_ASSERT_EQUAL(rc, PT_EBUSY);
    CU_ASSERT_TRUE(n >= 1000);
    CU_ASSERT_PTR_NULL(reads[n]);
    while (n > 0) pt_read_end(reads[--n]);
    OK(pt_read_begin(store, &reads[0], &kit_err));
    pt_read_end(reads[0]);
    pt_read_end(NULL);
    pt_store_close(store);
    kit_remove(path);
}

/* ---- full --------------------------------------------------------------------------------- */

static void test_a_full_map_is_an_error_and_no_more(void)
{
    char *path = kit_folder();
    struct pt_store_opts opts = { .path = path, .max_bytes = 2 << 20 };
    struct pt_store *store;
    struct pt_frame frame;
    enum pt_code rc = PT_OK;
    int64_t i = 0;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    OK(pt_store_open(&opts, &store, &kit_err));
    while (rc == PT_OK && i < 100000) {
        rc = write_batch(store, i, &frame);
        i += rc == PT_OK;
    }
    CU_ASSERT_EQUAL(rc, PT_EFULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "store.max_size"));
    CU_ASSERT_EQUAL(progress(store), i);
    struct pt_verify sums;
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    store = kit_open(path); /* with more room */
    CU_ASSERT_EQUAL(progress(store), i);
    OK(write_batch(store, i, &frame));
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&frame);
    kit_remove(path);
}

static void test_a_full_disk_is_an_error_and_no_more(void)
{
    char *path = kit_folder();
    int status = run("small_disk", path, "");
    if (status == CHILD_SKIP)
        pt_skip("may not mount a small disk");
    else
        CU_ASSERT_EQUAL(status, 0);
    kit_remove(path);
}

static void test_a_file_limit_is_an_error_and_no_more(void)
{
    char *path = kit_folder();
    int status = run("limited", path, "");
    if (status == CHILD_SKIP)
        pt_skip("may not limit the size of files");
    else
        CU_ASSERT_EQUAL(status, 0);
    kit_remove(path);
}

/* A process whose map is smaller than the file has become meanwhile takes over the new size. */
static void test_growth_by_another_process_is_followed(void)
{
    char *path = kit_folder();
    struct pt_store_opts opts = { .path = path, .max_bytes = 1 << 20 };
    struct pt_store *store;
    struct pt_frame frame;
    OK(pt_store_open(&opts, &store, &kit_err));
    CU_ASSERT_EQUAL(progress(store), 0); /* leaves a reset snapshot in the pool */
    CU_ASSERT_EQUAL(run("writer", path, "800"), 0);
    CU_ASSERT_EQUAL(progress(store), 800);
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    OK(write_batch(store, 800, &frame));
    CU_ASSERT_EQUAL(progress(store), 801);
    pt_store_close(store);
    pt_frame_fini(&frame);
    kit_remove(path);
}

/* ---- damage ------------------------------------------------------------------------------- */

enum { DAMAGED_ROWS = 6000 };

static int64_t damaged_key_us; /* of the chunk that was damaged */

/* Turns one bit in the payload of the third chunk. */
static void damage_chunk(MDB_cursor *cursor)
{
    MDB_val key, value;
    static uint8_t copy[PT_CHUNK_BYTES_MAX];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, i ? MDB_NEXT : MDB_FIRST), 0);
    uint64_t t = 0;
    for (int i = 0; i < 8; i++) t = t << 8 | ((uint8_t *)key.mv_data)[4 + i];
    damaged_key_us = (int64_t)(t ^ UINT64_C(1) << 63);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

/* Turns one bit in the head of the third chunk: not even its number of rows is known then. */
static void damage_head(MDB_cursor *cursor)
{
    MDB_val key, value;
    static uint8_t copy[PT_CHUNK_BYTES_MAX];
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, i ? MDB_NEXT : MDB_FIRST), 0);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[14] ^= 4;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

struct faults {
    unsigned n;
    char where[200];
};

static void note_fault(void *arg, const char *where, const char *what)
{
    struct faults *faults = arg;
    CU_ASSERT_TRUE(strlen(what) > 0);
    faults->n++;
    snprintf(faults->where, sizeof faults->where, "%s", where);
}

static void damaged_store(const char *path, struct pt_frame *rows, void (*how)(MDB_cursor *))
{
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0),
                         other = kit_key(PT_TRADES, "ETHUSDT", 0);
    pt_frame_init(rows, pt_kind(PT_TRADES));
    for (int i = 0; i < DAMAGED_ROWS; i++) kit_push(rows, T0 + i * PT_US_SEC, i, (uint64_t)i);
    kit_write(store, &key, rows, PT_PUT_CORRECT);
    kit_write(store, &other, rows, PT_PUT_CORRECT);
    pt_store_close(store);
    raw(path, "chunks", how);
}

static void test_damage_is_named_and_the_rest_stays_readable(void)
{
    char *path = kit_folder(), when[PT_TIME_TEXT_MAX];
    struct pt_frame rows, got;
    struct pt_read *read;
    damaged_store(path, &rows, damage_chunk);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0),
                         other = kit_key(PT_TRADES, "ETHUSDT", 0);
    pt_frame_init(&got, pt_kind(PT_TRADES));
    pt_time_print(damaged_key_us, when);

    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_series_read(read, &key, INT64_MIN, INT64_MAX, 0, &got, &kit_err),
                    PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "trades_BTCUSDT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, when));
    CU_ASSERT_TRUE(got.n > 0 && got.n < rows.n); /* the rows before it are there, and right */
    CU_ASSERT_EQUAL(got.val[0][got.n - 1] + PT_US_SEC, damaged_key_us);
    for (size_t i = 0; i < got.n; i++) CU_ASSERT_TRUE(pt_frame_same(&rows, i, &got, i));
    pt_frame_clear(&got);
    int64_t behind = rows.val[0][rows.n - 1000]; /* behind it, and another series: as ever */
    OK(pt_series_read(read, &key, behind, INT64_MAX, 0, &got, &kit_err));
    CU_ASSERT_EQUAL(got.n, 1000);
    pt_frame_clear(&got);
    OK(pt_series_read(read, &other, INT64_MIN, INT64_MAX, 0, &got, &kit_err));
    CU_ASSERT_TRUE(kit_same(&rows, &got));
    pt_read_end(read);

    struct pt_verify sums;
    struct faults faults = { .n = 0 };
    CU_ASSERT_EQUAL(pt_store_verify(store, note_fault, &faults, &sums, &kit_err), PT_EDAMAGE);
    CU_ASSERT_EQUAL(faults.n, 1);
    CU_ASSERT_EQUAL(sums.damaged, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(faults.where, "trades_BTCUSDT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(faults.where, when));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    kit_remove(path);
}

static void heal(void (*how)(MDB_cursor *))
{
    char *path = kit_folder();
    struct pt_frame rows, got, late;
    struct pt_write *write;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_verify sums;
    damaged_store(path, &rows, how);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    pt_frame_init(&got, rows.kind);
    pt_frame_init(&late, rows.kind);

    kit_push(&late, rows.val[0][rows.n - 1] + 1, 1, 1); /* newer rows get in */
    stats = kit_write(store, &key, &late, PT_PUT_LIVE);
    CU_ASSERT_EQUAL(stats.inserted, 1);
    kit_push(&rows, rows.val[0][rows.n - 1] + 1, 1, 1);

    for (int mode = 0; mode < 2;
         mode++) { /* a single row into it does not, and wipes out nothing */
        pt_frame_clear(&late);
        kit_push(&late, damaged_key_us + 5, 1, 1);
        OK(pt_write_begin(store, &write, &kit_err));
        CU_ASSERT_EQUAL(pt_write_rows(write, &key, &late, mode ? PT_PUT_CORRECT : PT_PUT_LIVE,
                                      &stats, &kit_err),
                        PT_EDAMAGE);
        CU_ASSERT_EQUAL(pt_write_commit(write, &kit_err), PT_EINVAL);
    }
    kit_write(store, &key, &rows, PT_PUT_CORRECT); /* the whole range again: as new */
    kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_TRUE(kit_same(&rows, &got));
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    pt_frame_fini(&late);
    kit_remove(path);
}

static void test_importing_again_heals_a_chunk(void)
{
    heal(damage_chunk);
    heal(damage_head);
}

static void test_a_damaged_chunk_expires_like_any_other(void)
{
    char *path = kit_folder();
    struct pt_frame rows, got;
    struct pt_write *write;
    struct pt_verify sums;
    uint64_t removed;
    damaged_store(path, &rows, damage_head);
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    pt_frame_init(&got, rows.kind);
    OK(pt_write_begin(store, &write, &kit_err));
    OK(pt_write_expire(write, &key, rows.val[0][rows.n - 1000], &removed, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_EQUAL(got.n, 1000);
    CU_ASSERT_EQUAL(removed, DAMAGED_ROWS - 1000);
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&rows);
    pt_frame_fini(&got);
    kit_remove(path);
}

static void damage_doc(MDB_cursor *cursor)
{
    MDB_val key, value;
    uint8_t copy[100];
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    CU_ASSERT_TRUE_FATAL(value.mv_size < sizeof copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size - 3] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

static void damage_record(MDB_cursor *cursor)
{
    MDB_val key, value;
    uint8_t copy[400];
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    CU_ASSERT_TRUE_FATAL(value.mv_size < sizeof copy);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[30] ^= 1;
    value.mv_data = copy;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
}

static bool name_series(void *arg, const struct pt_series *series)
{
    pt_buf_printf(arg, "%s ", series->key.symbol);
    return true;
}

static void test_a_damaged_series_record_hides_no_other(void)
{
    char *path = kit_folder();
    struct pt_buf names = { 0 };
    struct pt_series_key btc = kit_key(PT_TRADES, "BTCUSDT", 0),
                         eth = kit_key(PT_TRADES, "ETHUSDT", 0);
    struct pt_frame rows;
    struct pt_series series;
    struct pt_read *read;
    struct pt_verify sums;
    damaged_store(path, &rows, damage_chunk);
    raw(path, "series", damage_record);
    struct pt_store *store = kit_open(path);
    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_series_each(read, name_series, &names, &kit_err), PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "trades_BTCUSDT"));
    CU_ASSERT_STRING_EQUAL(names.data, "ETHUSDT ");
    CU_ASSERT_EQUAL(pt_series_find(read, &btc, &series, &kit_err), PT_EDAMAGE);
    OK(pt_series_find(read, &eth, &series, &kit_err));
    pt_read_end(read);
    CU_ASSERT_EQUAL(pt_store_verify(store, NULL, NULL, &sums, &kit_err), PT_EDAMAGE);
    pt_store_close(store);
    pt_buf_fini(&names);
    pt_frame_fini(&rows);
    kit_remove(path);
}

static bool count_doc(void *arg, const void *key, size_t key_len, const bson_t *view)
{
    (void)key;
    (void)key_len;
    (void)view;
    ++*(int *)arg;
    return true;
}

static void test_a_damaged_document_is_named(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_write *write;
    struct pt_read *read;
    struct pt_verify sums;
    bson_t view, *doc = BCON_NEW("n", BCON_INT32(7));
    int seen = 0;
    OK(pt_write_begin(store, &write, &kit_err));
    for (int i = 0; i < 3; i++) OK(pt_write_doc(write, "jobs", &"abc"[i], 1, doc, &kit_err));
    OK(pt_write_commit(write, &kit_err));
    bson_destroy(doc);
    pt_store_close(store);
    raw(path, "docs", damage_doc);
    store = kit_open(path);
    OK(pt_read_begin(store, &read, &kit_err));
    CU_ASSERT_EQUAL(pt_docs_get(read, "jobs", "a", 1, &view, &kit_err), PT_EDAMAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "jobs"));
    OK(pt_docs_get(read, "jobs", "b", 1, &view, &kit_err));
    CU_ASSERT_EQUAL(pt_docs_scan(read, "jobs", NULL, 0, NULL, 0, false, count_doc, &seen, &kit_err),
                    PT_EDAMAGE);
    CU_ASSERT_EQUAL(seen, 2); /* the good ones */
    pt_read_end(read);
    CU_ASSERT_EQUAL(pt_store_verify(store, NULL, NULL, &sums, &kit_err), PT_EDAMAGE);
    CU_ASSERT_EQUAL(sums.damaged, 1);
    pt_store_close(store);
    kit_remove(path);
}

/* ---- many at once ------------------------------------------------------------------------- */

struct reader {
    struct pt_store *store;
    int64_t until;
    bool wrong;
    uint64_t snapshots;
};

/* Every snapshot shows whole batches: progress and rows belong together. */
static void *read_along(void *arg)
{
    struct reader *self = arg;
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct pt_frame frame;
    struct pt_err err;
    int64_t next = 0;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    while (next < self->until && !self->wrong) {
        struct pt_read *read;
        bson_t view;
        struct pt_series series = { .rows = 0 };
        if (pt_read_begin(self->store, &read, &err) != PT_OK) {
            self->wrong = true;
            break;
        }
        next = 0;
        if (pt_docs_get(read, "progress", "p", 1, &view, &err) == PT_OK)
            pt_doc_int(&view, "next", &next);
        enum pt_code rc = pt_series_find(read, &key, &series, &err);
        pt_frame_clear(&frame);
        if (next > 0) {
            self->wrong |= rc != PT_OK || series.last_us != T0 + (next * 150 - 1) * 2;
            rc = pt_series_read(read, &key, INT64_MIN, INT64_MAX, 0, &frame, &err);
            self->wrong |= rc != PT_OK || frame.n != series.rows;
            self->wrong |= frame.n < (size_t)next * 150;
        }
        pt_read_end(read);
        self->snapshots++;
    }
    pt_frame_fini(&frame);
    return NULL;
}

static void test_readers_see_whole_commits_while_others_write(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct reader readers[4];
    pthread_t threads[4];
    struct pt_frame frame;
    int out;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    for (int i = 0; i < 4; i++) {
        readers[i] = (struct reader){ .store = store, .until = 160 };
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, read_along, &readers[i]), 0);
    }
    for (int64_t i = 0; i < 80; i++) OK(write_batch(store, i, &frame)); /* this process, */
    pid_t pid = start("writer", path, "160", &out);                     /* then another */
    CU_ASSERT_EQUAL(finish(pid, out), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_FALSE(readers[i].wrong);
        CU_ASSERT_TRUE(readers[i].snapshots > 0);
    }
    pt_store_close(store);
    pt_frame_fini(&frame);
    kit_remove(path);
}

static void test_two_processes_take_turns_to_write(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct pt_series_key key = kit_key(PT_MARKS, "ADAUSDT", 0);
    struct pt_frame frame, got;
    int out;
    pt_frame_init(&frame, pt_kind(PT_MARKS));
    pt_frame_init(&got, pt_kind(PT_MARKS));
    pid_t pid = start("writer", path, "100", &out);
    for (int i = 0; i < 300; i++) {
        pt_frame_clear(&frame);
        kit_push(&frame, T0 + i, 0, (uint64_t)i);
        kit_write(store, &key, &frame, PT_PUT_LIVE);
    }
    CU_ASSERT_EQUAL(finish(pid, out), 0);
    kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
    CU_ASSERT_EQUAL(got.n, 300);
    CU_ASSERT_EQUAL(progress(store), 100);
    struct pt_verify sums;
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    pt_store_close(store);
    pt_frame_fini(&frame);
    pt_frame_fini(&got);
    kit_remove(path);
}

/* Replaces a document of 8 kB 2000 times, with a snapshot open across each write; gives the file's
 * size. */
static off_t churn(struct pt_store *store)
{
    char file[300];
    struct pt_write *write;
    struct stat st;
    for (int i = 0; i < 2000; i++) {
        struct pt_read *read;
        bson_t *doc = bson_new();
        static char text[8000];
        memset(text, 'a' + i % 26, sizeof text - 1);
        BSON_APPEND_UTF8(doc, "t", text);
        OK(pt_read_begin(store, &read,
                         &kit_err)); /* opened before the write, ended before the next */
        OK(pt_write_begin(store, &write, &kit_err));
        OK(pt_write_doc(write, "c", "k", 1, doc, &kit_err));
        OK(pt_write_commit(write, &kit_err));
        pt_read_end(read);
        bson_destroy(doc);
    }
    snprintf(file, sizeof file, "%s/data.mdb", pt_store_path(store));
    CU_ASSERT_EQUAL_FATAL(stat(file, &st), 0);
    return st.st_size;
}

/* 2000 pinned versions would take 24 MB. */
static void test_an_ended_snapshot_pins_nothing(void)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    CU_ASSERT_TRUE(churn(store) < 1 << 20);
    pt_store_close(store);
    kit_remove(path);
}

static void test_the_snapshot_of_a_killed_reader_is_reaped(void)
{
    char *path = kit_folder(), byte;
    struct pt_store *store = kit_open(path);
    int out;
    pid_t pid = start("reader", path, "", &out);
    CU_ASSERT_EQUAL_FATAL(read(out, &byte, 1), 1);
    kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(finish(pid, out), -SIGKILL);
    pt_store_reap_readers(store);
    CU_ASSERT_TRUE(churn(store) < 1 << 20);
    pt_store_close(store);
    kit_remove(path);
}

/* ---- backup ------------------------------------------------------------------------------- */

struct background {
    struct pt_store *store;
    int64_t from, to;
    bool wrong;
};

static void *write_along(void *arg)
{
    struct background *self = arg;
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    for (int64_t i = self->from; i < self->to && !self->wrong; i++)
        self->wrong = write_batch(self->store, i, &frame) != PT_OK;
    pt_frame_fini(&frame);
    return NULL;
}

static void test_a_backup_taken_while_writing_is_whole(void)
{
    char *path = kit_folder(), copy[300];
    struct pt_store *store = kit_open(path);
    struct background writer = { .store = store, .from = 0, .to = 50 };
    struct pt_err err;
    pthread_t thread;
    write_along(&writer);
    writer.from = 50;
    writer.to = 150;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_along, &writer), 0);
    snprintf(copy, sizeof copy, "%s-copy", path);
    enum pt_code rc = pt_store_backup(store, copy, &err);
    CU_ASSERT_EQUAL(rc, PT_OK);
    pthread_join(thread, NULL);
    CU_ASSERT_FALSE(writer.wrong);
    CU_ASSERT_EQUAL(pt_store_backup(store, copy, &kit_err), PT_EBUSY);

    struct pt_store *second = kit_open(copy);
    int64_t next = progress(second);
    CU_ASSERT_TRUE(next >= 50 && next <= 150);
    struct pt_verify sums;
    OK(pt_store_verify(second, NULL, NULL, &sums, &kit_err));
    writer = (struct background){ .store = second, .from = next, .to = next + 5 };
    write_along(&writer); /* and it can be lived in */
    CU_ASSERT_FALSE(writer.wrong);
    pt_store_close(second);
    kit_remove(copy);

    snprintf(copy, sizeof copy, "%s-copy.mdb", path); /* as a single file */
    OK(pt_store_backup(store, copy, &kit_err));
    CU_ASSERT_EQUAL(pt_store_backup(store, copy, &kit_err), PT_EBUSY);
    CU_ASSERT_EQUAL(unlink(copy), 0);
    CU_ASSERT_EQUAL(pt_store_backup(store, "/nowhere/at/all", &kit_err), PT_EIO);
    pt_store_close(store);
    kit_remove(path);
}

/* ---- sudden death ------------------------------------------------------------------------- */

/* The content that batches [0, n) leave behind when nothing goes wrong. */
static void undisturbed(int64_t n, struct pt_frame *frame)
{
    pt_frame_clear(frame);
    for (int64_t i = 0; i < n; i++) make_batch(i, frame);
    OK(pt_frame_sort(frame));
}

static void test_kill_9_loses_nothing_acknowledged(void)
{
    char *path = kit_folder();
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct pt_frame want, got;
    const char *rounds = getenv("PETROSA_KILLS");
    uint64_t seed = 42;
    int64_t last = -1;
    pt_frame_init(&want, pt_kind(PT_TRADES));
    pt_frame_init(&got, pt_kind(PT_TRADES));
    for (int round = 0; round < (rounds ? atoi(rounds) : 10); round++) {
        int out;
        pid_t pid = start("writer", path, "1000000", &out);
        int64_t stop = pt_mono_us() + 1000 + (int64_t)(kit_random(&seed) % 60000), acked;
        /* at least one commit, then death at a random moment */
        while (read(out, &acked, sizeof acked) == sizeof acked) {
            last = acked;
            if (pt_mono_us() >= stop) break;
        }
        kill(pid, SIGKILL);
        while (read(out, &acked, sizeof acked) == sizeof acked) last = acked;
        CU_ASSERT_EQUAL(finish(pid, out), -SIGKILL);

        struct pt_store *store = kit_open(path);
        struct pt_verify sums;
        OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
        int64_t next = progress(store);
        CU_ASSERT_TRUE(next > last);
        kit_read(store, &key, INT64_MIN, INT64_MAX, &got);
        undisturbed(next, &want);
        CU_ASSERT_TRUE(kit_same(&want, &got));
        pt_store_close(store);
    }
    pt_frame_fini(&want);
    pt_frame_fini(&got);
    kit_remove(path);
}

static CU_TestInfo tests[] = {
    { "a folder is made and opened again", test_a_folder_is_made_and_opened_again },
    { "one process opens a folder once", test_one_process_opens_a_folder_once },
    { "one daemon claims a folder", test_one_daemon_claims_a_folder },
    { "another version is refused by name", test_another_version_is_refused_by_name },
    { "what is no store is left alone", test_what_is_no_store_is_left_alone },
    { "a narrow address space gets a smaller map", test_a_narrow_address_space_gets_a_smaller_map },
    { "started programs inherit no file of the store",
      test_started_programs_inherit_no_file_of_the_store },
    { "too many readers are refused, and leave", test_too_many_readers_are_refused_and_leave },
    { "a full map is an error and no more", test_a_full_map_is_an_error_and_no_more },
    { "a full disk is an error and no more", test_a_full_disk_is_an_error_and_no_more },
    { "a file limit is an error and no more", test_a_file_limit_is_an_error_and_no_more },
    { "growth by another process is followed", test_growth_by_another_process_is_followed },
    { "damage is named and the rest stays readable",
      test_damage_is_named_and_the_rest_stays_readable },
    { "importing again heals a damaged chunk", test_importing_again_heals_a_chunk },
    { "a damaged chunk expires like any other", test_a_damaged_chunk_expires_like_any_other },
    { "a damaged series record hides no other", test_a_damaged_series_record_hides_no_other },
    { "a damaged document is named", test_a_damaged_document_is_named },
    { "readers see whole commits while others write",
      test_readers_see_whole_commits_while_others_write },
    { "two processes take turns to write", test_two_processes_take_turns_to_write },
    { "an ended snapshot pins nothing", test_an_ended_snapshot_pins_nothing },
    { "the snapshot of a killed reader is reaped", test_the_snapshot_of_a_killed_reader_is_reaped },
    { "a backup taken while writing is whole", test_a_backup_taken_while_writing_is_whole },
    { "kill -9 loses nothing acknowledged", test_kill_9_loses_nothing_acknowledged },
    CU_TEST_INFO_NULL
};

int main(int argc, char **argv)
{
    pt_log_set_level(PT_ERROR);
    if (argc < 4) return pt_suite_main("store/store", tests);
    if (strcmp(argv[1], "writer") == 0) return child_writer(argv[2], argv[3]);
    if (strcmp(argv[1], "claim") == 0) return child_claim(argv[2]);
    if (strcmp(argv[1], "reader") == 0) return child_reader(argv[2]);
    if (strcmp(argv[1], "narrow") == 0) return child_narrow(argv[2]);
    if (strcmp(argv[1], "limited") == 0) return child_limited(argv[2]);
    if (strcmp(argv[1], "small_disk") == 0) return child_small_disk(argv[2]);
    return 2;
}
