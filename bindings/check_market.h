/* check_market.h - made-up bars on which scripts are checked.                  [layer: bindings]
 *
 * Each market is the bars of one window and some on both sides of it, so that the same window can
 * be shown in several ways: alone, cut out of longer data, 400 years later, under another name. The
 * Gregorian calendar repeats after 146,097 days, a whole number of weeks: hour, weekday, month and
 * day of each bar stay what they were, only the date itself differs. All bars lie between 1890 and
 * 2004, so any date of today that a script compares with lies between the two. */
#ifndef PT_CHECK_MARKET_H
#define PT_CHECK_MARKET_H

#include "bindings/check_books.h"
#include "bindings/check_others.h"
#include "bindings/check_symbols.h"
#include "bindings/memory_columns.h"

#define PT_CHECK_LATER_US (INT64_C(146097) * 86400 * 1000000)

/* How the window is shown. */
enum pt_check_show {
    PT_SHOW_OUTSIDE = 1, /* with the bars before it, and cut off from those after it */
    PT_SHOW_LATER = 2,   /* 400 years later */
    PT_SHOW_RENAMED = 4  /* symbol and benchmark have other names */
};

/* A zeroed struct is a valid empty one. */
struct pt_check_market {
    char name[48];                   /* "flat prices" */
    struct pt_memory_columns bars;   /* owned */
    int64_t *later_us;               /* owned: open times 400 years later */
    size_t from, n;                  /* the window's bars */
    int64_t as_of_us;                /* its end */
    size_t rows;                     /* its length */
    struct pt_check_symbols symbols; /* owned: of a script of the whole market */
    bool recorded;                   /* bars of a store */
    struct pt_memory_books books;    /* owned: of a script that looks at books, of this span */
    int64_t books_us, newest_us;     /* newest_us: time of the newest of them in the window */
    int64_t funding_us, marks_us;    /* spans of those that the bars have */
    bool bare;                       /* results that the script needs are kept from it */
};

/* One way to show it; borrows of the market, but for books and rows that are no bars. A zeroed
 * struct is a valid empty one. */
struct pt_check_view {
    struct pt_memory_columns bars, other;
    struct pt_check_whole whole;
    struct pt_memory_books books;
};

/* What a script asks of its bars. */
struct pt_check_need {
    int64_t period_us;
    size_t rows, min; /* of the window; rows may be more than are made: a young series */
    size_t deep;      /* rows that the scripts it needs look back, at least `rows` */
    bool benchmark, trades, metrics;
    int64_t books_us;             /* span of books; 0: none */
    int64_t funding_us, marks_us; /* spans of what is no bar; 0: none */
    bool market;                  /* all symbols at once */
    size_t symbols;               /* of them, at least */
};

#define PT_CHECK_BARS_MAX 5000 /* made at most, when the script's `min` does not ask for more */

/* Number of the markets that are made; some on another period than asked. */
size_t pt_check_markets(void);
/* True when market i is to be on a second period, the script's slowest. */
bool pt_check_market_is_slow(size_t i);
/* Makes market i. PT_ENOMEM; PT_ERANGE: no such market for what the script needs. */
enum pt_code pt_check_market_make(size_t i, const struct pt_check_need *need,
                                  struct pt_check_market *market, struct pt_err *err);
/* Takes over bars of elsewhere (emptied for the caller) as a market; the window is its last
 * need->rows. */
enum pt_code pt_check_market_take(const char *name, const struct pt_check_need *need,
                                  struct pt_memory_columns *bars, struct pt_check_market *market,
                                  struct pt_err *err);
/* PT_ENOMEM, and what a market of this size cannot be. */
enum pt_code pt_check_market_show(const struct pt_check_market *market, unsigned show,
                                  struct pt_check_view *view, struct pt_err *err);
void pt_check_view_fini(struct pt_check_view *view);
void pt_check_market_fini(struct pt_check_market *market);

#endif
