#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define YEAR_MIN 1970
#define YEAR_MAX 2261

/* Reading position in a text; every reader below moves on only when it succeeds. */
struct cursor {
    const char *p, *end;
};

static bool eat(struct cursor *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

static size_t digits_ahead(const struct cursor *c)
{
    const char *p = c->p;
    while (p < c->end && *p >= '0' && *p <= '9') p++;
    return (size_t)(p - c->p);
}

/* Exactly n digits, n <= 18. */
static bool fixed(struct cursor *c, size_t n, int64_t *out)
{
    if ((size_t)(c->end - c->p) < n) return false;
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (c->p[i] < '0' || c->p[i] > '9') return false;
        v = v * 10 + (c->p[i] - '0');
    }
    c->p += n;
    *out = v;
    return true;
}

/* All digits ahead: at least one, and a value that fits. */
static bool number(struct cursor *c, int64_t *out)
{
    size_t n = digits_ahead(c);
    if (n == 0) return false;
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        int digit = c->p[i] - '0';
        if (v > (INT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    c->p += n;
    *out = v;
    return true;
}

/* ---- Calendar (proleptic Gregorian; years counted from March, so that leap days come last) ----
 */

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - DAYS_TO_1970;
}

static void civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march + (from_march < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Division that rounds down, also before 1970. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

/* ---- Times ---- */

int64_t pt_time_from_epoch(int64_t v)
{
    const int64_t seconds = INT64_C(100000000000);
    if (v > -seconds && v < seconds) return v * PT_US_SEC;
    if (v > -1000 * seconds && v < 1000 * seconds) return v * 1000;
    if (v > -1000000 * seconds && v < 1000000 * seconds) return v;
    return floor_div(v, 1000);
}

/* The digits after a point, 1..9 of them, as microseconds. */
static bool fraction(struct cursor *c, int64_t *us)
{
    size_t n = digits_ahead(c);
    if (n < 1 || n > 9) return false;
    int64_t v = 0;
    fixed(c, n, &v);
    for (; n < 6; n++) v *= 10;
    for (; n > 6; n--) v /= 10;
    *us = v;
    return true;
}

/* Seconds, ms, us or ns; a fraction belongs to seconds, or is nothing but zeros (a column of whole
 * numbers that went through floating point). */
static bool epoch(struct cursor *c, int64_t *us)
{
    int64_t v, part = 0;
    if (!number(c, &v)) return false;
    if (eat(c, '.') && !fraction(c, &part)) return false;
    if (part != 0 && v >= INT64_C(100000000000)) return false;
    *us = pt_time_from_epoch(v) + part;
    return true;
}

static bool date(struct cursor *c, int64_t *us)
{
    int64_t year, month, day;
    if (!fixed(c, 4, &year) || !eat(c, '-') || !fixed(c, 2, &month) || !eat(c, '-') ||
        !fixed(c, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
    *us = days_from_civil(year, month, day) * PT_US_DAY;
    return true;
}

/* HH:MM[:SS[.f]] */
static bool time_of_day(struct cursor *c, int64_t *us)
{
    int64_t hour, minute, second = 0, part = 0;
    if (!fixed(c, 2, &hour) || !eat(c, ':') || !fixed(c, 2, &minute)) return false;
    if (eat(c, ':')) {
        if (!fixed(c, 2, &second)) return false;
        if (eat(c, '.') && !fraction(c, &part)) return false;
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    *us = hour * PT_US_HOUR + minute * PT_US_MIN + second * PT_US_SEC + part;
    return true;
}

/* Z, +HH, +HHMM, +HH:MM, the last three also with '-'; a zero offset may be followed by a Z, which
 * some senders append to a text that has one already. */
static bool offset(struct cursor *c, int64_t *us)
{
    int64_t hour, minute = 0;
    *us = 0;
    if (eat(c, 'Z') || eat(c, 'z')) return true;
    bool west = eat(c, '-');
    if (!west && !eat(c, '+')) return false;
    if (!fixed(c, 2, &hour)) return false;
    if (eat(c, ':')) {
        if (!fixed(c, 2, &minute)) return false;
    } else if (digits_ahead(c) > 0) {
        if (!fixed(c, 2, &minute)) return false;
    }
    if (hour > 23 || minute > 59) return false;
    *us = (hour * 60 + minute) * PT_US_MIN * (west ? -1 : 1);
    if (*us == 0) eat(c, 'Z');
    return true;
}

enum pt_code pt_time_parse(const char *text, size_t len, int64_t *us)
{
    struct cursor c = { text, text + len };
    int64_t at = 0, tod = 0, east = 0;
    size_t n = digits_ahead(&c);
    if (n == 4 && len > 4 && text[4] == '-') {
        if (!date(&c, &at)) return PT_EINVAL;
        if (c.p < c.end) {
            if (!eat(&c, 'T') && !eat(&c, 't') && !eat(&c, ' ')) return PT_EINVAL;
            if (!time_of_day(&c, &tod)) return PT_EINVAL;
            if (c.p < c.end && *c.p == ' ' && c.end - c.p > 1) c.p++; /* "12:00:00 +00:00" */
            if (c.p < c.end && !offset(&c, &east)) return PT_EINVAL;
        }
        at += tod - east;
    } else if (!epoch(&c, &at)) {
        return PT_EINVAL;
    }
    if (c.p != c.end) return PT_EINVAL;
    const int64_t limit = days_from_civil(YEAR_MAX + 1, 1, 1) * PT_US_DAY;
    if (at < 0 || at >= limit) return PT_EINVAL;
    *us = at;
    return PT_OK;
}

static char *two(char *p, int64_t v)
{
    *p++ = (char)('0' + v / 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

size_t pt_time_print(int64_t us, char out[PT_TIME_TEXT_MAX])
{
    int64_t year, month, day;
    int64_t rest = floor_mod(us, PT_US_DAY);
    civil_from_days(floor_div(us, PT_US_DAY), &year, &month, &day);
    char *p = out;
    if (year >= 0 && year <= 9999) {
        p = two(p, year / 100);
        p = two(p, year % 100);
    } else { /* far outside of what is ever read in, but an int64 can say it */
        p += snprintf(p, PT_TIME_TEXT_MAX - 24, "%lld", (long long)year);
    }
    *p++ = '-';
    p = two(p, month);
    *p++ = '-';
    p = two(p, day);
    *p++ = 'T';
    p = two(p, rest / PT_US_HOUR);
    *p++ = ':';
    p = two(p, rest / PT_US_MIN % 60);
    *p++ = ':';
    p = two(p, rest / PT_US_SEC % 60);
    int64_t part = rest % PT_US_SEC;
    if (part != 0) {
        *p++ = '.';
        for (int64_t place = PT_US_SEC / 10; part != 0; place /= 10) {
            *p++ = (char)('0' + part / place);
            part %= place;
        }
    }
    *p++ = 'Z';
    *p = '\0';
    return (size_t)(p - out);
}

int pt_hour_of_day(int64_t us)
{
    return (int)(floor_mod(us, PT_US_DAY) / PT_US_HOUR);
}

int pt_day_of_week(int64_t us)
{
    return (int)floor_mod(floor_div(us, PT_US_DAY) + 3, 7); /* 1970-01-01 was a Thursday */
}
