/* test_full.c - no room left: in the map, on the disk, in what the process may use of it. */
#include "child.h"

#include "base/log.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

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

/* A disk of 4 MB in a mount namespace of its own, which goes with the child. */
static int child_small_disk(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0) return CHILD_SKIP;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return CHILD_SKIP;
    if (mount("tmpfs", folder, "tmpfs", 0, "size=4m") != 0) return CHILD_SKIP;
    return child_fill(folder, bigger_disk);
}

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

static CU_TestInfo tests[] = {
    { "a full map is an error and no more", test_a_full_map_is_an_error_and_no_more },
    { "a full disk is an error and no more", test_a_full_disk_is_an_error_and_no_more },
    { "a file limit is an error and no more", test_a_file_limit_is_an_error_and_no_more },
    CU_TEST_INFO_NULL
};

int main(int argc, char **argv)
{
    pt_log_set_level(PT_ERROR);
    if (argc < 4) return pt_suite_main("store/full", tests);
    if (strcmp(argv[1], "limited") == 0) return child_limited(argv[2]);
    if (strcmp(argv[1], "small_disk") == 0) return child_small_disk(argv[2]);
    return 2;
}
