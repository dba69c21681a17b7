#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

/* Descending, so that printing finds the largest whole unit first. */
static const struct unit {
    const char *name;
    int64_t us;
} units[] = {
    { "w", PT_US_WEEK }, { "d", PT_US_DAY }, { "h", PT_US_HOUR }, { "m", PT_US_MIN },
    { "s", PT_US_SEC },  { "ms", 1000 },     { "us", 1 },
};
#define UNITS (sizeof units / sizeof units[0])

/* The leading digits of text; returns how many, 0 when there are none or they do not fit. */
static size_t leading_number(const char *text, size_t len, int64_t *out)
{
    size_t n = 0;
    int64_t v = 0;
    for (; n < len && text[n] >= '0' && text[n] <= '9'; n++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, text[n] - '0', &v))
            return 0;
    }
    *out = v;
    return n;
}

static bool same(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

enum pt_code pt_span_parse(const char *text, size_t len, int64_t *us)
{
    int64_t count, span;
    size_t n = leading_number(text, len, &count);
    if (n == 0 || count == 0) return PT_EINVAL;
    for (size_t i = 0; i < UNITS; i++) {
        if (!same(text + n, len - n, units[i].name)) continue;
        if (__builtin_mul_overflow(count, units[i].us, &span)) return PT_EINVAL;
        *us = span;
        return PT_OK;
    }
    return PT_EINVAL;
}

static size_t print_from(const struct unit *unit, int64_t us, char out[PT_PERIOD_TEXT_MAX])
{
    while (us % unit->us != 0) unit++;
    if (us == 0) unit = &units[4];
    int n = snprintf(out, PT_PERIOD_TEXT_MAX, "%lld%s", (long long)(us / unit->us), unit->name);
    return (size_t)n;
}

size_t pt_span_print(int64_t us, char out[PT_PERIOD_TEXT_MAX])
{
    return print_from(units, us, out);
}

size_t pt_span_print_days(int64_t us, char out[PT_PERIOD_TEXT_MAX])
{
    return print_from(units + 1, us, out);
}

#define PERIODS(X)                                                                                 \
    X("1m", PT_US_MIN)                                                                             \
    X("3m", 3 * PT_US_MIN)                                                                         \
    X("5m", 5 * PT_US_MIN)                                                                         \
    X("15m", 15 * PT_US_MIN)                                                                       \
    X("30m", 30 * PT_US_MIN)                                                                       \
    X("1h", PT_US_HOUR)                                                                            \
    X("2h", 2 * PT_US_HOUR)                                                                        \
    X("4h", 4 * PT_US_HOUR)                                                                        \
    X("6h", 6 * PT_US_HOUR)                                                                        \
    X("8h", 8 * PT_US_HOUR)                                                                        \
    X("12h", 12 * PT_US_HOUR)                                                                      \
    X("1d", PT_US_DAY)                                                                             \
    X("3d", 3 * PT_US_DAY)                                                                         \
    X("1w", PT_US_WEEK)

const int64_t pt_periods[] = {
#define X(name, us) us,
    PERIODS(X)
#undef X
        0
};

size_t pt_period_place(int64_t period_us)
{
    size_t at = 0;
    while (pt_periods[at] != period_us && pt_periods[at] != 0) at++;
    return at;
}

static const char *const period_names[] = {
#define X(name, us) name,
    PERIODS(X)
#undef X
};

enum pt_code pt_period_parse(const char *text, size_t len, int64_t *period_us)
{
    for (size_t i = 0; pt_periods[i] != 0; i++) {
        if (!same(text, len, period_names[i])) continue;
        *period_us = pt_periods[i];
        return PT_OK;
    }
    return PT_EINVAL;
}

size_t pt_period_print(int64_t period_us, char out[PT_PERIOD_TEXT_MAX])
{
    size_t at = pt_period_place(period_us);
    if (pt_periods[at] == 0) return pt_span_print(period_us, out);
    return (size_t)(stpcpy(out, period_names[at]) - out);
}

int64_t pt_period_floor(int64_t period_us, int64_t t_us)
{
    const int64_t monday = period_us == PT_US_WEEK ? 4 * PT_US_DAY : 0; /* 1970-01-05 */
    int64_t rest = (t_us - monday) % period_us;
    return t_us - (rest < 0 ? rest + period_us : rest);
}

enum pt_code pt_size_parse(const char *text, size_t len, int64_t *bytes)
{
    static const struct {
        const char *name;
        int shift;
    } suffixes[] = { { "", 0 },     { "B", 0 },  { "k", 10 },   { "K", 10 },
                     { "KiB", 10 }, { "M", 20 }, { "MiB", 20 }, { "G", 30 },
                     { "GiB", 30 }, { "T", 40 }, { "TiB", 40 } };
    int64_t count;
    size_t digits = 0;
    while (digits < len && text[digits] >= '0' && text[digits] <= '9') digits++;
    if (digits == 0) return PT_EINVAL;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!same(text + digits, len - digits, suffixes[i].name)) continue;
        if (leading_number(text, digits, &count) == 0) return PT_ERANGE;
        if (count > INT64_MAX >> suffixes[i].shift) return PT_ERANGE;
        *bytes = count << suffixes[i].shift;
        return PT_OK;
    }
    return PT_EINVAL;
}
