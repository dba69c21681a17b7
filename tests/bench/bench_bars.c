/* bench_bars - a window of bars that are not stored, built from 130,000 stored minutes: ns a
 * minute, beside SQLite grouping the same integers (WITHOUT ROWID), which gives no first and last
 * value and does not look for holes. Then the same where the number of digits varies from value to
 * value, and what it costs to learn where the newest bar ends. */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "store/bars.h"

#include <dirent.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 130000
#define ROUNDS 15
#define T0 INT64_C(1735689600000000)

static struct pt_err err;
static char folder[200];

static void must(enum pt_code rc)
{
    if (rc == PT_OK) return;
    fprintf(stderr, "bench_bars: %s\n", err.text);
    exit(1);
}

static void must_sql(int rc, sqlite3 *db)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW) return;
    fprintf(stderr, "bench_bars: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A decimal as a program prints it that knows no trailing zeros. */
static void strip(int64_t *value, uint8_t *digits)
{
    while (*digits > 0 && *value % 10 == 0) {
        *value /= 10;
        --*digits;
    }
}

static void make_minutes(struct pt_frame *frame, bool stripped)
{
    uint64_t seed = 1;
    int64_t price = 9350000;
    must(pt_frame_reserve(frame, ROWS));
    for (int64_t i = 0; i < ROWS; i++) {
        uint64_t r = next(&seed);
        int64_t close = price + (int64_t)(r & 127) - 63 + (9350000 - price) / 100000;
        int64_t volume = (int64_t)(r >> 8) % 10000000 + 1;
        int64_t val[] = { T0 + i * PT_US_MIN,
                          price,
                          (price > close ? price : close) + 9,
                          (price < close ? price : close) - 9,
                          close,
                          volume,
                          volume * price,
                          i % 99,
                          volume / 2,
                          volume / 2 * price,
                          1 };
        uint8_t dig[] = { 0, 2, 2, 2, 2, 3, 5, 0, 3, 5, 0 };
        for (unsigned c = PT_C_OPEN; c < PT_C_CLOSED && stripped; c++) strip(&val[c], &dig[c]);
        must(pt_frame_push(frame, val, dig));
        price = close;
    }
}

static void write_minutes(struct pt_store *store, const char *symbol, const struct pt_frame *all)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = PT_US_MIN };
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    struct pt_write *write;
    snprintf(key.symbol, sizeof key.symbol, "%s", symbol);
    must(pt_write_begin(store, &write, &err));
    must(pt_write_rows(write, &key, all, PT_PUT_CORRECT, &stats, &err));
    must(pt_write_commit(write, &err));
}

static sqlite3 *fill_sqlite(const struct pt_frame *all)
{
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *put;
    snprintf(path, sizeof path, "%s/peer.db", folder);
    must_sql(sqlite3_open(path, &db), db);
    must_sql(sqlite3_exec(db,
                          "CREATE TABLE m (t INTEGER PRIMARY KEY, o INTEGER, h INTEGER, l INTEGER,"
                          " c INTEGER, v INTEGER, q INTEGER, n INTEGER, tv INTEGER, tq INTEGER,"
                          " closed INTEGER) WITHOUT ROWID; BEGIN",
                          NULL, NULL, NULL),
             db);
    must_sql(sqlite3_prepare_v2(db, "INSERT INTO m VALUES (?,?,?,?,?,?,?,?,?,?,?)", -1, &put, NULL),
             db);
    for (size_t i = 0; i < all->n; i++) {
        for (unsigned c = 0; c < all->kind->ncols; c++)
            sqlite3_bind_int64(put, (int)c + 1, all->val[c][i]);
        must_sql(sqlite3_step(put), db);
        sqlite3_reset(put);
    }
    sqlite3_finalize(put);
    must_sql(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
    return db;
}

/* Wall time of one window in ns; what is compared with the peer: the bars, and the sum of a column.
 */
static double ours(struct pt_store *store, const char *symbol, int64_t period_us, uint32_t cols,
                   unsigned col, size_t *bars, int64_t *sum)
{
    struct pt_frame frame;
    struct pt_read *read;
    int64_t start = pt_mono_ns();
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    must(pt_read_begin(store, &read, &err));
    must(pt_bars_read(read, symbol, period_us, INT64_MIN, INT64_MAX, cols, &frame, NULL, &err));
    pt_read_end(read);
    double ns = (double)(pt_mono_ns() - start);
    *bars = frame.n;
    *sum = 0;
    for (size_t i = 0; i < frame.n; i++) *sum += frame.val[col][i];
    pt_frame_fini(&frame);
    return ns;
}

static double peer(sqlite3 *db, int64_t period_us, bool all, size_t *bars, int64_t *sum)
{
    static const char *const sql[] = {
        "SELECT max(t), c FROM m GROUP BY t / ?1 HAVING count(*) = ?2",
        "SELECT t, sum(v), max(h), min(l), sum(q), sum(n), sum(tv), sum(tq) FROM m"
        " GROUP BY t / ?1 HAVING count(*) = ?2",
    };
    sqlite3_stmt *get;
    int rc;
    int64_t start = pt_mono_ns();
    *bars = 0;
    *sum = 0;
    must_sql(sqlite3_prepare_v2(db, sql[all], -1, &get, NULL), db);
    sqlite3_bind_int64(get, 1, period_us);
    sqlite3_bind_int64(get, 2, period_us / PT_US_MIN);
    while ((rc = sqlite3_step(get)) == SQLITE_ROW) {
        ++*bars;
        *sum += sqlite3_column_int64(get, 1);
    }
    must_sql(rc, db);
    sqlite3_finalize(get);
    return (double)(pt_mono_ns() - start);
}

static void bench_window(struct pt_store *store, sqlite3 *db, const char *name, int64_t period_us,
                         bool all)
{
    double best = 1e18, peer_best = 1e18, loose = 1e18;
    size_t bars = 0, peer_bars = 0, loose_bars;
    int64_t sum = 0, peer_sum = 0, loose_sum;
    uint32_t cols = all ? 0 : 1u << PT_C_CLOSE;
    unsigned col = all ? PT_C_VOLUME : PT_C_CLOSE;
    for (int i = 0; i < ROUNDS; i++) {
        double t = ours(store, "BTCUSDT", period_us, cols, col, &bars, &sum);
        if (t < best) best = t;
        t = ours(store, "ETHUSDT", period_us, cols, col, &loose_bars, &loose_sum);
        if (t < loose) loose = t;
        if (i > 2) continue;
        t = peer(db, period_us, all, &peer_bars, &peer_sum);
        if (t < peer_best) peer_best = t;
    }
    if (bars != peer_bars || sum != peer_sum) {
        fprintf(stderr, "bench_bars: %zu bars, %" PRId64 "; SQLite has %zu, %" PRId64 "\n", bars,
                sum, peer_bars, peer_sum);
        exit(1);
    }
    printf("%-34s %10.2f %10.2f %8.3fx  ns/minute\n", name, best / ROWS, peer_best / ROWS,
           best / peer_best);
    printf("%-34s %10.2f\n", "  the same, digits that vary", loose / ROWS);
    fflush(stdout);
}

static void bench_last(struct pt_store *store, const char *name, int64_t period_us)
{
    enum { CALLS = 200 };
    struct pt_bars_source source;
    struct pt_read *read;
    int64_t close_us = 0, start = pt_mono_ns();
    for (int i = 0; i < CALLS; i++) {
        must(pt_read_begin(store, &read, &err));
        must(pt_bars_last_close(read, "BTCUSDT", period_us, INT64_MAX, &close_us, &err));
        pt_read_end(read);
    }
    double ns = (double)(pt_mono_ns() - start) / CALLS;
    start = pt_mono_ns();
    for (int i = 0; i < CALLS; i++) {
        must(pt_read_begin(store, &read, &err));
        must(pt_bars_source(read, "BTCUSDT", period_us, &source, &err));
        pt_read_end(read);
    }
    if (close_us != pt_period_floor(period_us, T0 + ROWS * PT_US_MIN)) exit(1);
    printf("%-34s %10.2f us, its source %.2f us\n", name, ns / 1e3,
           (double)(pt_mono_ns() - start) / CALLS / 1e3);
}

static void remove_folder(void)
{
    char name[600];
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.') unlink(name);
    }
    if (dir) closedir(dir);
    rmdir(folder);
}

int main(void)
{
    struct pt_store *store;
    struct pt_frame all;
    struct pt_store_opts opts = { .path = folder };
    snprintf(folder, sizeof folder, "%s/pt-bench-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(folder)) return 1;
    must(pt_store_open(&opts, &store, &err));
    pt_frame_init(&all, pt_kind(PT_CANDLES));
    make_minutes(&all, true);
    write_minutes(store, "ETHUSDT", &all);
    pt_frame_clear(&all);
    make_minutes(&all, false);
    write_minutes(store, "BTCUSDT", &all);
    sqlite3 *db = fill_sqlite(&all);

    printf("%-34s %10s %10s %9s  unit\n", "", "ours", "SQLite", "ratio");
    bench_window(store, db, "minutes to 5m, all columns", 5 * PT_US_MIN, true);
    bench_window(store, db, "minutes to 1h, all columns", PT_US_HOUR, true);
    bench_window(store, db, "minutes to 1d, all columns", PT_US_DAY, true);
    bench_window(store, db, "minutes to 1h, close", PT_US_HOUR, false);
    bench_window(store, db, "minutes to 1d, close", PT_US_DAY, false);
    bench_last(store, "end of the newest 1m bar", PT_US_MIN);
    bench_last(store, "end of the newest 1h bar", PT_US_HOUR);
    bench_last(store, "end of the newest 1d bar", PT_US_DAY);
    bench_last(store, "end of the newest 1w bar", PT_US_WEEK);
    sqlite3_close(db);
    pt_store_close(store);
    pt_frame_fini(&all);
    remove_folder();
    return 0;
}
