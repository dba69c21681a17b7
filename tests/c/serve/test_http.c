/* The server with real sockets over a fake engine: what needs an engine that answers late, wrongly
 * or not at all. */
#include "suite.h"

#include <poll.h>

#include "served.h"

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */

static void store_hours(int hours)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .symbol = "BTCUSDT", .period_us = PT_US_HOUR };
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < hours; i++) fake_candle(&frame, T0 + i * PT_US_HOUR, 100 + i, true);
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
}

/* ---- analysis -----------------------------------------------------------------------------------
 */

static void test_a_stored_result_is_given_as_declared(void)
{
    begin(one_thread);
    int64_t now_hour = pt_now_us() / PT_US_HOUR * PT_US_HOUR;
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, now_hour - PT_US_HOUR, "ok", 1.5, "h");
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, now_hour, "gap", 1.25, "h");
    const char *target = "/analysis/volatility?pair=btcusdt";
    check(target, "", 200, "pair", "\"BTCUSDT\"");
    check(target, "", 200, "status", "\"gap\"");
    check(target, "", 200, "values.0.level", "\"1.25\"");
    check(target, "", 200, "values.0.count", "7");
    check(target, "", 200, "values.0.gone", "null");
    check(target, "", 200, "values.0.missing", "null");
    check(target, "", 200, "values.0.by_lag", "{\"2\":\"0.625\",\"5\":\"0.25\"}");
    check(target, "", 200, "values.1", "absent");
    check(target, "", 200, "method", "\"made_up\"");
    check(target, "", 200, "pagination.total", "2");
    check(target, "", 200, "pagination.has_next", "true");
    check(target, "", 200, "metadata.completeness", "87.5");
    check(target, "", 200, "metadata.data_completeness", "87.5");
    check(target, "", 200, "metadata.computed", "\"stored\"");
    check(target, "", 200, "metadata.collection", "\"analytics_BTCUSDT_volatility\"");
    check("/analysis/volatility?pair=BTCUSDT&limit=5&sort_order=desc", "", 200, "values.1.level",
          "\"1.5\"");
    check("/analysis/volatility?pair=BTCUSDT&limit=5", "", 200, "values.0.level", "\"1.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 0);
    end();
}

static void test_an_old_result_is_stale_only_as_the_current_one(void)
{
    begin(one_thread);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5, fake_hash("deviation"));
    fake_store_result("deviation", "ETHUSDT", PT_US_HOUR, T0, "error", 1.5, fake_hash("deviation"));
    store_hours(0 + 1);
    check("/analysis/deviation?pair=BTCUSDT", "", 200, "status", "\"stale\"");
    check("/analysis/deviation?pair=BTCUSDT", "", 200, "data.level", "\"1.5\"");
    check("/analysis/deviation?pair=ETHUSDT", "", 200, "status", "\"error\"");
    check("/analysis/deviation?pair=BTCUSDT&end=2024-11-15T00:00:01Z", "", 200, "status", "\"ok\"");
    end();
}

static void test_only_what_differs_from_the_parameters_in_force_is_computed(void)
{
    begin(one_thread);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5, "h");
    check("/analysis/deviation?pair=BTCUSDT&window=20&mode=plain&flag=false", "", 200,
          "metadata.computed", "\"stored\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 0);
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "metadata.computed",
          "\"on_request\"");
    CU_ASSERT_STRING_EQUAL(fake.last_params, "{ \"window\" : 30 }");
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 1); /* the second was kept: nothing was committed */
    fake_store_result("deviation", "XRPUSDT", PT_US_HOUR, T0, "ok", 1.5, "h");
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 1); /* nor was there anything that it is made of */
    store_hours(1);
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 2);
    check("/analysis/deviation?pair=BTCUSDT&period=4h", "", 200, "metadata.computed",
          "\"on_request\"");
    end();
}

static void test_a_stored_result_as_of_then_is_not_computed_again(void)
{
    begin(one_thread);
    store_hours(10);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0 + 3 * PT_US_HOUR, "ok", 1.5,
                      fake_hash("deviation"));
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0 + 4 * PT_US_HOUR, "ok", 1.5,
                      "of another script");
    check("/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15T03:59:59Z", "", 200,
          "metadata.computed", "\"stored\"");
    check("/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15T03:59:59Z", "", 200,
          "metadata.timestamp", "\"2024-11-15T03:00:00Z\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 0);
    check("/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15T04:00:00Z", "", 200,
          "metadata.computed", "\"on_request\"");
    CU_ASSERT_EQUAL(fake.last_as_of_us, T0 + 4 * PT_US_HOUR);
    end();
}

static void test_no_data_is_an_empty_reply(void)
{
    begin(one_thread);
    atomic_store(&fake.answer, FAKE_EMPTY);
    const char *target = "/analysis/deviation?pair=NOPE_PAIR";
    check(target, "", 200, "data", "null");
    check(target, "", 200, "as_of", "null");
    check(target, "", 200, "status", "\"empty\"");
    check(target, "", 200, "metadata.message", "\"No deviation data available for NOPE_PAIR\"");
    check("/analysis/volatility?pair=NOPE_PAIR", "", 200, "values", "[]");
    check("/analysis/volatility?pair=NOPE_PAIR&limit=7", "", 200, "values", "[]");
    end();
}

static void test_bad_analysis_parameters_are_named(void)
{
    static const char *const bad[][2] = {
        { "/analysis/deviation", "pair" },
        { "/analysis/deviation?pair=BTCUSDT&window=1", "window" },
        { "/analysis/deviation?pair=BTCUSDT&window=2.5", "window" },
        { "/analysis/deviation?pair=BTCUSDT&mode=even", "mode" },
        { "/analysis/deviation?pair=BTCUSDT&flag=perhaps", "flag" },
        { "/analysis/deviation?pair=BTCUSDT&nonsense=1", "nonsense" },
        { "/analysis/deviation?pair=BTCUSDT&window=30&window=40", "window" },
        { "/analysis/deviation?pair=BTCUSDT&window=", "window" },
        { "/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15&limit=2", "limit" },
        { "/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15&offset=2", "offset" },
        { "/analysis/deviation?pair=BTCUSDT&as_of=2024-11-15&start=2024-11-15", "start" },
        { "/analysis/deviation?pair=BTCUSDT&window=30&end=2024-11-15", "end" },
        { "/analysis/deviation?pair=BTCUSDT&limit=1001", "limit" },
        { "/analysis/deviation?pair=BTCUSDT&period=7m", "period" },
    };
    begin(one_thread);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct client_reply reply = client_get(port, bad[i][0], "");
        CU_ASSERT_EQUAL(reply.status, 422);
        CU_ASSERT_PTR_NOT_NULL(strstr(member(&reply, "detail"), bad[i][1]));
        CU_ASSERT_STRING_EQUAL(client_header(&reply, "Content-Type"), "application/problem+json");
        if (reply.status != 422) printf("%s -> %d\n", bad[i][0], reply.status);
        free(reply.body);
    }
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 0);
    end();
}

static void test_unknown_metrics_name_the_loaded_ones(void)
{
    begin(one_thread);
    check("/analysis/wisdom", "", 404, "detail",
          "\"no metric \\\"wisdom\\\"; loaded: deviation, volatility\"");
    check("/analysis/broken?pair=BTCUSDT", "", 503, "detail",
          "\"the script broken did not load: calculators/broken.lua:3: unexpected symbol\"");
    check("/analysis/performance/rolling", "", 501, "status", "501");
    check("/analysis/", "", 404, "status", "404");
    check("/analysis/volatility/", "", 404, "status", "404");
    end();
}

/* ---- engines that fail --------------------------------------------------------------------------
 */

static void test_a_failed_unit_is_503(void)
{
    begin(one_thread);
    atomic_store(&fake.answer, FAKE_FAILURE);
    struct client_reply reply = client_get(port, "/analysis/deviation?pair=BTCUSDT", "");
    CU_ASSERT_EQUAL(reply.status, 503);
    CU_ASSERT_STRING_EQUAL(client_header(&reply, "Retry-After"), "1");
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.body, "the worker said no"));
    free(reply.body);
    end();
}

static void test_a_worker_that_does_not_answer_in_time_is_503(void)
{
    static const char *const settings[] = { "http.threads=1", "http.request_timeout=300ms", NULL };
    begin(settings);
    atomic_store(&fake.answer, FAKE_SILENCE);
    struct client_reply reply = client_get(port, "/analysis/deviation?pair=BTCUSDT", "");
    CU_ASSERT_EQUAL(reply.status, 503);
    free(reply.body);
    atomic_store(&fake.answer, FAKE_RESULT); /* its answer comes now, to nobody */
    usleep(50000);
    check("/analysis/deviation?pair=BTCUSDT", "", 200, "data.level", "\"2.5\"");
    end();
}

static void test_a_client_that_left_is_forgotten(void)
{
    begin(one_thread);
    atomic_store(&fake.delay_ms, 100);
    for (int i = 0; i < 5; i++) {
        int fd = client_open(port);
        static const char ask[] =
            "GET /analysis/deviation?pair=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n";
        client_send(fd, ask, sizeof ask - 1);
        usleep(10000);
        struct linger reset = { .l_onoff = 1, .l_linger = 0 };
        if (i % 2 == 1) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    check("/analysis/deviation?pair=ETHUSDT", "", 200, "data.level", "\"2.5\"");
    end();
}

static void test_pipelined_requests_behind_a_computed_one_are_answered_in_order(void)
{
    begin(one_thread);
    atomic_store(&fake.delay_ms, 100);
    int fd = client_open(port);
    static const char first[] = "GET /analysis/deviation?pair=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n"
                                "GET /health/liveness HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char second[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client_send(fd, first, sizeof first - 1);
    usleep(30000); /* while the worker computes */
    client_send(fd, second, sizeof second - 1);
    struct client_reply a = client_read(fd, false), b = client_read(fd, false),
                        c = client_read(fd, false);
    CU_ASSERT_STRING_EQUAL(member(&a, "metric"), "\"deviation\"");
    CU_ASSERT_STRING_EQUAL(member(&b, "status"), "\"ok\"");
    CU_ASSERT_STRING_EQUAL(member(&c, "service"), "\"petrosa\"");
    free(a.body);
    free(b.body);
    free(c.body);
    close(fd);
    end();
}

static int count_readable(const int *fds, int n)
{
    int readable = 0;
    for (int i = 0; i < n; i++) {
        struct pollfd one = { .fd = fds[i], .events = POLLIN };
        readable += poll(&one, 1, 0) == 1;
    }
    return readable;
}

static void test_more_waiting_requests_than_there_may_be_are_503(void)
{
    enum { N = 300 };
    static const char *const settings[] = { "http.threads=1", "http.max_connections=1000", NULL };
    static int fds[N];
    begin(settings);
    atomic_store(&fake.answer, FAKE_SILENCE);
    for (int i = 0; i < N; i++) {
        char ask[200];
        int n = snprintf(ask, sizeof ask,
                         "GET /analysis/deviation?pair=P_%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        fds[i] = client_open(port);
        client_send(fds[i], ask, (size_t)n);
    }
    int refused = 0, good = 0;
    for (int i = 0; i < 1000 && atomic_load(&fake.evals) < 256; i++) usleep(5000);
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 256);
    /* only when all the others were refused may places become free */
    for (int i = 0; i < 1000 && count_readable(fds, N) < N - 256; i++) usleep(5000);
    CU_ASSERT_EQUAL(count_readable(fds, N), N - 256);
    atomic_store(&fake.answer, FAKE_RESULT);
    for (int i = 0; i < N; i++) {
        struct client_reply reply = client_read(fds[i], false);
        refused += reply.status == 503;
        good += reply.status == 200;
        free(reply.body);
        close(fds[i]);
    }
    CU_ASSERT_EQUAL(refused + good, N);
    CU_ASSERT_EQUAL(good, 256);
    end();
}

static void test_stopping_answers_what_is_under_way(void)
{
    begin(one_thread);
    atomic_store(&fake.delay_ms, 200);
    int computing = client_open(port), idle = client_open(port), silent = client_open(port);
    static const char ask[] = "GET /analysis/deviation?pair=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n";
    client_send(computing, ask, sizeof ask - 1);
    struct client_reply alive = client_ask(idle, "GET", "/", "");
    CU_ASSERT_EQUAL(alive.status, 200);
    for (int i = 0; i < 1000 && atomic_load(&fake.evals) == 0; i++) usleep(1000);
    pt_http_stop(http);
    struct client_reply reply = client_read(computing, false);
    CU_ASSERT_EQUAL(reply.status, 200);
    CU_ASSERT_STRING_EQUAL(client_header(&reply, "Connection"), "close");
    CU_ASSERT_TRUE(client_closed(idle));
    CU_ASSERT_TRUE(client_closed(silent));
    free(alive.body);
    free(reply.body);
    close(computing);
    close(idle);
    close(silent);
    fake_stop();
}

static void test_stopping_does_not_wait_for_a_dead_engine(void)
{
    begin(one_thread);
    atomic_store(&fake.answer, FAKE_SILENCE);
    int fd = client_open(port);
    static const char ask[] = "GET /analysis/deviation?pair=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n";
    client_send(fd, ask, sizeof ask - 1);
    for (int i = 0; i < 1000 && atomic_load(&fake.evals) == 0; i++) usleep(1000);
    pt_http_stop(http);
    struct client_reply reply = client_read(fd, false);
    CU_ASSERT_EQUAL(reply.status, 503);
    free(reply.body);
    close(fd);
    fake_stop(); /* its answer finds the mailbox closed */
}

/* ---- replies that are kept ----------------------------------------------------------------------
 */

static uint64_t figure(const char *line)
{
    struct client_reply reply = client_get(port, "/metrics", "");
    const char *at = strstr(reply.body, line);
    uint64_t v = at != NULL ? strtoull(at + strlen(line), NULL, 10) : UINT64_MAX;
    free(reply.body);
    return v;
}

static void test_a_commit_elsewhere_does_not_format_again(void)
{
    begin(one_thread);
    const char *hit = "petrosa_http_cache_total{result=\"hit\"} ",
               *same = "petrosa_http_cache_total{result=\"same\"} ";
    const char *target = "/analysis/deviation?pair=BTCUSDT";
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5, "h");
    struct client_reply first = client_get(port, target, "");
    check(target, "", 200, NULL, NULL);
    CU_ASSERT_EQUAL(figure(hit), 1);
    fake_store_result("deviation", "ETHUSDT", PT_US_HOUR, T0, "ok", 9.5, "h"); /* another pair */
    check(target, "", 200, "data.level", "\"1.5\"");
    CU_ASSERT_EQUAL(figure(same), 1);
    check(target, "", 200, "data.level", "\"1.5\"");
    CU_ASSERT_EQUAL(figure(hit), 2);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 2.5,
                      "h"); /* this very result */
    check(target, "", 200, "data.level", "\"2.5\"");
    fake_reload();
    check(target, "", 200, "data.level", "\"2.5\"");
    check(target, "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(figure(hit), 3);
    free(first.body);
    end();
}

/* Whoever computes is of the scripts before, whoever asks meanwhile of those after. */
static void test_an_answer_of_before_a_reload_is_not_one_of_after_it(void)
{
    begin(one_thread);
    store_hours(1);
    atomic_store(&fake.answer, FAKE_SILENCE);
    int fd = client_open(port);
    static const char ask[] =
        "GET /analysis/deviation?pair=BTCUSDT&window=30 HTTP/1.1\r\nHost: a\r\n\r\n";
    client_send(fd, ask, sizeof ask - 1);
    for (int i = 0; i < 1000 && atomic_load(&fake.evals) == 0; i++) usleep(1000);
    fake_reload();
    check("/", "", 200, NULL, NULL);
    atomic_store(&fake.answer, FAKE_RESULT);
    struct client_reply reply = client_read(fd, false);
    CU_ASSERT_EQUAL(reply.status, 200);
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 2);
    fake_reload(); /* of which the script is the same */
    check("/analysis/deviation?pair=BTCUSDT&window=30", "", 200, "data.level", "\"2.5\"");
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), 2);
    free(reply.body);
    close(fd);
    end();
}

static void test_what_failed_is_tried_again_soon(void)
{
    begin(one_thread);
    const char *target = "/analysis/deviation?pair=BTCUSDT&window=30";
    store_hours(1);
    atomic_store(&fake.failed, true);
    int64_t begun_us = pt_mono_us();
    check(target, "", 200, NULL, NULL);
    check(target, "", 200, NULL, NULL);
    if (pt_mono_us() - begun_us < 900000) CU_ASSERT_EQUAL(atomic_load(&fake.evals), 1);
    usleep(1100000);
    atomic_store(&fake.failed, false);
    check(target, "", 200, NULL, NULL);
    unsigned evals = atomic_load(&fake.evals);
    CU_ASSERT(evals >= 2);
    usleep(1100000);
    check(target, "", 200, NULL, NULL);
    CU_ASSERT_EQUAL(atomic_load(&fake.evals), evals);
    end();
}

static void test_the_tag_says_what_not_when(void)
{
    begin(one_thread);
    const char *target = "/analysis/deviation?pair=BTCUSDT";
    char tag[64], condition[100];
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5, "h");
    struct client_reply reply = client_get(port, target, "");
    snprintf(tag, sizeof tag, "%s", client_header(&reply, "ETag"));
    free(reply.body);
    CU_ASSERT_TRUE(strlen(tag) > 4);
    usleep(2000);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5,
                      "h"); /* computed again, later */
    snprintf(condition, sizeof condition, "If-None-Match: \"other\", %s\r\n", tag);
    reply = client_get(port, target, condition);
    CU_ASSERT_EQUAL(reply.status, 304);
    CU_ASSERT_EQUAL(reply.len, 0);
    CU_ASSERT_STRING_EQUAL(client_header(&reply, "ETag"), tag);
    free(reply.body);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1.5, "another script");
    reply = client_get(port, target, condition);
    CU_ASSERT_EQUAL(reply.status, 200);
    free(reply.body);
    end();
}

/* ---- many threads -------------------------------------------------------------------------------
 */

static void *hammer(void *arg)
{
    static const char *const targets[] = { "/analysis/deviation?pair=BTCUSDT",
                                           "/analysis/volatility?pair=BTCUSDT&limit=5",
                                           "/analysis/deviation?pair=BTCUSDT&window=30",
                                           "/data/candles?pair=BTCUSDT&period=1h&limit=50",
                                           "/data/candles?pair=BTCUSDT&period=4h&limit=50",
                                           "/metrics",
                                           "/scripts",
                                           "/openapi.json",
                                           "/health/readiness" };
    size_t *bad = arg;
    int fd = client_open(port);
    for (size_t i = 0; i < 150; i++) {
        struct client_reply reply =
            client_ask(fd, "GET", targets[i % (sizeof targets / sizeof targets[0])],
                       i % 2 ? "Accept-Encoding: gzip\r\n" : "");
        *bad += reply.status != 200 || reply.len == 0;
        free(reply.body);
    }
    close(fd);
    return NULL;
}

static void test_many_threads_answer_while_the_store_and_the_scripts_change(void)
{
    enum { CLIENTS = 6 };
    static const char *const settings[] = { "http.threads=4", NULL };
    pthread_t clients[CLIENTS];
    size_t bad[CLIENTS] = { 0 };
    begin(settings);
    store_hours(100);
    fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0, "ok", 1, "h");
    for (int i = 0; i < CLIENTS; i++) pthread_create(&clients[i], NULL, hammer, &bad[i]);
    for (int i = 1; i <= 60; i++) {
        fake_store_result("deviation", "BTCUSDT", PT_US_HOUR, T0 + i * PT_US_HOUR, "ok", i, "h");
        if (i % 10 == 0) fake_reload();
        usleep(1000);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
        CU_ASSERT_EQUAL(bad[i], 0);
    }
    end();
}

/* ---- starting -----------------------------------------------------------------------------------
 */

static void test_a_taken_port_is_told(void)
{
    struct pt_err err;
    struct pt_http *second = NULL;
    char setting[40];
    begin(one_thread);
    snprintf(setting, sizeof setting, "http.port=%u", port);
    CU_ASSERT_EQUAL_FATAL(pt_conf_set(fake.conf, setting, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_http_start(&fake, &second, &err), PT_EBUSY);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, setting + 10));
    end();
}

static void test_bad_settings_are_told(void)
{
    static const char *const bad[][2] = { { "http.token_file=/no/such/file", "/no/such/file" },
                                          { "http.protect_reads=yes", "token_file" },
                                          { "http.bind=not an address", "bind" },
                                          { "http.token_file=/dev/null", "token" } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pt_err err;
        struct pt_http *none = NULL;
        const char *settings[] = { bad[i][0], NULL };
        fake_start(settings);
        CU_ASSERT_NOT_EQUAL(pt_http_start(&fake, &none, &err), PT_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i][1]));
        fake_stop();
    }
}

static void post(const char *target, int status, const char *path, const char *want)
{
    int fd = client_open(port);
    struct client_reply reply = client_ask(fd, "POST", target, "Content-Length: 0\r\n");
    CU_ASSERT_EQUAL(reply.status, status);
    if (path != NULL) CU_ASSERT_STRING_EQUAL(member(&reply, path), want);
    free(reply.body);
    close(fd);
}

static void test_a_reload_is_posted_and_waited_for(void)
{
    begin(one_thread);
    check("/scripts", "", 200, "last_reload", "null");
    post("/scripts/reload", 200, "diff", "false");
    CU_ASSERT_EQUAL(atomic_load(&fake_reloads), 1);
    check("/scripts", "", 200, "last_reload.ok", "true");
    post("/scripts/reload?diff=true", 200, "diff", "true");
    CU_ASSERT_EQUAL(atomic_load(&fake_diffs), 1);
    atomic_store(&fake_reload_fails, true);
    post("/scripts/reload", 409, "ok", "false");
    atomic_store(&fake_reload_fails, false);
    check("/scripts/reload", "", 405, NULL, NULL);
    post("/scripts", 405, NULL, NULL);
    post("/scripts/reload?diff=7", 422, NULL, NULL);
    CU_ASSERT_EQUAL(atomic_load(&fake_reloads), 2);
    end();
}

static CU_TestInfo tests[] = {
    { "a reload is posted and waited for", test_a_reload_is_posted_and_waited_for },
    { "a stored result is given as declared", test_a_stored_result_is_given_as_declared },
    { "an old result is stale only as the current one",
      test_an_old_result_is_stale_only_as_the_current_one },
    { "only what differs from the parameters in force is computed",
      test_only_what_differs_from_the_parameters_in_force_is_computed },
    { "a stored result as of then is not computed again",
      test_a_stored_result_as_of_then_is_not_computed_again },
    { "no data is an empty reply", test_no_data_is_an_empty_reply },
    { "bad analysis parameters are named", test_bad_analysis_parameters_are_named },
    { "unknown metrics name the loaded ones", test_unknown_metrics_name_the_loaded_ones },
    { "a failed unit is 503", test_a_failed_unit_is_503 },
    { "a worker that does not answer in time is 503",
      test_a_worker_that_does_not_answer_in_time_is_503 },
    { "a client that left is forgotten", test_a_client_that_left_is_forgotten },
    { "pipelined requests behind a computed one are answered in order",
      test_pipelined_requests_behind_a_computed_one_are_answered_in_order },
    { "more waiting requests than there may be are 503",
      test_more_waiting_requests_than_there_may_be_are_503 },
    { "stopping answers what is under way", test_stopping_answers_what_is_under_way },
    { "stopping does not wait for a dead engine", test_stopping_does_not_wait_for_a_dead_engine },
    { "a commit elsewhere does not format again", test_a_commit_elsewhere_does_not_format_again },
    { "an answer of before a reload is not one of after it",
      test_an_answer_of_before_a_reload_is_not_one_of_after_it },
    { "what failed is tried again soon", test_what_failed_is_tried_again_soon },
    { "the tag says what, not when", test_the_tag_says_what_not_when },
    { "many threads answer while the store and the scripts change",
      test_many_threads_answer_while_the_store_and_the_scripts_change },
    { "a taken port is told", test_a_taken_port_is_told },
    { "bad settings are told", test_bad_settings_are_told },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_http", tests);
}
