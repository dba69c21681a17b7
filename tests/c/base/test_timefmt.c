#include "base/timefmt.h"
#include "prng.h"
#include "suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum pt_code parse(const char *text, int64_t *us)
{
    size_t len = strlen(text);
    char *exact = malloc(len > 0 ? len : 1); /* a byte read past the end is seen */
    memcpy(exact, text, len);
    enum pt_code rc = pt_time_parse(exact, len, us);
    free(exact);
    return rc;
}

#define T2025 INT64_C(1735689600) /* 2025-01-01T00:00:00Z */

static void test_reads_every_form(void)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "2025-01-01T00:00:00Z", T2025 * PT_US_SEC },
        { "2025-01-01T00:00:00", T2025 * PT_US_SEC },
        { "2025-01-01t00:00:00z", T2025 * PT_US_SEC },
        { "2025-01-01 00:00:00", T2025 * PT_US_SEC },
        { "2025-01-01 00:00", T2025 * PT_US_SEC },
        { "2025-01-01T00:00Z", T2025 * PT_US_SEC },
        { "2025-01-01", T2025 * PT_US_SEC },
        { "2025-01-01T00:00:00+00:00", T2025 * PT_US_SEC },
        { "2025-01-01T00:00:00+00:00Z", T2025 * PT_US_SEC },
        { "2025-01-01 00:00:00 +00:00", T2025 * PT_US_SEC },
        { "2025-01-01T01:00:00+01:00", T2025 * PT_US_SEC },
        { "2025-01-01T05:30:00+0530", T2025 * PT_US_SEC },
        { "2024-12-31T19:00:00-05", T2025 * PT_US_SEC },
        { "2025-01-01T00:00:00.5Z", T2025 * PT_US_SEC + 500000 },
        { "2025-01-01T00:00:00.123456Z", T2025 * PT_US_SEC + 123456 },
        { "2025-01-01 00:00:00.123456789", T2025 * PT_US_SEC + 123456 },
        { "1735689600", T2025 * PT_US_SEC },
        { "1735689600123", T2025 * PT_US_SEC + 123000 },
        { "1735689600123456", T2025 * PT_US_SEC + 123456 },
        { "1735689600123456789", T2025 * PT_US_SEC + 123456 },
        { "1735689600.25", T2025 * PT_US_SEC + 250000 },
        { "1735689600123.0", T2025 * PT_US_SEC + 123000 },
        { "0", 0 },
        { "1970-01-01", 0 },
        { "2000-02-29", INT64_C(951782400) * PT_US_SEC },
        { "2261-12-31T23:59:59.999999Z", INT64_C(9214646400) * PT_US_SEC - 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = -1;
        CU_ASSERT_EQUAL(parse(cases[i].text, &us), PT_OK);
        CU_ASSERT_EQUAL(us, cases[i].us);
        if (us != cases[i].us) printf("[%s -> %" PRId64 "] ", cases[i].text, us);
    }
}

static void test_refuses_the_rest(void)
{
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "now",
        "2025", /* see below */
        "2025-1-1",
        "2025-13-01",
        "2025-00-01",
        "2025-01-00",
        "2025-01-32",
        "2025-02-29",
        "2100-02-29",
        "2025-04-31",
        "2025-01",
        "2025-01-01T",
        "2025-01-01T00",
        "2025-01-01T24:00",
        "2025-01-01T00:60",
        "2025-01-01T00:00:60",
        "2025-01-01T00:00:00.",
        "2025-01-01T00:00:0",
        "2025-01-01T00:00:00.1234567890",
        "2025-01-01T00:00:00+",
        "2025-01-01T00:00:00+1",
        "2025-01-01T00:00:00+01:",
        "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00+01:60",
        "2025-01-01T00:00:00+01:00Z",
        "2025-01-01T00:00:00ZZ",
        "2025-01-01T00:00:00Z ",
        " 2025-01-01",
        "2025-01-01 ",
        "2025-01-01X00:00",
        "2025/01/01",
        "01-01-2025",
        "-1",
        "+1735689600",
        "1735689600.",
        "1735689600123.5",
        "1735689600a",
        "1e9",
        "1969-12-31",
        "1970-01-01T00:00:00+01:00",
        "2262-01-01",
        "2261-12-31T23:59:59-00:01",
        "0000-01-01",
        "99999999999999999999",
        "9223372036854775808",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 42;
        if (strcmp(bad[i], "2025") == 0) { /* four digits alone are seconds, not a year */
            CU_ASSERT_EQUAL(parse(bad[i], &us), PT_OK);
            CU_ASSERT_EQUAL(us, 2025 * PT_US_SEC);
            continue;
        }
        CU_ASSERT_EQUAL(parse(bad[i], &us), PT_EINVAL);
        CU_ASSERT_EQUAL(us, 42);
        if (us != 42) printf("[%s] ", bad[i]);
    }
}

static void test_epoch_units_by_magnitude(void)
{
    CU_ASSERT_EQUAL(pt_time_from_epoch(99999999999), 99999999999 * PT_US_SEC);
    CU_ASSERT_EQUAL(pt_time_from_epoch(100000000000), INT64_C(100000000000000));
    CU_ASSERT_EQUAL(pt_time_from_epoch(99999999999999), INT64_C(99999999999999000));
    CU_ASSERT_EQUAL(pt_time_from_epoch(100000000000000), INT64_C(100000000000000));
    CU_ASSERT_EQUAL(pt_time_from_epoch(99999999999999999), INT64_C(99999999999999999));
    CU_ASSERT_EQUAL(pt_time_from_epoch(100000000000000000), INT64_C(100000000000000));
    CU_ASSERT_EQUAL(pt_time_from_epoch(-1), -PT_US_SEC);
    CU_ASSERT_EQUAL(pt_time_from_epoch(INT64_MAX), INT64_MAX / 1000);
    CU_ASSERT_EQUAL(pt_time_from_epoch(INT64_MIN), INT64_MIN / 1000 - 1);
}

static void test_prints_what_gmtime_says(void)
{
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        int64_t us = (int64_t)(prng_next(&seed) % UINT64_C(9214646400000000));
        if (i % 3 == 0) us -= us % PT_US_SEC;
        time_t seconds = (time_t)(us / PT_US_SEC);
        struct tm tm;
        char expected[64], out[PT_TIME_TEXT_MAX];
        gmtime_r(&seconds, &tm);
        size_t n = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &tm);
        if (us % PT_US_SEC != 0) {
            n +=
                (size_t)snprintf(expected + n, sizeof expected - n, ".%06d", (int)(us % PT_US_SEC));
            while (expected[n - 1] == '0') n--;
        }
        expected[n++] = 'Z';
        expected[n] = '\0';
        CU_ASSERT_EQUAL_FATAL(pt_time_print(us, out), n);
        CU_ASSERT_STRING_EQUAL_FATAL(out, expected);
        int64_t back;
        CU_ASSERT_EQUAL_FATAL(parse(out, &back), PT_OK);
        CU_ASSERT_EQUAL_FATAL(back, us);
        CU_ASSERT_EQUAL_FATAL(pt_hour_of_day(us), tm.tm_hour);
        CU_ASSERT_EQUAL_FATAL(pt_day_of_week(us), (tm.tm_wday + 6) % 7);
    }
}

static void test_prints_times_outside_of_what_is_read(void)
{
    char out[PT_TIME_TEXT_MAX];
    pt_time_print(-1, out);
    CU_ASSERT_STRING_EQUAL(out, "1969-12-31T23:59:59.999999Z");
    pt_time_print(INT64_MAX, out);
    CU_ASSERT_STRING_EQUAL(out, "294247-01-10T04:00:54.775807Z");
    pt_time_print(INT64_MIN, out);
    CU_ASSERT_STRING_EQUAL(out, "-290308-12-21T19:59:05.224192Z");
    CU_ASSERT_EQUAL(pt_hour_of_day(-1), 23);
    CU_ASSERT_EQUAL(pt_day_of_week(-1), 2); /* a Wednesday */
}

static enum pt_code span(const char *text, int64_t *us)
{
    return pt_span_parse(text, strlen(text), us);
}

static void test_reads_spans(void)
{
    static const struct {
        const char *text;
        int64_t us;
        const char *printed;
    } cases[] = {
        { "90d", 90 * PT_US_DAY, "90d" }, { "24h", PT_US_DAY, "1d" },
        { "15m", 15 * PT_US_MIN, "15m" }, { "90m", 90 * PT_US_MIN, "90m" },
        { "30s", 30 * PT_US_SEC, "30s" }, { "2w", 2 * PT_US_WEEK, "2w" },
        { "14d", 2 * PT_US_WEEK, "2w" },  { "100ms", 100000, "100ms" },
        { "1000ms", PT_US_SEC, "1s" },    { "1500us", 1500, "1500us" },
        { "03m", 3 * PT_US_MIN, "3m" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t us = -1;
        char out[PT_PERIOD_TEXT_MAX];
        CU_ASSERT_EQUAL(span(cases[i].text, &us), PT_OK);
        CU_ASSERT_EQUAL(us, cases[i].us);
        CU_ASSERT_EQUAL(pt_span_print(us, out), strlen(cases[i].printed));
        CU_ASSERT_STRING_EQUAL(out, cases[i].printed);
    }
    static const char *const bad[] = { "",
                                       "m",
                                       "1",
                                       "1M",
                                       "0m",
                                       "-1m",
                                       "1 m",
                                       "1mm",
                                       "1.5h",
                                       "1h ",
                                       "1D",
                                       "1hour",
                                       "99999999999999999999s",
                                       "9223372036854775807s",
                                       "16000000w" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us = 42;
        CU_ASSERT_EQUAL(span(bad[i], &us), PT_EINVAL);
        CU_ASSERT_EQUAL(us, 42);
    }
}

static void test_printed_spans_read_back(void)
{
    uint64_t seed = 2;
    for (int i = 0; i < 100000; i++) {
        int64_t us = (int64_t)(prng_next(&seed) >> (1 + prng_below(&seed, 62))), back;
        if (i % 2 == 0) us -= us % PT_US_MIN;
        if (us == 0) continue;
        char out[PT_PERIOD_TEXT_MAX];
        CU_ASSERT_FATAL(pt_span_print(us, out) < PT_PERIOD_TEXT_MAX);
        CU_ASSERT_EQUAL_FATAL(span(out, &back), PT_OK);
        CU_ASSERT_EQUAL_FATAL(back, us);
    }
    char out[PT_PERIOD_TEXT_MAX];
    pt_span_print(INT64_MAX, out);
    CU_ASSERT_STRING_EQUAL(out, "9223372036854775807us");
    pt_span_print(INT64_MIN, out);
    CU_ASSERT_STRING_EQUAL(out, "-9223372036854775808us");
    pt_span_print(0, out);
    CU_ASSERT_STRING_EQUAL(out, "0s");
}

static void test_knows_the_periods(void)
{
    static const char *const names[] = { "1m", "3m", "5m", "15m", "30m", "1h", "2h",
                                         "4h", "6h", "8h", "12h", "1d",  "3d", "1w" };
    size_t i = 0;
    for (; i < sizeof names / sizeof names[0]; i++) {
        int64_t us, as_span;
        char out[PT_PERIOD_TEXT_MAX];
        CU_ASSERT_EQUAL(pt_period_parse(names[i], strlen(names[i]), &us), PT_OK);
        CU_ASSERT_EQUAL(us, pt_periods[i]);
        CU_ASSERT(span(names[i], &as_span) == PT_OK && as_span == us);
        CU_ASSERT(i == 0 || us > pt_periods[i - 1]);
        pt_period_print(us, out);
        CU_ASSERT_STRING_EQUAL(out, names[i]);
    }
    CU_ASSERT_EQUAL(pt_periods[i], 0);
    static const char *const bad[] = {
        "", "2m", "60m", "24h", "7d", "1M", "1H", "1s", "1mo", "1m "
    };
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        CU_ASSERT_EQUAL(pt_period_parse(bad[i], strlen(bad[i]), &us), PT_EINVAL);
    }
}

static void test_bars_start_on_their_grid(void)
{
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        int64_t t = (int64_t)(prng_next(&seed) % UINT64_C(9214646400000000)) - 100 * PT_US_DAY;
        for (const int64_t *period = pt_periods; *period != 0; period++) {
            int64_t start = pt_period_floor(*period, t);
            CU_ASSERT_FATAL(start <= t && t - start < *period);
            CU_ASSERT_EQUAL_FATAL(pt_period_floor(*period, start), start);
            CU_ASSERT_EQUAL_FATAL(pt_period_floor(*period, start + *period - 1), start);
            CU_ASSERT_EQUAL_FATAL(pt_period_floor(*period, start - 1), start - *period);
            if (*period == PT_US_WEEK) {
                CU_ASSERT_FATAL(pt_day_of_week(start) == 0 && pt_hour_of_day(start) == 0);
            } else {
                CU_ASSERT_EQUAL_FATAL(start % *period, 0);
            }
        }
    }
    int64_t t, start;
    parse("2024-12-05T13:14:15Z", &t);
    parse("2024-12-02", &start);
    CU_ASSERT_EQUAL(pt_period_floor(PT_US_WEEK, t), start);
    parse("2024-12-05T12:00:00Z", &start);
    CU_ASSERT_EQUAL(pt_period_floor(4 * PT_US_HOUR, t), start);
}

static void test_reads_sizes(void)
{
    static const struct {
        const char *text;
        int64_t bytes;
        enum pt_code code;
    } cases[] = {
        { "0", 0, PT_OK },
        { "1048576", 1048576, PT_OK },
        { "64MiB", 64 << 20, PT_OK },
        { "64M", 64 << 20, PT_OK },
        { "1GiB", 1 << 30, PT_OK },
        { "1G", 1 << 30, PT_OK },
        { "32KiB", 32768, PT_OK },
        { "32k", 32768, PT_OK },
        { "32K", 32768, PT_OK },
        { "100B", 100, PT_OK },
        { "2TiB", INT64_C(2) << 40, PT_OK },
        { "8388607T", INT64_C(8388607) << 40, PT_OK },
        { "8388608T", 0, PT_ERANGE },
        { "99999999999999999999", 0, PT_ERANGE },
        { "", 0, PT_EINVAL },
        { "MiB", 0, PT_EINVAL },
        { "64MB", 0, PT_EINVAL },
        { "64 MiB", 0, PT_EINVAL },
        { "-1", 0, PT_EINVAL },
        { "1.5G", 0, PT_EINVAL },
        { "1GiBx", 0, PT_EINVAL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = 0;
        CU_ASSERT_EQUAL(pt_size_parse(cases[i].text, strlen(cases[i].text), &bytes), cases[i].code);
        CU_ASSERT_EQUAL(bytes, cases[i].bytes);
    }
}

static CU_TestInfo tests[] = {
    { "reads every form of a time", test_reads_every_form },
    { "refuses the rest", test_refuses_the_rest },
    { "epoch units by magnitude", test_epoch_units_by_magnitude },
    { "prints what gmtime says", test_prints_what_gmtime_says },
    { "prints times outside of what is read", test_prints_times_outside_of_what_is_read },
    { "reads spans", test_reads_spans },
    { "printed spans read back", test_printed_spans_read_back },
    { "knows the periods", test_knows_the_periods },
    { "bars start on their grid", test_bars_start_on_their_grid },
    { "reads sizes", test_reads_sizes },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("timefmt", tests);
}
