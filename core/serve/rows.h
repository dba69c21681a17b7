/* rows.h - stored rows as JSON objects and as CSV lines, straight into a buffer. [layer: serve]
 * One pass, no document in between: a page of 1000 candles is the largest reply there is. Decimals
 * keep the exchange's digits; a missing value is null, or nothing in CSV. */
#ifndef PT_ROWS_H
#define PT_ROWS_H

#include "base/buf.h"
#include "data/frame.h"

struct pt_row_field {
    const char *key; /* as it stands in the JSON: "\"open\":" */
    unsigned col;    /* of the frame; width 1 */
};
/* Fields of an item of /data/candles, /data/trades, /data/funding, ended by key NULL; the first is
 * the time. */
extern const struct pt_row_field pt_candle_fields[], pt_trade_fields[], pt_funding_fields[];

/* Appends "[{...},{...}]": all rows of the frame, the last first when newest_first. */
void pt_rows_json(const struct pt_frame *frame, const struct pt_row_field *fields,
                  bool newest_first, struct pt_buf *out);
/* Appends a header line and the rows. Times are ISO, as in the JSON. */
void pt_rows_csv(const struct pt_frame *frame, const struct pt_row_field *fields, bool newest_first,
                 struct pt_buf *out);

#endif
