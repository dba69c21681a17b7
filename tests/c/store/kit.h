/* kit.h - what the store's suites share: a scratch folder, rows, seeded randomness. */
#ifndef PT_STORE_KIT_H
#define PT_STORE_KIT_H

#include "base/decimal.h"
#include "base/timefmt.h"
#include "store/store.h"
#include "suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0 INT64_C(1735689600000000) /* 2025-01-01 */

static struct pt_err kit_err;

/* Code that must be PT_OK; prints what went wrong. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        enum pt_code ok_ = (call);                                                                 \
        if (ok_ != PT_OK) printf("\n  %s:%d: %s\n", __FILE__, __LINE__, kit_err.text);             \
        CU_ASSERT_EQUAL_FATAL(ok_, PT_OK);                                                         \
    } while (0)

static inline uint64_t kit_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A new folder under $TMPDIR; NULL-free, fatal on failure. */
static inline char *kit_folder(void)
{
    static char path[256];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/pt-store-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path)) abort();
    return path;
}

/* Removes a folder that holds files only. */
static inline void kit_remove(const char *path)
{
    char name[600];
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.') unlink(name);
    }
    closedir(dir);
    rmdir(path);
}

static inline struct pt_store *kit_open(const char *path)
{
    struct pt_store_opts opts = { .path = path, .max_bytes = UINT64_C(1) << 30 };
    struct pt_store *store = NULL;
    OK(pt_store_open(&opts, &store, &kit_err));
    return store;
}

static inline struct pt_series_key kit_key(enum pt_kind_id kind, const char *symbol,
                                           int64_t period_us)
{
    struct pt_series_key key = { .kind = kind, .period_us = period_us };
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    return key;
}

/* A row of any kind at (time, second) whose other cells follow from `seed`: prices with mixed
 * digits, now and then a missing value where the kind allows one. */
static inline void kit_push(struct pt_frame *frame, int64_t time_us, int64_t second, uint64_t seed)
{
    const struct pt_kind *kind = frame->kind;
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX] = { 0 };
    size_t cell = 0;
    int64_t closed = seed % 4 != 0;
    for (unsigned c = 0; c < kind->ncols; c++) {
        for (unsigned w = 0; w < kind->cols[c].width; w++, cell++) {
            uint64_t r = kit_random(&seed);
            if (c == 0)
                val[cell] = time_us;
            else if (c < kind->keys)
                val[cell] = second;
            else if (kind->cols[c].type == PT_TYPE_BOOL)
                val[cell] = closed;
            else if (kind->cols[c].type == PT_TYPE_ENUM)
                val[cell] = (int64_t)(r & 1);
            else if (!kind->cols[c].required && r % 11 == 0)
                val[cell] = PT_MISSING;
            else
                val[cell] = (int64_t)(r >> 44) + 1;
            if (kind->cols[c].type == PT_TYPE_DEC)
                dig[cell] = r % 7 == 0 ? pt_digits(1, 2) : pt_digits(2 + (c & 1), 0);
        }
    }
    if (pt_frame_push(frame, val, dig) != PT_OK) abort();
}

static inline struct pt_put_stats kit_write(struct pt_store *store, const struct pt_series_key *key,
                                            const struct pt_frame *frame, enum pt_put_mode mode)
{
    struct pt_write *write;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    OK(pt_write_begin(store, &write, &kit_err));
    enum pt_code rc = pt_write_rows(write, key, frame, mode, &stats, &kit_err);
    if (rc != PT_OK) pt_write_abort(write);
    OK(rc);
    OK(pt_write_commit(write, &kit_err));
    return stats;
}

/* Rows of [from, to) into a cleared frame. */
static inline void kit_read(struct pt_store *store, const struct pt_series_key *key,
                            int64_t from_us, int64_t to_us, struct pt_frame *frame)
{
    struct pt_read *read;
    pt_frame_clear(frame);
    OK(pt_read_begin(store, &read, &kit_err));
    enum pt_code rc = pt_series_read(read, key, from_us, to_us, 0, frame, &kit_err);
    pt_read_end(read);
    OK(rc);
}

static inline bool kit_same(const struct pt_frame *a, const struct pt_frame *b)
{
    if (a->n != b->n) printf("\n  %zu rows, not %zu\n", a->n, b->n);
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        if (pt_frame_same(a, i, b, i)) continue;
        printf("\n  row %zu differs\n", i);
        return false;
    }
    return true;
}

#endif
