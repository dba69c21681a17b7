/* The simulated market: reproducible, without holes, decodable, and shaped like a real one. */
#include "suite.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/decode.h"
#include "data/frame.h"
#include "flow/plugin.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SYMBOLS = 2 };

struct capture {
    pthread_mutex_t lock;
    struct pt_decoder *decoder;
    struct pt_frame bars[SYMBOLS]; /* closed 1m candles */
    size_t live, rejected, trades, books, marks, funding, partial;
    bool went_live;
    int64_t last_us; /* answer of last_candle */
    size_t in_time;  /* trades that came within 10 s; there are 15 s from one to the next */
    int64_t recv_us;
};
static const char *const names[SYMBOLS] = { "BTCUSDT", "ETHUSDT" };

static bool on_record(void *arg, const struct pt_record *record)
{
    struct capture *capture = arg;
    if (record->key.kind == PT_TRADES) {
        int64_t lag_us = capture->recv_us - record->val[PT_T_TIME];
        capture->trades++;
        capture->in_time += lag_us >= 0 && lag_us < 10 * PT_US_SEC;
    }
    capture->books += record->key.kind == PT_DEPTH;
    capture->marks += record->key.kind == PT_MARKS;
    capture->funding += record->key.kind == PT_FUNDING;
    if (record->key.kind != PT_CANDLES) return true;
    if (!record->val[PT_C_CLOSED]) {
        capture->partial++;
        return true;
    }
    for (int i = 0; i < SYMBOLS; i++)
        if (strcmp(names[i], record->key.symbol) == 0)
            pt_frame_push(&capture->bars[i], record->val, record->dig);
    return true;
}

static bool push(void *ctx, uint64_t tag, int64_t recv_us, const void *bytes, size_t len)
{
    struct capture *capture = ctx;
    const char *type, *reason;
    (void)tag;
    pthread_mutex_lock(&capture->lock);
    capture->recv_us = recv_us;
    if (pt_decode(capture->decoder, bytes, len, recv_us, on_record, capture, &type, &reason) !=
        PT_MSG_ROWS) {
        if (capture->rejected++ == 0)
            printf("rejected (%s): %.*s\n", reason, (int)len, (const char *)bytes);
    }
    capture->live += capture->went_live;
    pthread_mutex_unlock(&capture->lock);
    return true;
}

static bool wait_room(void *ctx, size_t len, int timeout_ms)
{
    (void)ctx, (void)len, (void)timeout_ms;
    return true;
}

static int64_t last_candle(void *ctx, const char *symbol, int64_t period_us)
{
    (void)symbol, (void)period_us;
    return ((struct capture *)ctx)->last_us;
}

static _Atomic int live_seen;

__attribute__((format(printf, 4, 5))) static void host_log(enum pt_level level, const char *part,
                                                           const char *event, const char *fmt, ...)
{
    (void)level, (void)part, (void)fmt;
    if (strcmp(event, "live") == 0) live_seen = 1;
}

static bool books_wanted = true;
static size_t bars_wanted; /* to be waited for */

static size_t bars_of_first(struct capture *capture)
{
    pthread_mutex_lock(&capture->lock);
    size_t n = capture->bars[0].n;
    pthread_mutex_unlock(&capture->lock);
    return n;
}

static const struct pt_feed_plugin *load(void)
{
    static void *handle;
    char path[4096];
    const char *build = getenv("PETROSA_BUILD");
    snprintf(path, sizeof path, "%s/plugins/feed_sim.so", build != NULL ? build : ".");
    if (handle == NULL) handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) printf("%s\n", dlerror());
    return handle != NULL ? dlsym(handle, "pt_feed_sim") : NULL;
}

static void set_option(const struct pt_feed_plugin *plugin, void *self, const char *name,
                       const char *text, int64_t number)
{
    for (const struct pt_option *option = plugin->options; option->name != NULL; option++) {
        if (strcmp(option->name, name) != 0) continue;
        char *at = (char *)self + option->offset;
        if (option->type == PT_OPT_TEXT)
            memcpy(at, &text, sizeof text);
        else if (option->type == PT_OPT_BOOL)
            *(bool *)at = number != 0;
        else
            memcpy(at, &number, sizeof number);
        return;
    }
    CU_FAIL("no such option");
}

/* Runs the feed until its history is out (and `ms` longer). */
static void run(struct capture *capture, int64_t seed, int64_t history_us, int64_t minute_us,
                int64_t last_us, int ms)
{
    const struct pt_feed_plugin *plugin = load();
    CU_ASSERT_FATAL(plugin != NULL && plugin->api == PT_PLUGIN_API);
    *capture = (struct capture){ .last_us = last_us };
    pthread_mutex_init(&capture->lock, NULL);
    struct pt_err err;
    CU_ASSERT_FATAL(pt_decoder_new(&capture->decoder, &err) == PT_OK);
    for (int i = 0; i < SYMBOLS; i++) pt_frame_init(&capture->bars[i], pt_kind(PT_CANDLES));
    void *self = calloc(1, plugin->size);
    CU_ASSERT_FATAL(self != NULL);
    set_option(plugin, self, "seed", NULL, seed);
    set_option(plugin, self, "symbols", "BTCUSDT,ETHUSDT", 0);
    set_option(plugin, self, "history", NULL, history_us);
    set_option(plugin, self, "minute", NULL, minute_us);
    set_option(plugin, self, "trades", NULL, 4);
    set_option(plugin, self, "books", NULL, books_wanted);
    set_option(plugin, self, "book_interval", NULL, PT_US_SEC);
    set_option(plugin, self, "partial", NULL, 1);
    struct pt_feed_host host = { capture, push, wait_room, last_candle, host_log };
    live_seen = 0;
    CU_ASSERT_FATAL(plugin->open(self, &host, &err) == PT_OK);
    for (int i = 0; i < 20000 && !live_seen; i++) usleep(1000);
    CU_ASSERT(live_seen == 1);
    usleep((unsigned)ms * 1000);
    for (int i = 0; i < 20000 && bars_of_first(capture) < bars_wanted; i++) usleep(1000);
    plugin->drain(self);
    plugin->close(self);
    free(self);
    CU_ASSERT_EQUAL(capture->rejected, 0);
}

static void done(struct capture *capture)
{
    for (int i = 0; i < SYMBOLS; i++) pt_frame_fini(&capture->bars[i]);
    pt_decoder_free(capture->decoder);
    pthread_mutex_destroy(&capture->lock);
}

static void test_same_seed_same_bars(void)
{
    struct capture a, b, c;
    run(&a, 7, 3 * PT_US_DAY, PT_US_MIN, PT_MISSING, 0);
    run(&b, 7, PT_US_DAY, PT_US_MIN, PT_MISSING, 0);
    run(&c, 8, PT_US_DAY, PT_US_MIN, PT_MISSING, 0);
    for (int s = 0; s < SYMBOLS; s++) {
        CU_ASSERT_FATAL(b.bars[s].n >= 1440 && a.bars[s].n >= 3 * 1440);
        size_t at = pt_frame_lower(&a.bars[s], b.bars[s].val[PT_C_TIME][0]), same = 0, other = 0;
        for (size_t i = 0; i < 1400; i++) {
            same += pt_frame_same(&a.bars[s], at + i, &b.bars[s], i);
            other += pt_frame_same(&c.bars[s], i, &b.bars[s], i);
        }
        CU_ASSERT_EQUAL(same, 1400);
        CU_ASSERT(other < 5);
    }
    done(&a), done(&b), done(&c);
}

static void test_history_has_no_hole_and_no_bad_row(void)
{
    struct capture a;
    run(&a, 1, 2 * PT_US_DAY, PT_US_MIN, PT_MISSING, 0);
    for (int s = 0; s < SYMBOLS; s++) {
        size_t bad = 0, holes = 0, jumps = 0;
        const struct pt_frame *bars = &a.bars[s];
        for (size_t i = 0; i < bars->n; i++) {
            bad += pt_frame_check(bars, i, PT_US_MIN) != NULL;
            if (i == 0) continue;
            holes += bars->val[PT_C_TIME][i] - bars->val[PT_C_TIME][i - 1] != PT_US_MIN;
            jumps += bars->val[PT_C_OPEN][i] != bars->val[PT_C_CLOSE][i - 1];
        }
        CU_ASSERT_EQUAL(bad, 0);
        CU_ASSERT_EQUAL(holes, 0);
        CU_ASSERT_EQUAL(jumps,
                        0); /* also over midnight, where the path of a day is bridged to the next */
    }
    CU_ASSERT(a.marks >= 47 * SYMBOLS);  /* one an hour */
    CU_ASSERT(a.funding >= 5 * SYMBOLS); /* three a day */
    done(&a);
}

static void test_goes_on_where_the_store_ends(void)
{
    struct capture a;
    int64_t now = pt_now_us(), last = now / PT_US_MIN * PT_US_MIN - 100 * PT_US_MIN;
    run(&a, 1, 2 * PT_US_DAY, PT_US_MIN, last, 0);
    CU_ASSERT_FATAL(a.bars[0].n >= 99);
    CU_ASSERT_EQUAL(a.bars[0].val[PT_C_TIME][0], last + PT_US_MIN);
    done(&a);
}

/* Ahead of the clock, where a market whose minutes are shorter gets to. */
static void test_a_quick_market_never_goes_back(void)
{
    struct capture a;
    int64_t now = pt_now_us(), last = now / PT_US_MIN * PT_US_MIN + 300 * PT_US_MIN;
    bars_wanted = 2;
    run(&a, 1, PT_US_DAY, 100000, last, 0);
    bars_wanted = 0;
    CU_ASSERT_FATAL(a.bars[0].n >= 2);
    CU_ASSERT_EQUAL(a.bars[0].val[PT_C_TIME][0], last + PT_US_MIN);
    done(&a);
    run(&a, 1, PT_US_DAY, PT_US_MIN, last, 300); /* one that keeps time waits for the clock */
    CU_ASSERT_EQUAL(a.bars[0].n + a.partial + (size_t)a.trades + (size_t)a.books, 0);
    done(&a);
}

static void test_live_part_brings_everything(void)
{
    struct capture a;
    run(&a, 1, PT_US_HOUR, 100000, PT_MISSING, 1500); /* a minute in 100 ms: about 15 minutes */
    CU_ASSERT(a.bars[0].n >= 60 + 8);
    for (size_t i = 1; i < a.bars[0].n; i++)
        CU_ASSERT_EQUAL_FATAL(a.bars[0].val[PT_C_TIME][i] - a.bars[0].val[PT_C_TIME][i - 1],
                              PT_US_MIN);
    CU_ASSERT(a.trades >= 8 * 4 * SYMBOLS);
    CU_ASSERT(a.in_time > a.trades / 2); /* not those of minutes that had ended before it looked */
    CU_ASSERT(a.books >= 8 && a.marks >= 8 && a.partial >= 8);
    done(&a);
}

static void test_books_can_be_left_out(void)
{
    struct capture a;
    books_wanted = false;
    run(&a, 1, PT_US_HOUR, 100000, PT_MISSING, 300);
    books_wanted = true;
    CU_ASSERT(a.bars[0].n >= 60 && a.trades > 0);
    CU_ASSERT_EQUAL(a.books + a.marks, 0);
    done(&a);
}

/* A span is a positive count of a unit: a least value of none could not be written down. */
static void test_each_bound_and_default_can_be_configured(void)
{
    for (const struct pt_option *option = load()->options; option->name != NULL; option++) {
        int64_t us;
        char text[PT_PERIOD_TEXT_MAX];
        if (option->type != PT_OPT_SPAN) continue;
        CU_ASSERT_EQUAL(pt_span_parse(option->fallback, strlen(option->fallback), &us), PT_OK);
        CU_ASSERT(us >= option->min && us <= option->max);
        size_t len = pt_span_print(option->min, text);
        CU_ASSERT_EQUAL(pt_span_parse(text, len, &us), PT_OK);
        CU_ASSERT_EQUAL(us, option->min);
    }
}

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = mean(x, n), my = mean(y, n), xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        xy += (x[i] - mx) * (y[i] - my);
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
    }
    return xy / sqrt(xx * yy);
}

/* Cont (2001): fat tails, volatility clustering, volume that goes with volatility; and symbols that
 * move together. */
static void test_looks_like_a_market(void)
{
    struct capture a;
    run(&a, 3, 30 * PT_US_DAY, PT_US_MIN, PT_MISSING, 0);
    size_t n = a.bars[0].n < a.bars[1].n ? a.bars[0].n : a.bars[1].n, m = n - 1;
    double *close[SYMBOLS], *r[SYMBOLS], *size = calloc(m, sizeof *size),
                                         *volume = calloc(n, sizeof *volume);
    for (int s = 0; s < SYMBOLS; s++) {
        close[s] = calloc(n, sizeof(double));
        r[s] = calloc(n, sizeof(double));
        pt_frame_doubles(&a.bars[s], PT_C_CLOSE, 0, n, close[s]);
        for (size_t i = 0; i < m; i++) r[s][i] = log(close[s][i + 1] / close[s][i]);
    }
    pt_frame_doubles(&a.bars[0], PT_C_VOLUME, 0, n, volume);
    double two = 0, four = 0, mu = mean(r[0], m);
    for (size_t i = 0; i < m; i++) {
        double d = r[0][i] - mu;
        two += d * d;
        four += d * d * d * d;
        size[i] = fabs(r[0][i]);
        volume[i] = log(volume[i + 1]);
    }
    double kurtosis = four / (double)m / (two / (double)m * two / (double)m);
    double clustering = correlation(size, size + 60, m - 60);
    double together = correlation(r[0], r[1], m), with_volume = correlation(size, volume, m);
    double memory = correlation(r[0], r[0] + 1, m - 1), year = sqrt(two / (double)m * 525600);
    printf("kurtosis %.1f clustering(60) %.2f together %.2f volume %.2f return memory %.3f annual "
           "volatility %.2f ",
           kurtosis, clustering, together, with_volume, memory, year);
    CU_ASSERT(kurtosis > 4);
    CU_ASSERT(clustering > 0.1);
    CU_ASSERT(together > 0.5 && together < 0.95);
    CU_ASSERT(with_volume > 0.3);
    CU_ASSERT(fabs(memory) < 0.05);
    CU_ASSERT(year > 0.1 && year < 2);
    for (int s = 0; s < SYMBOLS; s++) {
        free(close[s]);
        free(r[s]);
    }
    free(size);
    free(volume);
    done(&a);
}

static CU_TestInfo tests[] = {
    { "the same seed gives the same bars, whenever it starts", test_same_seed_same_bars },
    { "history has no hole and no bad row", test_history_has_no_hole_and_no_bad_row },
    { "goes on where the store ends", test_goes_on_where_the_store_ends },
    { "a quick market never goes back", test_a_quick_market_never_goes_back },
    { "the live part brings bars, trades, books and marks", test_live_part_brings_everything },
    { "books can be left out", test_books_can_be_left_out },
    { "each bound and default can be configured", test_each_bound_and_default_can_be_configured },
    { "looks like a market", test_looks_like_a_market },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("feed_sim", tests);
}
