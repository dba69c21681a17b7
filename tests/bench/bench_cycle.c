/* bench_cycle - a whole cycle with workers that are up: SYMBOLS x {1h, 1d} x the shipped scripts
 * over 90 days, and an hour of books, from the store to stored results; ms a cycle, median of
 * ROUNDS. Beside it what the scripts alone take, by their own clocks and spread over the workers:
 * the rest is ours.
 *
 *     bench_cycle [symbols [rounds]] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "flow/engine.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T0 INT64_C(1735689600000000)
#define DAYS 130
#define ROUNDS_MAX 1000

static struct pt_err err;
static char folder[] = "/tmp/bench-cycle-XXXXXX";

static void must(enum pt_code rc)
{
    if (rc == PT_OK) return;
    fprintf(stderr, "bench_cycle: %s\n", err.text);
    exit(1);
}

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A random walk, two digits. */
static void fill(struct pt_store *store, unsigned symbol, int64_t period_us, size_t n)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .period_us = period_us };
    struct pt_frame frame;
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    uint64_t seed = symbol * 2 + (period_us == PT_US_DAY);
    int64_t close = 2000000 + (int64_t)symbol * 1000;
    if (symbol == 0)
        snprintf(key.symbol, sizeof key.symbol, "BTCUSDT");
    else
        snprintf(key.symbol, sizeof key.symbol, "S%03uUSDT", symbol);
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (size_t i = 0; i < n; i++) {
        int64_t val[PT_CELLS_MAX] = { 0 }, open = close;
        uint8_t dig[PT_CELLS_MAX] = { 0 };
        close += (int64_t)(next(&seed) % 20001) - 10000;
        if (close < 100000) close = 100000;
        int64_t high = (open > close ? open : close) + (int64_t)(next(&seed) % 3000);
        int64_t low = (open < close ? open : close) - (int64_t)(next(&seed) % 3000);
        val[PT_C_TIME] = T0 + DAYS * PT_US_DAY - (int64_t)(n - i) * period_us;
        val[PT_C_OPEN] = open;
        val[PT_C_HIGH] = high;
        val[PT_C_LOW] = low;
        val[PT_C_CLOSE] = close;
        val[PT_C_VOLUME] = 1000 + (int64_t)(next(&seed) % 100000);
        val[PT_C_QUOTE_VOLUME] = val[PT_C_VOLUME] * close / 100;
        val[PT_C_TRADES] = 10 + (int64_t)(next(&seed) % 1000);
        val[PT_C_TAKER_VOLUME] = val[PT_C_VOLUME] / 2;
        val[PT_C_TAKER_QUOTE_VOLUME] = val[PT_C_QUOTE_VOLUME] / 2;
        val[PT_C_CLOSED] = 1;
        for (size_t c = PT_C_OPEN; c <= PT_C_TAKER_QUOTE_VOLUME; c++) dig[c] = pt_digits(2, 0);
        dig[PT_C_TRADES] = 0;
        must(pt_frame_push(&frame, val, dig));
    }
    must(pt_write_begin(store, &write, &err));
    must(pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err));
    must(pt_write_commit(write, &err));
    pt_frame_fini(&frame);
}

/* An hour of books, six seconds apart. */
static void fill_books(struct pt_store *store, unsigned symbol)
{
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_frame frame;
    struct pt_write *write = NULL;
    struct pt_put_stats stats = { 0 };
    uint64_t seed = symbol;
    int64_t mid = 2000000;
    if (symbol == 0)
        snprintf(key.symbol, sizeof key.symbol, "BTCUSDT");
    else
        snprintf(key.symbol, sizeof key.symbol, "S%03uUSDT", symbol);
    pt_frame_init(&frame, pt_kind(PT_DEPTH));
    for (int64_t i = 0; i < 600; i++) {
        int64_t val[PT_CELLS_MAX];
        uint8_t dig[PT_CELLS_MAX];
        memset(dig, pt_digits(2, 0), sizeof dig);
        mid += (int64_t)(next(&seed) % 21) - 10;
        val[0] = T0 + DAYS * PT_US_DAY - (600 - i) * 6 * PT_US_SEC;
        val[1] = i;
        for (unsigned s = 0, cell = 2; s < 2; s++, cell += 2 * PT_DEPTH_LEVELS) {
            int64_t price = mid;
            for (unsigned k = 0; k < PT_DEPTH_LEVELS; k++) {
                price += (s == 0 ? -1 : 1) * (int64_t)(1 + next(&seed) % 30);
                val[cell + k] = price;
                val[cell + PT_DEPTH_LEVELS + k] = 1 + (int64_t)(next(&seed) % 1000);
            }
        }
        must(pt_frame_push(&frame, val, dig));
    }
    must(pt_write_begin(store, &write, &err));
    must(pt_write_rows(write, &key, &frame, PT_PUT_CORRECT, &stats, &err));
    must(pt_write_commit(write, &err));
    pt_frame_fini(&frame);
}

static void set(struct pt_conf *conf, const char *key, const char *value)
{
    char text[PATH_MAX + 64];
    snprintf(text, sizeof text, "%s=%s", key, value);
    must(pt_conf_set(conf, text, &err));
}

static void add_elapsed(void *arg, const struct pt_cycle_row *row)
{
    *(uint64_t *)arg += row->elapsed_us;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void cleanup(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.') unlink(path);
    }
    if (dir) closedir(dir);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    static double wall[ROUNDS_MAX], inside[ROUNDS_MAX];
    unsigned symbols = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
    size_t rounds = argc > 2 ? (size_t)atoi(argv[2]) : 30;
    const char *build = getenv("PETROSA_BUILD"), *source = getenv("PETROSA_SOURCE");
    char path[PATH_MAX];
    struct pt_store *store = NULL;
    struct pt_conf *conf = NULL;
    struct pt_engine *engine = NULL;
    struct pt_cycle_sums sums = { 0 };
    if (!build || !source || rounds == 0 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "bench_cycle: PETROSA_BUILD and PETROSA_SOURCE must be set "
                        "(tests/bench/run.py does)\n");
        return 1;
    }
    if (!mkdtemp(folder)) return 1;
    atexit(cleanup);
    pt_log_set_level(PT_WARN);
    const struct pt_store_opts opts = { .path = folder };
    must(pt_store_open(&opts, &store, &err));
    for (unsigned i = 0; i < symbols; i++) {
        fill(store, i, PT_US_HOUR, DAYS * 24);
        fill(store, i, PT_US_DAY, DAYS);
        fill_books(store, i);
    }
    pt_store_close(store);

    must(pt_conf_new(&conf, &err));
    set(conf, "store.path", folder);
    snprintf(path, sizeof path, "%s/petrosa-worker", build);
    set(conf, "workers.path", path);
    snprintf(path, sizeof path, "%s/scripts", source);
    set(conf, "scripts.path", path);
    int64_t start_us = pt_mono_us();
    must(pt_engine_new(conf, PT_ENGINE_BATCH, NULL, &engine, &err));
    int64_t up_us = pt_mono_us() - start_us;

    for (size_t i = 0; i < rounds + 2; i++) { /* the first two warm up */
        uint64_t elapsed_us = 0;
        const struct pt_cycle_opts how = { .as_of_us = INT64_MAX,
                                           .row = add_elapsed,
                                           .arg = &elapsed_us };
        int64_t from_ns = pt_mono_ns();
        must(pt_engine_compute(engine, &how, &sums, &err));
        if (i < 2) continue;
        wall[i - 2] = (double)(pt_mono_ns() - from_ns) / 1e6;
        inside[i - 2] = (double)elapsed_us / 1e3;
    }
    qsort(wall, rounds, sizeof *wall, by_value);
    qsort(inside, rounds, sizeof *inside, by_value);
    struct pt_engine_stats stats;
    pt_engine_stats(engine, &stats);
    printf("cycle  %u symbols, %" PRIu64 " units, %" PRIu64 " results (%" PRIu64
           " failed): %.2f ms [%.2f-%.2f]; the scripts "
           "alone %.2f ms over %u workers = %.2f ms; first worker ready after %.1f ms\n",
           symbols, sums.units, sums.results, sums.failed, wall[rounds / 2], wall[rounds / 10],
           wall[rounds - 1 - rounds / 10], inside[rounds / 2], stats.pool.workers,
           inside[rounds / 2] / stats.pool.workers, (double)up_us / 1e3);
    pt_engine_free(engine);
    pt_conf_free(conf);
    return sums.failed > 0;
}
