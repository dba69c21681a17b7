/* fuzz_reader - a file of any bytes, plain or packed. Rows must be good ones, and the lines must
 * add up; what was read is written out and read again, and must be the same. The first byte chooses
 * the hints. */
#include "data/dump.h"
#include "data/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t rejects;

static void reject(void *arg, uint64_t line, const char *reason, const char *text, size_t len)
{
    (void)arg;
    if (line == 0 || strlen(reason) == 0 || len > 200) abort();
    for (size_t i = 0; i < len; i++) {
        static volatile char sink;
        sink = text[i]; /* all of it is readable */
        (void)sink;
    }
    rejects++;
}

static struct pt_reader *open_bytes(int fd, const void *bytes, size_t size,
                                    const struct pt_read_hint *hint)
{
    char path[64];
    struct pt_reader *reader;
    struct pt_err err;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rejects = 0;
    return pt_reader_open(path, hint, reject, NULL, &reader, &err) == PT_OK ? reader : NULL;
}

/* export, import, compare */
static void round_trip(int fd, const struct pt_batch *batch)
{
    struct pt_buf text = { .data = NULL };
    pt_dump_csv_header(batch->frame.kind, &text);
    pt_dump_csv(&batch->frame, 0, batch->frame.n, &text);
    if (text.failed) abort();
    struct pt_read_hint hint = { .symbol = batch->key.symbol,
                                 .period_us = batch->key.period_us,
                                 .kind = (int)batch->key.kind };
    struct pt_reader *reader = open_bytes(fd, text.data, text.len, &hint);
    struct pt_batch *again;
    struct pt_err err;
    if (!reader || pt_reader_next(reader, &again, &err) != PT_OK || !again || rejects > 0) abort();
    if (again->frame.n != batch->frame.n ||
        memcmp(&again->key, &batch->key, sizeof again->key) != 0)
        abort();
    for (size_t i = 0; i < again->frame.n; i++) {
        if (!pt_frame_same(&again->frame, i, &batch->frame, i)) abort();
    }
    pt_reader_close(reader);
    pt_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1, second = -1;
    if (fd < 0) fd = memfd_create("fuzz", 0);
    if (second < 0) second = memfd_create("again", 0);
    if (fd < 0 || second < 0) abort();
    if (size < 1) return 0;
    struct pt_read_hint hint = { .kind = -1,
                                 .now_us = INT64_C(1700000000000000),
                                 .max_inflated = 4u << 20 };
    if (data[0] & 1) hint.symbol = "BTCUSDT";
    if (data[0] & 2) hint.period_us = INT64_C(3600000000);
    if (data[0] & 4) hint.kind = data[0] >> 4 & 3;

    struct pt_reader *reader = open_bytes(fd, data + 1, size - 1, &hint);
    if (!reader) return 0;
    struct pt_batch *batch;
    struct pt_err err;
    uint64_t rows = 0;
    while (pt_reader_next(reader, &batch, &err) == PT_OK && batch) {
        uint64_t seen = rejects;
        if (batch->frame.n == 0 || batch->frame.kind != pt_kind(batch->key.kind)) abort();
        for (size_t i = 0; i < batch->frame.n; i++) {
            if (pt_frame_check(&batch->frame, i, batch->key.period_us)) abort();
        }
        rows += batch->frame.n;
        round_trip(second, batch);
        if (pt_frame_sort(&batch->frame) != PT_OK) abort();
        rejects = seen;
    }
    struct pt_read_stats stats;
    pt_reader_stats(reader, &stats);
    if (stats.rows != rows || stats.rejected != rejects) abort();
    pt_reader_close(reader);
    return 0;
}
