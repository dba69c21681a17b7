/* check.c - what makes a row of each kind a good one: pt_frame_check.           [layer: data] */
#include "data/frame.h"

#include "base/decimal.h"
#include "base/timefmt.h"

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

#define LAST_US INT64_C(9214646400000000) /* 2262-01-01: no file holds more, and ns still fit */

static const char *check_cells(const struct pt_frame *frame, size_t row)
{
    const struct pt_kind *kind = frame->kind;
    for (unsigned c = 0; c < kind->ncols; c++) {
        const struct pt_column *column = &kind->cols[c];
        for (size_t i = row * column->width; i < (row + 1) * column->width; i++) {
            int64_t value = frame->val[c][i];
            if (value == PT_MISSING) {
                if (column->required) return "value_missing";
                continue;
            }
            if (rules[kind->id].prices & BIT(c) && value <= 0) return "price_not_positive";
            if (rules[kind->id].amounts & BIT(c) && value < 0) return "negative_quantity";
            if (column->type == PT_TYPE_TIME && (value < 0 || value >= LAST_US))
                return "time_out_of_range";
            if (column->type == PT_TYPE_BOOL && value != 0 && value != 1) return "bad_flag";
            if (column->type == PT_TYPE_ENUM) {
                const char *const *word = column->words;
                while (*word && word - column->words != value) word++;
                if (!*word) return "unknown_word";
            }
        }
    }
    return NULL;
}

static int cmp(const struct pt_frame *frame, unsigned col_a, size_t a, unsigned col_b, size_t b)
{
    return pt_dec_cmp(frame->val[col_a][a], frame->dig[col_a][a], frame->val[col_b][b],
                      frame->dig[col_b][b]);
}

static const char *check_bar(const struct pt_frame *frame, size_t row, unsigned open, unsigned high,
                             unsigned low, unsigned close)
{
    if (cmp(frame, high, row, open, row) < 0 || cmp(frame, high, row, close, row) < 0 ||
        cmp(frame, low, row, open, row) > 0 || cmp(frame, low, row, close, row) > 0)
        return "ohlc_order";
    return NULL;
}

/* Levels of one side: from the best one on without a hole, each with an amount, each behind the
 * last. */
static const char *check_side(const struct pt_frame *frame, size_t row, unsigned price, int worse)
{
    const int64_t *prices = frame->val[price], *amounts = frame->val[price + 1];
    size_t first = row * PT_DEPTH_LEVELS, end = first + PT_DEPTH_LEVELS;
    if (prices[first] == PT_MISSING) return "empty_book";
    for (size_t i = first; i < end; i++) {
        if ((prices[i] == PT_MISSING) != (amounts[i] == PT_MISSING)) return "value_missing";
        if (i == first || prices[i] == PT_MISSING) continue;
        if (prices[i - 1] == PT_MISSING) return "value_missing";
        if (cmp(frame, price, i, price, i - 1) * worse <= 0) return "unsorted_book";
    }
    return NULL;
}

static const char *check_book(const struct pt_frame *frame, size_t row)
{
    const char *reason = check_side(frame, row, PT_D_BID_PRICE, -1);
    if (!reason) reason = check_side(frame, row, PT_D_ASK_PRICE, 1);
    if (reason) return reason;
    size_t best = row * PT_DEPTH_LEVELS;
    int order = cmp(frame, PT_D_BID_PRICE, best, PT_D_ASK_PRICE, best);
    return order < 0 ? NULL : order == 0 ? "locked_book" : "crossed_book";
}

const char *pt_frame_check(const struct pt_frame *frame, size_t row, int64_t period_us)
{
    const char *reason = check_cells(frame, row);
    if (reason) return reason;
    switch (frame->kind->id) {
    case PT_CANDLES:
        if (period_us > 0 &&
            pt_period_floor(period_us, frame->val[PT_C_TIME][row]) != frame->val[PT_C_TIME][row])
            return "off_grid";
        return check_bar(frame, row, PT_C_OPEN, PT_C_HIGH, PT_C_LOW, PT_C_CLOSE);
    case PT_TICKERS: return check_bar(frame, row, PT_K_OPEN, PT_K_HIGH, PT_K_LOW, PT_K_CLOSE);
    case PT_DEPTH: return check_book(frame, row);
    default: return NULL;
    }
}
