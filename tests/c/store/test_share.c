/* test_share.c - many readers, several writing processes, sudden death. */
#include "child.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>

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
    { "growth by another process is followed", test_growth_by_another_process_is_followed },
    { "readers see whole commits while others write",
      test_readers_see_whole_commits_while_others_write },
    { "two processes take turns to write", test_two_processes_take_turns_to_write },
    { "an ended snapshot pins nothing", test_an_ended_snapshot_pins_nothing },
    { "the snapshot of a killed reader is reaped", test_the_snapshot_of_a_killed_reader_is_reaped },
    { "kill -9 loses nothing acknowledged", test_kill_9_loses_nothing_acknowledged },
    CU_TEST_INFO_NULL
};

int main(int argc, char **argv)
{
    pt_log_set_level(PT_ERROR);
    if (argc < 4) return pt_suite_main("store/share", tests);
    if (strcmp(argv[1], "writer") == 0) return child_writer(argv[2], argv[3]);
    if (strcmp(argv[1], "reader") == 0) return child_reader(argv[2]);
    return 2;
}
