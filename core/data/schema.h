/* schema.h - the kinds of market data, described once.                         [layer: data]
 * Decode, store, export, catalog and JSON walk this table; nothing else knows the columns. */
#ifndef PT_SCHEMA_H
#define PT_SCHEMA_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pt_kind_id { PT_CANDLES, PT_TRADES, PT_DEPTH, PT_FUNDING, PT_TICKERS, PT_MARKS, PT_KINDS };

enum pt_type {
    PT_TYPE_TIME, /* us since 1970 UTC */
    PT_TYPE_INT,  /* plain int64 */
    PT_TYPE_DEC,  /* mantissa and digits, see decimal.h */
    PT_TYPE_ENUM, /* index into `words` */
    PT_TYPE_BOOL
};

#define PT_COLS_MAX 16
#define PT_CELLS_MAX 84 /* columns x width of the widest kind (depth) */
#define PT_DEPTH_LEVELS 20
#define PT_SYMBOL_MAX 32 /* with its NUL */

struct pt_column {
    const char *name;
    enum pt_type type;
    const char *unit;         /* quote, base, us, count, none, ratio, percent */
    unsigned width;           /* values a row: 1, or PT_DEPTH_LEVELS for book sides */
    bool required;            /* may not be missing */
    const char *about;
    const char *const *words; /* ENUM: its words, ended by NULL */
};

/* The first `keys` columns are the row's key: (time) or (time, id), ascending and unique. */
struct pt_kind {
    enum pt_kind_id id;
    const char *name;       /* "candles" */
    const char *collection; /* prefix of the public collection name: "candles" -> candles_BTCUSDT_1h */
    const char *about;
    bool by_period;         /* one series a period (candles) */
    unsigned keys, ncols;
    struct pt_column cols[PT_COLS_MAX];
};

/* Columns by position, for code that needs one by name. */
enum { PT_C_TIME, PT_C_OPEN, PT_C_HIGH, PT_C_LOW, PT_C_CLOSE, PT_C_VOLUME, PT_C_QUOTE_VOLUME,
       PT_C_TRADES, PT_C_TAKER_VOLUME, PT_C_TAKER_QUOTE_VOLUME, PT_C_CLOSED };
enum { PT_T_TIME, PT_T_ID, PT_T_PRICE, PT_T_QUANTITY, PT_T_SIDE };
enum { PT_D_TIME, PT_D_UPDATE_ID, PT_D_BID_PRICE, PT_D_BID_QUANTITY, PT_D_ASK_PRICE, PT_D_ASK_QUANTITY };
enum { PT_F_TIME, PT_F_RATE, PT_F_MARK };
enum { PT_K_TIME, PT_K_OPEN, PT_K_HIGH, PT_K_LOW, PT_K_CLOSE, PT_K_VOLUME, PT_K_QUOTE_VOLUME,
       PT_K_CHANGE, PT_K_CHANGE_PERCENT, PT_K_TRADES };
enum { PT_M_TIME, PT_M_MARK, PT_M_INDEX, PT_M_SETTLE, PT_M_RATE, PT_M_NEXT_FUNDING };
enum { PT_SIDE_BUY, PT_SIDE_SELL }; /* side of the aggressor */

const struct pt_kind *pt_kind(enum pt_kind_id id);
const struct pt_kind *pt_kind_named(const char *name); /* "candles"; NULL when unknown */
unsigned pt_kind_cells(const struct pt_kind *kind);    /* sum of the widths */

/* A series: what one stored stream of rows is called. */
struct pt_series_key {
    enum pt_kind_id kind;
    char symbol[PT_SYMBOL_MAX];
    int64_t period_us; /* 0 unless kind->by_period */
};
/* Upper-cases and checks ^[A-Z0-9_]{2,30}$; PT_EINVAL otherwise. */
enum pt_code pt_symbol_parse(const char *text, size_t len, char out[PT_SYMBOL_MAX]);
/* "candles_BTCUSDT_1h", "trades_BTCUSDT": the public collection name. out[PT_SERIES_TEXT_MAX]. */
#define PT_SERIES_TEXT_MAX 80
size_t pt_series_print(const struct pt_series_key *key, char out[PT_SERIES_TEXT_MAX]);

#endif
