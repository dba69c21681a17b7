/* check.c - what makes a row of each kind a good one.                          [layer: data] */
#include "data/check.h"

#include "base/decimal.h"
#include "base/timefmt.h"
#include "data/frame.h"

#define BIT(col) (1u << (col))

/* Which columns are prices (> 0) and which are amounts (>= 0). The rest may have any sign. */
static const struct {
    unsigned prices, amounts;
} rules[PT_KINDS] = {
    [PT_CANDLES] = { BIT(PT_C_OPEN) | BIT(PT_C_HIGH) | BIT(PT_C_LOW) | BIT(PT_C_CLOSE),
                     BIT(PT_C_VOLUME) | BIT(PT_C_QUOTE_VOLUME) | BIT(PT_C_TRADES) |
                         BIT(PT_C_TAKER_VOLUME) | BIT(PT_C_TAKER_QUOTE_VOLUME) },
    [PT_TRADES] = { BIT(PT_T_PRICE), BIT(PT_T_ID) | BIT(PT_T_QUANTITY) },
    [PT_DEPTH] = { BIT(PT_D_BID_PRICE) | BIT(PT_D_ASK_PRICE),
                   BIT(PT_D_UPDATE_ID) | BIT(PT_D_BID_QUANTITY) | BIT(PT_D_ASK_QUANTITY) },
    [PT_FUNDING] = { BIT(PT_F_MARK), 0 },
    [PT_TICKERS] = { BIT(PT_K_OPEN) | BIT(PT_K_HIGH) | BIT(PT_K_LOW) | BIT(PT_K_CLOSE),
                     BIT(PT_K_VOLUME) | BIT(PT_K_QUOTE_VOLUME) | BIT(PT_K_TRADES) },
    [PT_MARKS] = { BIT(PT_M_MARK) | BIT(PT_M_INDEX) | BIT(PT_M_SETTLE), 0 },
};

#define LAST_US INT64_C(9214646400000000) /* 2262-01-01: the same instant in ns still fits */

/* One row: where the cells of each column are. */
struct row {
    const int64_t *val[PT_COLS_MAX];
    const uint8_t *dig[PT_COLS_MAX]; /* NULL unless decimal */
};

static const char *check_cell(const struct pt_kind *kind, unsigned col, int64_t value)
{
    const struct pt_column *column = &kind->cols[col];
    if (value == PT_MISSING) return column->required ? "value_missing" : NULL;
    if (rules[kind->id].prices & BIT(col) && value <= 0) return "price_not_positive";
    if (rules[kind->id].amounts & BIT(col) && value < 0) return "negative_quantity";
    switch (column->type) {
    case PT_TYPE_TIME: return value >= 0 && value < LAST_US ? NULL : "time_out_of_range";
    case PT_TYPE_BOOL: return value == 0 || value == 1 ? NULL : "bad_flag";
    case PT_TYPE_ENUM: {
        const char *const *word = column->words;
        while (*word && word - column->words != value) word++;
        return *word ? NULL : "unknown_word";
    }
    default: return NULL;
    }
}

static int cmp(const struct row *row, unsigned a, size_t level_a, unsigned b, size_t level_b)
{
    return pt_dec_cmp(row->val[a][level_a], row->dig[a][level_a], row->val[b][level_b],
                      row->dig[b][level_b]);
}

static const char *check_bar(const struct row *row, unsigned open, unsigned high, unsigned low,
                             unsigned close)
{
    if (cmp(row, high, 0, open, 0) < 0 || cmp(row, high, 0, close, 0) < 0 ||
        cmp(row, low, 0, open, 0) > 0 || cmp(row, low, 0, close, 0) > 0)
        return "ohlc_order";
    return NULL;
}

/* Levels of one side: from the best one on without a hole, each with an amount, each behind the one
 * before. worse: the sign of a step away from the best price. */
static const char *check_side(const struct row *row, unsigned price, unsigned amount, int worse)
{
    const int64_t *prices = row->val[price], *amounts = row->val[amount];
    if (prices[0] == PT_MISSING) return "empty_book";
    for (size_t i = 0; i < PT_DEPTH_LEVELS; i++) {
        if ((prices[i] == PT_MISSING) != (amounts[i] == PT_MISSING)) return "value_missing";
        if (i == 0 || prices[i] == PT_MISSING) continue;
        if (prices[i - 1] == PT_MISSING) return "value_missing";
        if (cmp(row, price, i, price, i - 1) * worse <= 0) return "unsorted_book";
    }
    return NULL;
}

static const char *check_book(const struct row *row)
{
    const char *reason = check_side(row, PT_D_BID_PRICE, PT_D_BID_QUANTITY, -1);
    if (!reason) reason = check_side(row, PT_D_ASK_PRICE, PT_D_ASK_QUANTITY, 1);
    if (reason) return reason;
    int order = cmp(row, PT_D_BID_PRICE, 0, PT_D_ASK_PRICE, 0);
    return order < 0 ? NULL : order == 0 ? "locked_book" : "crossed_book";
}

static const char *check_row(const struct pt_kind *kind, const struct row *row, int64_t period_us)
{
    for (unsigned c = 0; c < kind->ncols; c++) {
        for (unsigned w = 0; w < kind->cols[c].width; w++) {
            const char *reason = check_cell(kind, c, row->val[c][w]);
            if (reason) return reason;
        }
    }
    switch (kind->id) {
    case PT_CANDLES:
        if (period_us > 0 &&
            pt_period_floor(period_us, row->val[PT_C_TIME][0]) != row->val[PT_C_TIME][0])
            return "off_grid";
        return check_bar(row, PT_C_OPEN, PT_C_HIGH, PT_C_LOW, PT_C_CLOSE);
    case PT_TICKERS: return check_bar(row, PT_K_OPEN, PT_K_HIGH, PT_K_LOW, PT_K_CLOSE);
    case PT_DEPTH: return check_book(row);
    default: return NULL;
    }
}

const char *pt_frame_check(const struct pt_frame *frame, size_t i, int64_t period_us)
{
    struct row row = { { NULL }, { NULL } };
    for (unsigned c = 0; c < frame->kind->ncols; c++) {
        row.val[c] = frame->val[c] + i * frame->kind->cols[c].width;
        if (frame->dig[c]) row.dig[c] = frame->dig[c] + i * frame->kind->cols[c].width;
    }
    return check_row(frame->kind, &row, period_us);
}

const char *pt_cells_check(const struct pt_kind *kind, const int64_t *val, const uint8_t *dig,
                           int64_t period_us)
{
    struct row row = { { NULL }, { NULL } };
    for (unsigned c = 0, cell = 0; c < kind->ncols; cell += kind->cols[c++].width) {
        row.val[c] = val + cell;
        if (kind->cols[c].type == PT_TYPE_DEC) row.dig[c] = dig + cell;
    }
    return check_row(kind, &row, period_us);
}
