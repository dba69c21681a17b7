/* store_trades.c - what stands beside a symbol's bars: its trades, and rows of other kinds.
 *                                                                            [layer: bindings] */
#include "bindings/store_columns.h"

#include "base/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define OTHERS_MAX ((uint64_t)1 << 18) /* rows of another kind: three days of one a second */

struct tally {
    double sum[2], lost[2]; /* by side, with the rounding error carried (Neumaier 1974) */
    double first_id, last_id;
    bool any, hole;
};

static bool take_trades(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct tally *tally = arg;
    (void)time_us;
    for (size_t i = 0; i < n; i++) {
        double id = cols[0][i], x = cols[1][i];
        int side = cols[2][i] == PT_SIDE_SELL;
        if (tally->any && id != tally->last_id + 1) tally->hole = true;
        if (!tally->any) tally->first_id = id;
        tally->any = true;
        tally->last_id = id;
        double sum = tally->sum[side] + x;
        tally->lost[side] += fabs(tally->sum[side]) >= fabs(x) ? (tally->sum[side] - sum) + x
                                                               : (x - sum) + tally->sum[side];
        tally->sum[side] = sum;
    }
    return !tally->hole;
}

/* Id of the trade next to a range: the last before it or the first after it. */
static enum pt_code neighbour(struct pt_read *read, const struct pt_series_key *key,
                              int64_t from_us, int64_t to_us, bool newest, bool *found, double *id,
                              struct pt_err *err)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    enum pt_code rc = pt_series_page(read, key, from_us, to_us, 0, 1, newest, &frame, err);
    *found = rc == PT_OK && frame.n == 1;
    if (*found) *id = (double)frame.val[PT_T_ID][0];
    pt_frame_fini(&frame);
    return rc;
}

enum pt_code pt_store_trades(struct pt_columns *columns, int64_t from_us, int64_t to_us,
                             struct pt_signed_trades *sums, struct pt_err *err)
{
    static const unsigned cols[] = { PT_T_ID, PT_T_QUANTITY, PT_T_SIDE };
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_series_key key = { .kind = PT_TRADES };
    struct pt_series series;
    struct tally tally = { 0 };
    bool before, after;
    double before_id = 0, after_id = 0;

    *sums = (struct pt_signed_trades){ .reason = "no_trades" };
    memcpy(key.symbol, columns->symbol, sizeof key.symbol);
    enum pt_code rc = pt_series_find(self->read, &key, &series, err);
    if (rc == PT_ENOENT || (rc == PT_OK && series.rows == 0)) return PT_OK;
    if (rc != PT_OK) return rc;
    sums->reason = "trades_incomplete";
    if (series.first_us > from_us || series.last_us < to_us) return PT_OK;

    rc = neighbour(self->read, &key, series.first_us, from_us, true, &before, &before_id, err);
    if (rc == PT_OK)
        rc = neighbour(self->read, &key, to_us, INT64_MAX, false, &after, &after_id, err);
    if (rc == PT_OK)
        rc = pt_series_scan(self->read, &key, from_us, to_us, cols, 3, take_trades, &tally, err);
    if (rc != PT_OK) return rc;
    if (tally.any) {
        if (before && tally.first_id != before_id + 1) tally.hole = true;
        if (after && after_id != tally.last_id + 1) tally.hole = true;
    } else if (!before || !after || after_id != before_id + 1) {
        tally.hole = true;
    }
    if (tally.hole) return PT_OK;
    *sums = (struct pt_signed_trades){ tally.sum[PT_SIDE_BUY] + tally.lost[PT_SIDE_BUY],
                                       tally.sum[PT_SIDE_SELL] + tally.lost[PT_SIDE_SELL], NULL };
    return PT_OK;
}

enum pt_code pt_store_others(struct pt_columns *columns, enum pt_kind_id kind, int64_t from_us,
                             int64_t to_us, struct pt_frame *frame, struct pt_err *err)
{
    struct pt_store_columns *self = (struct pt_store_columns *)columns;
    struct pt_series_key key = { .kind = kind };
    uint64_t rows = 0;
    memcpy(key.symbol, columns->symbol, sizeof key.symbol);
    enum pt_code rc = pt_series_count(self->read, &key, from_us, to_us, &rows, err);
    if (rc != PT_OK) return rc;
    if (rows > OTHERS_MAX)
        return pt_fail(err, PT_ERANGE,
                       "%s: the span holds %" PRIu64 " rows of %s, at most %" PRIu64
                       " are read: ask for less",
                       columns->symbol, rows, pt_kind(kind)->name, OTHERS_MAX);
    return pt_series_read(self->read, &key, from_us, to_us, 0, frame, err);
}
