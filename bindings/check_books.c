/* check_books.c - order books around a walk.                                   [layer: bindings] */
#include "bindings/check_books.h"

#include "base/timefmt.h"
#include "num/rng.h"

#include <math.h>
#include <string.h>

#define FRONT 10 /* books before the span */
#define BACK 5   /* books after the newest */
#define ROWS_MAX 2000
#define TICK 0.01

/* One side: best level first, each a few ticks further from the middle. */
static void fill_side(struct pt_rng *rng, const struct pt_check_books_style *style, double best,
                      double direction, double levels[2][PT_DEPTH_LEVELS])
{
    size_t n = style->thin ? 3 : PT_DEPTH_LEVELS;
    double price = best;
    for (size_t i = 0; i < PT_DEPTH_LEVELS; i++) {
        double quantity = 1 + 50 * pt_rng_uniform(rng);
        if (style->wide) quantity /= 100;
        levels[0][i] = i < n ? round(price / TICK) * TICK : NAN;
        levels[1][i] = i < n ? round(quantity * 1000) / 1000 : NAN;
        price += direction * TICK * (1 + (double)pt_rng_below(rng, 30));
    }
}

static void fill_row(struct pt_rng *rng, const struct pt_check_books_style *style, double mid,
                     bool known, struct pt_memory_books *books, size_t i)
{
    double half = style->wide ? 0.02 * mid : TICK * (1 + (double)pt_rng_below(rng, 3));
    for (int s = 0; s < 2; s++) {
        double direction = s == 0 ? -1 : 1;
        fill_side(rng, style, mid + direction * half, direction, books->levels[i][s]);
        for (size_t k = 0; !known && k < PT_DEPTH_LEVELS; k++)
            books->levels[i][s][0][k] = books->levels[i][s][1][k] = NAN;
    }
    books->bid[i] = books->levels[i][0][0][0];
    books->ask[i] = books->levels[i][1][0][0];
}

enum pt_code pt_check_books_make(struct pt_memory_books *books, const char *symbol, int64_t span_us,
                                 int64_t newest_us, const struct pt_check_books_style *style,
                                 struct pt_err *err)
{
    int64_t step_us = span_us / 60 / PT_US_SEC * PT_US_SEC;
    if (step_us < PT_US_SEC) step_us = PT_US_SEC;
    if (step_us > 45 * PT_US_SEC) step_us = 45 * PT_US_SEC; /* a book stands for a minute */
    while (span_us / step_us > ROWS_MAX) step_us *= 2;
    size_t inside = style->single ? 1 : (size_t)(span_us / step_us) + 1;
    size_t front = style->single ? 0 : FRONT, n = front + inside + BACK;
    struct pt_rng rng;
    double mid = 250;
    pt_rng_seed(&rng, style->seed, 7);
    enum pt_code rc = pt_memory_books_init(books, symbol, n, err);
    for (size_t i = 0; i < n && rc == PT_OK; i++) {
        int64_t back = (int64_t)(front + inside - 1) - (int64_t)i;
        bool known =
            !(style->breaks && i >= front + inside / 3 && i < front + inside / 3 + 2 && back > 0);
        if (style->flat) pt_rng_seed(&rng, style->seed, 7); /* the same book again */
        if (!style->flat) mid *= 1 + 0.0005 * pt_rng_normal(&rng);
        books->time_us[i] = newest_us - back * step_us;
        fill_row(&rng, style, mid, known, books, i);
    }
    return rc;
}

enum pt_code pt_check_books_show(const struct pt_memory_books *from, const char *symbol,
                                 int64_t from_us, int64_t limit_us, int64_t later_us,
                                 struct pt_memory_books *out, struct pt_err *err)
{
    size_t first = 0, end = 0, total = from->books.n;
    while (first < total && from->time_us[first] < from_us) first++;
    for (end = first; end < total && from->time_us[end] <= limit_us;) end++;
    enum pt_code rc = pt_memory_books_init(out, symbol, end - first, err);
    if (rc != PT_OK) return rc;
    for (size_t i = first; i < end; i++) {
        out->time_us[i - first] = from->time_us[i] + later_us;
        out->bid[i - first] = from->bid[i];
        out->ask[i - first] = from->ask[i];
        memcpy(out->levels[i - first], from->levels[i], sizeof *out->levels);
    }
    pt_memory_books_close(out, limit_us + later_us);
    return PT_OK;
}
