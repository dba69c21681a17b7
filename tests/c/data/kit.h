/* kit.h - what the data suites share: scratch files, reading a file whole, rows as text. */
#ifndef PT_DATA_KIT_H
#define PT_DATA_KIT_H

#include "base/buf.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/dump.h"
#include "data/reader.h"
#include "suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define H1 (3600 * PT_US_SEC)
#define KIT_NOW INT64_C(1893456000000000) /* 2030: all bars of the test files are closed */

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

/* A scratch folder of this process, removed at exit. */
static char kit_dir[256];
static inline void kit_remove(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", kit_dir);
    if (system(command) != 0) printf("cannot remove %s\n", kit_dir);
}

static inline const char *kit_path(const char *name)
{
    static char path[512];
    if (!kit_dir[0]) {
        const char *tmp = getenv("TMPDIR");
        snprintf(kit_dir, sizeof kit_dir, "%s/pt-data-XXXXXX", tmp ? tmp : "/tmp");
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(kit_dir));
        atexit(kit_remove);
    }
    snprintf(path, sizeof path, "%s/%s", kit_dir, name);
    return path;
}

static inline const char *kit_write(const char *name, const void *bytes, size_t len)
{
    const char *path = kit_path(name);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, len, file), len);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
    return path;
}

static inline const char *kit_text(const char *name, const char *text)
{
    return kit_write(name, text, strlen(text));
}

/* A file of the real data; NULL (and the test is skipped) where there is none. */
static inline const char *kit_data(const char *name)
{
    static char path[1024];
    const char *dir = getenv("PETROSA_DATA_DIR"), *source = getenv("PETROSA_SOURCE");
    if (dir)
        snprintf(path, sizeof path, "%s/%s", dir, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", name);
    if (access(path, R_OK) == 0) return path;
    pt_skip("no market data: set PETROSA_DATA_DIR");
    return NULL;
}

/* The bytes of a file, inflated when it is packed. */
static inline void kit_slurp(const char *path, struct pt_buf *out)
{
    char block[65536];
    int n;
    gzFile file = gzopen(path, "rb"); /* reads plain files too */
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while ((n = gzread(file, block, sizeof block)) > 0) pt_buf_add(out, block, (size_t)n);
    CU_ASSERT_EQUAL_FATAL(n, 0);
    gzclose(file);
}

/* ---- a file read whole ---- */

#define KIT_SERIES 16
#define KIT_REJECTS 64
struct kit_file {
    enum pt_code rc; /* of open, else of the last next */
    struct pt_err err;
    struct pt_read_stats stats;
    size_t nseries, batches, most; /* most: rows of the longest batch */
    struct pt_batch series[KIT_SERIES];
    size_t nrejects; /* all; the first are kept */
    struct {
        uint64_t line;
        const char *reason;
        char text[201];
    } rejects[KIT_REJECTS];
};

static inline void kit_reject(void *arg, uint64_t line, const char *reason, const char *text,
                              size_t len)
{
    struct kit_file *file = arg;
    CU_ASSERT_FATAL(len <= 200);
    if (file->nrejects < KIT_REJECTS) {
        file->rejects[file->nrejects].line = line;
        file->rejects[file->nrejects].reason = reason;
        memcpy(file->rejects[file->nrejects].text, text, len);
        file->rejects[file->nrejects].text[len] = '\0';
    }
    file->nrejects++;
}

static inline struct pt_frame *kit_series(struct kit_file *file, const struct pt_series_key *key)
{
    for (size_t i = 0; i < file->nseries; i++) {
        if (memcmp(&file->series[i].key, key, sizeof *key) == 0) return &file->series[i].frame;
    }
    CU_ASSERT_FATAL(file->nseries < KIT_SERIES);
    struct pt_batch *series = &file->series[file->nseries++];
    series->key = *key;
    pt_frame_init(&series->frame, pt_kind(key->kind));
    return &series->frame;
}

static inline void kit_read_hinted(struct kit_file *file, const char *path,
                                   const struct pt_read_hint *hint)
{
    struct pt_reader *reader;
    struct pt_batch *batch;
    memset(file, 0, sizeof *file);
    file->rc = pt_reader_open(path, hint, kit_reject, file, &reader, &file->err);
    if (file->rc != PT_OK) {
        CU_ASSERT_PTR_NULL(reader);
        return;
    }
    while ((file->rc = pt_reader_next(reader, &batch, &file->err)) == PT_OK && batch) {
        struct pt_frame *frame = kit_series(file, &batch->key);
        CU_ASSERT(batch->frame.n > 0 && batch->frame.n <= 65536);
        if (batch->frame.n > file->most) file->most = batch->frame.n;
        file->batches++;
        OK(pt_frame_append(frame, &batch->frame, 0, batch->frame.n));
    }
    pt_reader_stats(reader, &file->stats);
    pt_reader_close(reader);
    uint64_t rows = 0;
    for (size_t i = 0; i < file->nseries; i++) rows += file->series[i].frame.n;
    CU_ASSERT_EQUAL(rows, file->stats.rows);
    CU_ASSERT_EQUAL(file->nrejects, file->stats.rejected);
}

static inline void kit_read(struct kit_file *file, const char *path)
{
    struct pt_read_hint hint = { .kind = -1, .now_us = KIT_NOW };
    kit_read_hinted(file, path, &hint);
    if (file->rc != PT_OK) printf("\n  %s\n", file->err.text);
}

static inline void kit_done(struct kit_file *file)
{
    for (size_t i = 0; i < file->nseries; i++) pt_frame_fini(&file->series[i].frame);
}

/* The series with this public name, NULL when the file had none. */
static inline struct pt_frame *kit_frame(struct kit_file *file, const char *name)
{
    char text[PT_SERIES_TEXT_MAX];
    for (size_t i = 0; i < file->nseries; i++) {
        pt_series_print(&file->series[i].key, text);
        if (strcmp(text, name) == 0) return &file->series[i].frame;
    }
    return NULL;
}

/* Row i as the export writes it, without the newline. Static buffer. */
static inline const char *kit_row(const struct pt_frame *frame, size_t i)
{
    static char text[8192];
    struct pt_buf out = { .data = NULL };
    pt_dump_csv(frame, i, 1, &out);
    CU_ASSERT_FATAL(!out.failed && out.len > 0 && out.len < sizeof text);
    memcpy(text, out.data, out.len - 1);
    text[out.len - 1] = '\0';
    pt_buf_fini(&out);
    return text;
}

/* One cell as text; "" when it is missing. Static buffer. */
static inline const char *kit_cell(const struct pt_frame *frame, unsigned col, size_t i)
{
    static char text[PT_DEC_TEXT_MAX];
    if (frame->dig[col])
        pt_dec_print(frame->val[col][i], frame->dig[col][i], text);
    else if (frame->val[col][i] == PT_MISSING)
        text[0] = '\0';
    else
        snprintf(text, sizeof text, "%" PRId64, frame->val[col][i]);
    return text;
}

#endif
