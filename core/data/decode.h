/* decode.h - one message of an exchange into rows.                             [layer: data]
 *
 * Understands Binance spot and USD-M messages, bare, in a combined frame {stream,data} or in the
 * enveloped form {stream,data,timestamp,...}: kline, trade, aggTrade, 24hrTicker, 24hrMiniTicker, depth
 * snapshots (depth20, REST answers), depthUpdate, bookTicker, markPriceUpdate. Bytes that are not such a
 * message are rejected with a reason word; nothing here crashes, hangs or rounds. A flat scanner handles the
 * usual forms; anything unusual (escapes, deep nesting) takes the cJSON path with the same result. */
#ifndef PT_DECODE_H
#define PT_DECODE_H

#include "data/schema.h"

struct pt_record {
    struct pt_series_key key;
    int64_t val[PT_CELLS_MAX];
    uint8_t dig[PT_CELLS_MAX];
};

enum pt_verdict {
    PT_MSG_ROWS,    /* emitted at least one record */
    PT_MSG_IGNORED, /* known but carries nothing that is kept (subscription answer, heartbeat, ...) */
    PT_MSG_REJECTED /* *reason says why */
};

/* Called for each record of a message; the record is borrowed. False stops. */
typedef bool (*pt_record_fn)(void *arg, const struct pt_record *record);

/* What must be remembered between messages: last price, funding rate and order book of each symbol. */
struct pt_decoder;
enum pt_code pt_decoder_new(struct pt_decoder **decoder, struct pt_err *err);
void pt_decoder_free(struct pt_decoder *decoder);

struct pt_decoder_counts {
    uint64_t bookless;  /* depth diffs that found no valid book to change */
    uint64_t caught_up; /* those of them that a snapshot made good: it holds them, or they were applied to it */
};
struct pt_decoder_counts pt_decoder_counts(const struct pt_decoder *decoder);

/* The row for which the last message was rejected, because it breaks the rules of its kind (check.h); NULL: it was not
 * rejected, or for something else. Valid until the next message. */
const struct pt_record *pt_decoder_refused(const struct pt_decoder *decoder);

/* One message. recv_us: when it was received, 0 = unknown (used where a book carries no time of its own).
 * *type: static word for metrics ("kline", "trade", "depth", "bookTicker", ..., "unknown").
 * A funding row is emitted behind the mark price whose next funding time has moved on, with the rate seen last
 * before. A spot book under a made-up stream name (message_id in its envelope) that is more than 5 % away from the
 * last price of that symbol goes to the one symbol that is near, else it is rejected as symbol_doubtful.
 * Futures trades whose "X" is not MARKET are no market prices: PT_MSG_IGNORED. bookTickers are recognised and
 * PT_MSG_IGNORED. All levels of a book must be good; more than 131072 of a side: too_many_levels.
 * Depth diffs (depthUpdate that is not a depth20 stream) change the book that a snapshot has set (book.h): each gives a
 * row of the best levels, with its own time, or that of the book where that is later; one that does not follow gives the row of a break (pt_break_row), as
 * does one that makes no valid book, which is rejected too. Diffs older than the book, and those without one (before a
 * snapshot, behind a break), are PT_MSG_IGNORED; the newest of them wait, and give their rows behind the snapshot's. So
 * are snapshots behind the book. Books of the market, spot or USD-M, that does not own the symbol's series:
 * other_market. Books together beyond PT_BOOKS_BYTES_MAX: no_room_for_book, and the row of a break. */
enum pt_verdict pt_decode(struct pt_decoder *decoder, const char *json, size_t len, int64_t recv_us,
                          pt_record_fn emit, void *arg, const char **type, const char **reason);

#endif
