/* series.c - which series a file's rows belong to, when nobody says it.         [layer: data] */
#include "data/reader_internal.h"

#include "base/timefmt.h"

#include <string.h>

/* ---- the bar length ---- */

#define STEPS_MAX 64 /* different steps looked at */
#define ROWS_MAX 500 /* rows looked at */

static bool is_period(int64_t us)
{
    for (const int64_t *period = pt_periods; *period; period++) {
        if (*period == us) return true;
    }
    return false;
}

static bool field_time(const struct pt_layout *layout, const struct pt_span *fields, uint8_t role,
                       int64_t *us)
{
    for (unsigned i = 0; i < layout->nfields; i++) {
        if (layout->fields[i].role == role)
            return pt_time_parse(fields[i].text, fields[i].len, us) == PT_OK;
    }
    return false;
}

static bool open_time(const struct pt_layout *layout, const struct pt_span *fields, int64_t *us)
{
    return field_time(layout, fields, PT_FIELD_TIME, us) ||
           field_time(layout, fields, PT_FIELD_TIME_US, us);
}

int64_t pt_layout_period(const struct pt_layout *layout, const char *text, size_t len)
{
    struct {
        int64_t us;
        unsigned count;
    } steps[STEPS_MAX], *best = NULL;
    size_t nsteps = 0;
    int64_t before = 0, from_close = 0;
    bool any = false;
    const char *end = text + len;
    for (unsigned row = 0; row < ROWS_MAX && text < end; row++) {
        struct pt_span fields[PT_FIELDS_MAX];
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line_len = newline ? (size_t)(newline - text) : (size_t)(end - text);
        unsigned n = pt_split_line(text, pt_line_trim(text, line_len), fields, PT_FIELDS_MAX);
        text += line_len + (newline != NULL);
        int64_t us, close_us;
        if (n != layout->nfields || !open_time(layout, fields, &us)) continue;
        if (field_time(layout, fields, PT_FIELD_CLOSE_TIME, &close_us)) {
            /* the last instant of the bar: 1 ms or 1 us before the next */
            if (is_period(close_us - us + 1)) from_close = close_us - us + 1;
            if (is_period(close_us - us + 1000)) from_close = close_us - us + 1000;
        }
        if (any && us > before) {
            size_t i = 0;
            while (i < nsteps && steps[i].us != us - before) i++;
            if (i == nsteps && nsteps < STEPS_MAX) {
                steps[nsteps].us = us - before;
                steps[nsteps++].count = 0;
            }
            if (i < nsteps) steps[i].count++;
        }
        before = us;
        any = true;
    }
    for (size_t i = 0; i < nsteps; i++) {
        if (!best || steps[i].count > best->count) best = &steps[i];
    }
    if (best && is_period(best->us)) return best->us;
    return from_close;
}

/* ---- names ---- */

static size_t symbol_run(const char *text, bool underscore)
{
    size_t len = 0;
    while ((text[len] >= 'A' && text[len] <= 'Z') || (text[len] >= '0' && text[len] <= '9') ||
           (underscore && text[len] == '_'))
        len++;
    return len;
}

/* "1h" behind a symbol, if it ends there: "1h-2024" and "1h.csv" do, "15min" does not. */
static int64_t period_at(const char *text)
{
    size_t len = 0;
    int64_t us;
    while (text[len] >= '0' && text[len] <= '9') len++;
    if (len == 0 || !strchr("mhdw", text[len]) || text[len] == '\0') return 0;
    len++;
    char next = text[len];
    if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
        (next >= '0' && next <= '9'))
        return 0;
    return pt_period_parse(text, len, &us) == PT_OK ? us : 0;
}

void pt_name_parse(const char *path, char symbol[PT_SYMBOL_MAX], int64_t *period_us)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    memset(symbol, 0, PT_SYMBOL_MAX);
    *period_us = 0;
    for (int k = 0; k < PT_KINDS; k++) { /* our own names: candles_BTCUSDT_1h */
        const char *prefix = pt_kind((enum pt_kind_id)k)->collection;
        size_t len = strlen(prefix);
        if (strncmp(name, prefix, len) == 0 && name[len] == '_') name += len + 1;
    }
    /* a symbol may hold an underscore itself: try each place where it may end */
    size_t run = symbol_run(name, true);
    for (size_t len = 2; len <= run && len < PT_SYMBOL_MAX - 1; len++) {
        if (name[len] != '-' && name[len] != '_') continue;
        *period_us = period_at(name + len + 1);
        if (*period_us > 0 && pt_symbol_parse(name, len, symbol) == PT_OK) return;
        *period_us = 0;
    }
    size_t len = symbol_run(name, false);
    /* a delivery future: BTCUSDT_230630-trades-2023.csv */
    if (name[len] == '_' && strspn(name + len + 1, "0123456789") == 6 && run == len + 7) len = run;
    if (len < 5 || len > 30 || !strchr("-_.", name[len])) return;
    if (pt_symbol_parse(name, len, symbol) != PT_OK) memset(symbol, 0, PT_SYMBOL_MAX);
}
