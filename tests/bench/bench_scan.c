/* bench_scan - trades written and scanned, sum(price * quantity), beside SQLite rows (WITHOUT
 * ROWID) in the same run; then the live pattern: 500 series, one candle each a commit; and what a
 * snapshot costs. Trades as they come from the exchange: some a second, prices that walk,
 * quantities of 5 digits. */
#include "base/clock.h"
#include "base/decimal.h"
#include "store/store.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 65536
#define ROUNDS 7
#define LIVE_SERIES 500
#define LIVE_COMMITS 200
#define T0 INT64_C(1735689600000000)

static struct pt_err err;
static char folder[200];

static void must(enum pt_code rc)
{
    if (rc == PT_OK) return;
    fprintf(stderr, "bench_scan: %s\n", err.text);
    exit(1);
}

static void must_sql(int rc, sqlite3 *db)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW) return;
    fprintf(stderr, "bench_scan: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void make_trades(struct pt_frame *frame, size_t n)
{
    uint64_t seed = 1;
    int64_t t = T0, price = 9350000;
    must(pt_frame_reserve(frame, n));
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next(&seed);
        t += (int64_t)(r % 200) * 1000;
        price += (int64_t)(r >> 8 & 63) - 31 + (9350000 - price) / 100000;
        int64_t val[] = { t, (int64_t)(3000000000 + i), price, (int64_t)(r >> 20) % 200000 + 1,
                          (int64_t)(r >> 63) };
        uint8_t dig[] = { 0, 0, pt_digits(2, 0), pt_digits(5, 0), 0 };
        must(pt_frame_push(frame, val, dig));
    }
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

static void print(const char *name, double ours, double peer, const char *unit)
{
    printf("%-34s %10.2f %10.2f %8.1fx  %s\n", name, ours, peer, ours / peer, unit);
    fflush(stdout);
}

/* ---- ours ----------------------------------------------------------------------------------- */

static struct pt_store *open_store(void)
{
    struct pt_store_opts opts = { .path = folder };
    struct pt_store *store;
    snprintf(folder, sizeof folder, "%s/pt-bench-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(folder)) exit(1);
    must(pt_store_open(&opts, &store, &err));
    return store;
}

/* Views n rows of `all` from `from` on, without a copy. */
static struct pt_frame slice(const struct pt_frame *all, size_t from, size_t n)
{
    struct pt_frame part = *all;
    part.n = part.cap = n;
    for (unsigned c = 0; c < all->kind->ncols; c++) {
        part.val[c] = all->val[c] + from * all->kind->cols[c].width;
        if (all->dig[c]) part.dig[c] = all->dig[c] + from * all->kind->cols[c].width;
    }
    return part;
}

/* Batches in one transaction each; M rows/s with the commits, and of the putting alone. */
static double write_trades(struct pt_store *store, const struct pt_frame *all, double *put_rate)
{
    struct pt_series_key key = { .kind = PT_TRADES, .symbol = "BTCUSDT" };
    int64_t start = pt_mono_ns(), put = 0;
    for (size_t from = 0; from < all->n; from += BATCH) {
        struct pt_frame part = slice(all, from, all->n - from < BATCH ? all->n - from : BATCH);
        struct pt_put_stats stats = { 0, 0, 0, 0 };
        struct pt_write *write;
        must(pt_write_begin(store, &write, &err));
        int64_t begin = pt_mono_ns();
        must(pt_write_rows(write, &key, &part, PT_PUT_CORRECT, &stats, &err));
        put += pt_mono_ns() - begin;
        must(pt_write_commit(write, &err));
    }
    *put_rate = (double)all->n * 1e3 / (double)put;
    return (double)all->n * 1e3 / (double)(pt_mono_ns() - start);
}

static bool add(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    double sum[4] = { 0, 0, 0, 0 };
    const double *p = cols[0], *q = cols[1];
    size_t i = 0;
    (void)time_us;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) sum[k] += p[i + k] * q[i + k];
    for (; i < n; i++) sum[0] += p[i] * q[i];
    *(double *)arg += sum[0] + sum[1] + sum[2] + sum[3];
    return true;
}

static double scan_once(struct pt_store *store, double *sum)
{
    static const unsigned cols[] = { PT_T_PRICE, PT_T_QUANTITY };
    struct pt_series_key key = { .kind = PT_TRADES, .symbol = "BTCUSDT" };
    struct pt_read *read;
    int64_t start = pt_mono_ns();
    *sum = 0;
    must(pt_read_begin(store, &read, &err));
    must(pt_series_scan(read, &key, INT64_MIN, INT64_MAX, cols, 2, add, sum, &err));
    pt_read_end(read);
    return (double)(pt_mono_ns() - start);
}

static double read_once(struct pt_store *store, struct pt_frame *frame)
{
    struct pt_series_key key = { .kind = PT_TRADES, .symbol = "BTCUSDT" };
    struct pt_read *read;
    pt_frame_clear(frame);
    int64_t start = pt_mono_ns();
    must(pt_read_begin(store, &read, &err));
    must(pt_series_read(read, &key, INT64_MIN, INT64_MAX, 0, frame, &err));
    pt_read_end(read);
    return (double)(pt_mono_ns() - start);
}

/* ---- SQLite --------------------------------------------------------------------------------- */

static sqlite3 *open_sqlite(void)
{
    char path[300];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/peer.db", folder);
    must_sql(sqlite3_open(path, &db), db);
    must_sql(
        sqlite3_exec(db,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                     "CREATE TABLE trades (time INTEGER, id INTEGER, price REAL, quantity REAL,"
                     " side INTEGER, PRIMARY KEY (time, id)) WITHOUT ROWID;",
                     NULL, NULL, NULL),
        db);
    return db;
}

static double write_sqlite(sqlite3 *db, const struct pt_frame *all)
{
    sqlite3_stmt *put;
    double *price = malloc(all->n * sizeof *price), *quantity = malloc(all->n * sizeof *quantity);
    if (!price || !quantity) exit(1);
    pt_frame_doubles(all, PT_T_PRICE, 0, all->n, price);
    pt_frame_doubles(all, PT_T_QUANTITY, 0, all->n, quantity);
    int64_t start = pt_mono_ns();
    must_sql(sqlite3_prepare_v2(db, "INSERT INTO trades VALUES (?,?,?,?,?)", -1, &put, NULL), db);
    for (size_t i = 0; i < all->n; i++) {
        if (i % BATCH == 0) must_sql(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), db);
        sqlite3_bind_int64(put, 1, all->val[PT_T_TIME][i]);
        sqlite3_bind_int64(put, 2, all->val[PT_T_ID][i]);
        sqlite3_bind_double(put, 3, price[i]);
        sqlite3_bind_double(put, 4, quantity[i]);
        sqlite3_bind_int64(put, 5, all->val[PT_T_SIDE][i]);
        must_sql(sqlite3_step(put), db);
        sqlite3_reset(put);
        if (i % BATCH == BATCH - 1 || i + 1 == all->n)
            must_sql(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
    }
    sqlite3_finalize(put);
    double rate = (double)all->n * 1e3 / (double)(pt_mono_ns() - start);
    free(price);
    free(quantity);
    return rate;
}

static double scan_sqlite(sqlite3 *db, double *sum)
{
    sqlite3_stmt *get;
    int64_t start = pt_mono_ns();
    must_sql(sqlite3_prepare_v2(db, "SELECT sum(price * quantity) FROM trades", -1, &get, NULL),
             db);
    must_sql(sqlite3_step(get), db);
    *sum = sqlite3_column_double(get, 0);
    sqlite3_finalize(get);
    return (double)(pt_mono_ns() - start);
}

/* ---- the figures ---------------------------------------------------------------------------- */

static void bench_trades(size_t n)
{
    char name[64];
    struct pt_frame all, out;
    double put_rate, sum = 0, peer_sum = 0, best = 1e18, peer_best = 1e18, read_best = 1e18;
    pt_frame_init(&all, pt_kind(PT_TRADES));
    pt_frame_init(&out, pt_kind(PT_TRADES));
    make_trades(&all, n);
    struct pt_store *store = open_store();
    sqlite3 *db = open_sqlite();
    double rate = write_trades(store, &all, &put_rate), peer_rate = write_sqlite(db, &all);
    snprintf(name, sizeof name, "write %zu trades, durable", n);
    print(name, rate, peer_rate, "M rows/s");
    snprintf(name, sizeof name, "write %zu trades, put alone", n);
    print(name, put_rate, peer_rate, "M rows/s");
    for (int i = 0; i < ROUNDS; i++) {
        double t = scan_once(store, &sum);
        if (t < best) best = t;
        t = read_once(store, &out);
        if (t < read_best) read_best = t;
        if (i > 2) continue;
        t = scan_sqlite(db, &peer_sum);
        if (t < peer_best) peer_best = t;
    }
    if (!(sum > peer_sum * (1 - 1e-9) && sum < peer_sum * (1 + 1e-9)) || out.n != n) {
        fprintf(stderr, "bench_scan: %.9g is not %.9g\n", sum, peer_sum);
        exit(1);
    }
    snprintf(name, sizeof name, "scan %zu, sum(price*quantity)", n);
    print(name, (double)n * 1e3 / best, (double)n * 1e3 / peer_best, "M rows/s");
    snprintf(name, sizeof name, "read %zu, all columns, exact", n);
    print(name, (double)n * 1e3 / read_best, (double)n * 1e3 / peer_best, "M rows/s");
    sqlite3_close(db);
    pt_store_close(store);
    pt_frame_fini(&all);
    pt_frame_fini(&out);
    remove_folder();
}

static void bench_live(void)
{
    struct pt_store *store = open_store();
    sqlite3 *db = open_sqlite();
    sqlite3_stmt *put;
    struct pt_frame row;
    struct pt_put_stats stats = { 0, 0, 0, 0 };
    pt_frame_init(&row, pt_kind(PT_CANDLES));
    int64_t start = pt_mono_ns();
    for (int64_t i = 0; i < LIVE_COMMITS; i++) {
        struct pt_write *write;
        must(pt_write_begin(store, &write, &err));
        for (int s = 0; s < LIVE_SERIES; s++) {
            struct pt_series_key key = { .kind = PT_CANDLES, .period_us = 60000000 };
            int64_t val[] = { T0 + i * 60000000,
                              9350000 + i,
                              9350900,
                              9349000,
                              9350100 + s,
                              123456 + i,
                              987654321 + i,
                              55,
                              60000,
                              450000000,
                              1 };
            uint8_t dig[PT_CELLS_MAX] = { 0, 2, 2, 2, 2, 5, 7, 0, 5, 7, 0 };
            snprintf(key.symbol, sizeof key.symbol, "S%03dUSDT", s);
            pt_frame_clear(&row);
            must(pt_frame_push(&row, val, dig));
            must(pt_write_rows(write, &key, &row, PT_PUT_LIVE, &stats, &err));
        }
        must(pt_write_commit(write, &err));
    }
    double ours = LIVE_SERIES * LIVE_COMMITS * 1e6 / (double)(pt_mono_ns() - start);

    must_sql(
        sqlite3_exec(db,
                     "CREATE TABLE candles (series INTEGER, time INTEGER, o REAL, h REAL, l REAL,"
                     " c REAL, v REAL, q REAL, n INTEGER, tv REAL, tq REAL, closed INTEGER,"
                     " PRIMARY KEY (series, time)) WITHOUT ROWID",
                     NULL, NULL, NULL),
        db);
    must_sql(sqlite3_prepare_v2(db,
                                "INSERT OR REPLACE INTO candles VALUES (?,?,?,?,?,?,?,?,?,?,?,1)",
                                -1, &put, NULL),
             db);
    start = pt_mono_ns();
    for (int64_t i = 0; i < LIVE_COMMITS; i++) {
        must_sql(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), db);
        for (int s = 0; s < LIVE_SERIES; s++) {
            sqlite3_bind_int(put, 1, s);
            sqlite3_bind_int64(put, 2, T0 + i * 60000000);
            for (int c = 3; c <= 11; c++) sqlite3_bind_double(put, c, 93500.25 + c + (double)i);
            must_sql(sqlite3_step(put), db);
            sqlite3_reset(put);
        }
        must_sql(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), db);
    }
    double peer = LIVE_SERIES * LIVE_COMMITS * 1e6 / (double)(pt_mono_ns() - start);
    print("500 live series, 1 row a commit", ours, peer, "k rows/s");
    sqlite3_finalize(put);
    sqlite3_close(db);

    struct pt_read *read;
    const int rounds = 200000;
    start = pt_mono_ns();
    for (int i = 0; i < rounds; i++) {
        must(pt_read_begin(store, &read, &err));
        pt_read_end(read);
    }
    printf("%-34s %10.1f ns\n", "snapshot, begin and end", (double)(pt_mono_ns() - start) / rounds);

    struct pt_frame window;
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = 60000000, .symbol = "S007USDT" };
    pt_frame_init(&window, pt_kind(PT_CANDLES));
    start = pt_mono_ns();
    for (int i = 0; i < 2000; i++) {
        pt_frame_clear(&window);
        must(pt_read_begin(store, &read, &err));
        must(pt_series_read(read, &key, INT64_MIN, INT64_MAX, 0, &window, &err));
        pt_read_end(read);
    }
    printf("%-34s %10.2f us  (%zu rows)\n", "window of a live series",
           (double)(pt_mono_ns() - start) / 2e6, window.n);
    pt_frame_fini(&window);
    pt_frame_fini(&row);
    pt_store_close(store);
    remove_folder();
}

int main(void)
{
    printf("%-34s %10s %10s %9s  unit\n", "", "ours", "SQLite", "ratio");
    bench_trades(1000000);
    bench_trades(10000000);
    bench_live();
    return 0;
}
