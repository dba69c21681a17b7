/* sqlite_out.h - rows of one series as a table of an SQLite file.              [layer: cli] */
#ifndef PT_SQLITE_OUT_H
#define PT_SQLITE_OUT_H

#include "data/frame.h"

struct pt_sqlite_out;

/* Makes the file with one table named like the series ("candles_BTCUSDT_1h"); decimals are TEXT and
 * keep their digits, times are INTEGER us. PT_EBUSY when the file holds that table already. */
enum pt_code pt_sqlite_out_open(const char *path, const struct pt_series_key *key,
                                struct pt_sqlite_out **out, struct pt_err *err);
enum pt_code pt_sqlite_out_rows(struct pt_sqlite_out *out, const struct pt_frame *frame,
                                struct pt_err *err);
enum pt_code pt_sqlite_out_finish(struct pt_sqlite_out *out, struct pt_err *err); /* commits */
void pt_sqlite_out_close(struct pt_sqlite_out *out);                              /* accepts NULL */

#endif
