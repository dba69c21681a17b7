/* test_store.c - the environment: opening, claiming, refusing, copying. */
#include "child.h"
#include "raw.h"

#include "base/log.h"
#include "store/sum.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

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

static void test_a_reader_makes_nothing(void)
{
    char *path = kit_folder(), file[300];
    struct pt_store_opts opts = { .path = path, .readonly = true };
    struct pt_store *store;
    struct stat st;
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "holds no store"));
    snprintf(file, sizeof file, "%s/data.mdb", path);
    FILE *out = fopen(file, "w"); /* killed before its first page was written */
    if (!out) abort();
    fclose(out);
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "holds no store"));
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    CU_ASSERT_NOT_EQUAL(stat(file, &st), 0);
    pt_store_close(kit_open(path)); /* a writer finishes the making */
    kit_remove(path);
}

static void test_a_file_that_was_deleted_takes_nothing_more(void)
{
    char *path = kit_folder(), file[300];
    struct pt_store *store = kit_open(path);
    struct pt_write *write = NULL;
    struct pt_read *read = NULL;
    OK(pt_write_begin(store, &write, &kit_err));
    pt_write_abort(write);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (unlink(file) != 0) abort();
    CU_ASSERT_EQUAL(pt_write_begin(store, &write, &kit_err), PT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "deleted"));
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, path));
    CU_ASSERT_PTR_NULL(write);
    OK(pt_read_begin(store, &read, &kit_err)); /* what is there can still be read */
    pt_read_end(read);
    pt_store_close(store);
    kit_remove(path);
}

static void test_a_lock_file_that_cannot_be_written_is_named(void)
{
    char *path = kit_folder(), file[300];
    struct pt_store_opts opts = { .path = path, .readonly = true };
    struct pt_store *store;
    bool root = geteuid() == 0; /* to whom no file is closed */
    pt_store_close(kit_open(path));
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (chmod(path, 0755) != 0 || chmod(file, 0644) != 0) abort();
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    if (chmod(file, 0444) != 0) abort();
    if (root && seteuid(65534) != 0) abort();
    enum pt_code rc = pt_store_open(&opts, &store, &kit_err);
    if (root && seteuid(0) != 0) abort();
    CU_ASSERT_EQUAL(rc, PT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "lock.mdb"));
    kit_remove(path);
}

static void test_an_empty_path_is_refused(void)
{
    struct pt_store *store;
    for (int readonly = 0; readonly < 2; readonly++) {
        struct pt_store_opts opts = { .path = "", .readonly = readonly };
        CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EINVAL);
        CU_ASSERT_PTR_NULL(store);
        CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "empty"));
    }
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

/* As version 1 of the store wrote them: without the last two members. */
static void shorten_records(MDB_cursor *cursor)
{
    MDB_val key, value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        uint8_t old[512], name[512]; /* both lie where the new one will be put */
        size_t n = value.mv_size - 2 * sizeof(uint64_t);
        CU_ASSERT_FATAL(n <= sizeof old && key.mv_size <= sizeof name);
        memcpy(old, value.mv_data, n);
        memcpy(name, key.mv_data, key.mv_size);
        key.mv_data = name;
        uint64_t sum = pt_sum(old + sizeof sum, n - sizeof sum);
        memcpy(old, &sum, sizeof sum);
        value = (MDB_val){ n, old };
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, MDB_CURRENT), 0);
    }
}

static void set_version_1(MDB_cursor *cursor)
{
    uint32_t version = 1;
    MDB_val key = { 7, (void *)(size_t) "version" }, value = { sizeof version, &version };
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_put(cursor, &key, &value, 0), 0);
}

static uint32_t found_version;

static void get_version(MDB_cursor *cursor)
{
    MDB_val key = { 7, (void *)(size_t) "version" }, value;
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_get(cursor, &key, &value, MDB_SET), 0);
    memcpy(&found_version, value.mv_data, sizeof found_version);
}

static struct pt_series series_of(struct pt_store *store, const struct pt_series_key *key)
{
    struct pt_read *read;
    struct pt_series series;
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_series_find(read, key, &series, &kit_err));
    pt_read_end(read);
    return series;
}

/* Two series of 3000 trades each, as version 1 left them. The series of `key` as it was before. */
static struct pt_series first_version(const char *path, const struct pt_series_key *key)
{
    struct pt_series_key other = kit_key(PT_TRADES, "ETHUSDT", 0);
    struct pt_frame rows;
    pt_frame_init(&rows, pt_kind(PT_TRADES));
    for (int i = 0; i < 3000; i++) kit_push(&rows, T0 + i * PT_US_SEC, i, (uint64_t)i);
    struct pt_store *store = kit_open(path);
    kit_write(store, key, &rows, PT_PUT_CORRECT);
    kit_write(store, &other, &rows, PT_PUT_CORRECT);
    struct pt_series was = series_of(store, key);
    pt_store_close(store);
    pt_frame_fini(&rows);
    raw(path, "series", shorten_records);
    raw(path, "meta", set_version_1);
    return was;
}

static uint32_t version_of(const char *path)
{
    raw(path, "meta", get_version);
    return found_version;
}

static void write_one(struct pt_store *store, const struct pt_series_key *key)
{
    struct pt_frame rows;
    pt_frame_init(&rows, pt_kind(PT_TRADES));
    kit_push(&rows, T0 - PT_US_SEC, 7, 7);
    kit_write(store, key, &rows, PT_PUT_CORRECT);
    pt_frame_fini(&rows);
}

static void test_a_store_of_version_1_is_read_and_carried_on(void)
{
    char *path = kit_folder();
    struct pt_store_opts opts = { .path = path, .readonly = true };
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct pt_series_key other = kit_key(PT_TRADES, "ETHUSDT", 0);
    struct pt_series was = first_version(path, &key);
    struct pt_store *store;
    struct pt_verify sums;
    OK(pt_store_open(&opts, &store, &kit_err)); /* who only reads changes nothing */
    struct pt_series same = series_of(store, &key);
    CU_ASSERT_EQUAL(same.corrected, was.version); /* not known */
    same.corrected = was.corrected;
    CU_ASSERT_EQUAL(memcmp(&was, &same, sizeof was), 0);
    pt_store_close(store);
    CU_ASSERT_EQUAL(version_of(path), 1);

    store = kit_open(path);
    write_one(store, &key);
    CU_ASSERT_EQUAL(series_of(store, &key).corrected, was.version + 1);
    CU_ASSERT_EQUAL(series_of(store, &key).rows, 3001);
    CU_ASSERT_EQUAL(series_of(store, &other).rows, 3000); /* its record is still a short one */
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    CU_ASSERT_EQUAL(sums.rows, 6001);
    pt_store_close(store);
    CU_ASSERT_EQUAL(version_of(path), PT_STORE_VERSION);
    kit_remove(path);
}

static void test_what_a_daemon_of_before_serves_is_not_written(void)
{
    char *path = kit_folder(), file[300];
    struct pt_store_opts opts = { .path = path };
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct pt_store *store;
    first_version(path, &key);
    snprintf(file, sizeof file, "%s/daemon.lock", path);
    int fd = open(file, O_RDWR | O_CREAT, 0640);
    CU_ASSERT_FATAL(fd >= 0 && flock(fd, LOCK_EX) == 0 && pwrite(fd, "4711\n", 5, 0) == 5);
    CU_ASSERT_EQUAL(pt_store_open(&opts, &store, &kit_err), PT_EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "process 4711"));
    opts.readonly = true;
    OK(pt_store_open(&opts, &store, &kit_err));
    CU_ASSERT_EQUAL(series_of(store, &key).rows, 3000);
    pt_store_close(store);
    CU_ASSERT_EQUAL(version_of(path), 1);
    CU_ASSERT_FATAL(pwrite(fd, "4711 2\n", 7, 0) == 7); /* one of now, that has had no room yet */
    store = kit_open(path);
    CU_ASSERT_EQUAL(pt_store_claim(store, &kit_err), PT_EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_err.text, "process 4711"));
    CU_ASSERT_EQUAL(version_of(path), PT_STORE_VERSION);
    close(fd);
    OK(pt_store_claim(store, &kit_err));
    pt_store_close(store);
    kit_remove(path);
}

static void test_a_store_of_version_1_without_room_is_read(void)
{
    char *path = kit_folder();
    struct pt_series_key key = kit_key(PT_TRADES, "BTCUSDT", 0);
    struct rlimit limit, was;
    first_version(path, &key);
    CU_ASSERT_FATAL(getrlimit(RLIMIT_FSIZE, &was) == 0);
    limit = was;
    limit.rlim_cur = 1;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct pt_store *store = kit_open(path);
    CU_ASSERT_EQUAL(series_of(store, &key).rows, 3000);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, before);
    write_one(store, &key); /* there is room: what is written says by which version */
    pt_store_close(store);
    CU_ASSERT_EQUAL(version_of(path), PT_STORE_VERSION);
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
#ifdef SANITIZED
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

static CU_TestInfo tests[] = {
    { "a folder is made and opened again", test_a_folder_is_made_and_opened_again },
    { "a reader makes nothing", test_a_reader_makes_nothing },
    { "a file that was deleted takes nothing more",
      test_a_file_that_was_deleted_takes_nothing_more },
    { "a lock file that cannot be written is named",
      test_a_lock_file_that_cannot_be_written_is_named },
    { "an empty path is refused", test_an_empty_path_is_refused },
    { "one process opens a folder once", test_one_process_opens_a_folder_once },
    { "one daemon claims a folder", test_one_daemon_claims_a_folder },
    { "another version is refused by name", test_another_version_is_refused_by_name },
    { "a store of version 1 is read and carried on",
      test_a_store_of_version_1_is_read_and_carried_on },
    { "what a daemon of before serves is not written",
      test_what_a_daemon_of_before_serves_is_not_written },
    { "a store of version 1 without room is read", test_a_store_of_version_1_without_room_is_read },
    { "what is no store is left alone", test_what_is_no_store_is_left_alone },
    { "a narrow address space gets a smaller map", test_a_narrow_address_space_gets_a_smaller_map },
    { "started programs inherit no file of the store",
      test_started_programs_inherit_no_file_of_the_store },
    { "too many readers are refused, and leave", test_too_many_readers_are_refused_and_leave },
    { "a backup taken while writing is whole", test_a_backup_taken_while_writing_is_whole },
    CU_TEST_INFO_NULL
};

int main(int argc, char **argv)
{
    pt_log_set_level(PT_ERROR);
    if (argc < 4) return pt_suite_main("store/store", tests);
    if (strcmp(argv[1], "claim") == 0) return child_claim(argv[2]);
    if (strcmp(argv[1], "narrow") == 0) return child_narrow(argv[2]);
    return 2;
}
