/* reader.h - market data files, whatever their layout, as batches of rows.     [layer: data]
 *
 * Layouts: public dump CSV (12 columns, header or none, ms or us), 9-column REST CSV, 8-column CSV, 12 columns
 * with text dates, trades and aggregate trades (dumps), funding CSV, depth CSV (a level or a book a line), our own
 * export (header of the schema table, us; or JSON lines), captured websocket lines (bare, enveloped, combined;
 * optional leading receive time, "URL <-> time" lines ignored); each plain, .gz or .zip. The layout is told by the
 * content; symbol and period by the hint, else the file's name (^([A-Z0-9]{5,20})[-_](\d+[mhdw])), else the content.
 * A column of symbols comes before the name; a hint renames the one symbol of such a file, rows of another are
 * rejected (another_symbol). In captures the hint's symbol is only for books that name none, and
 * its kind keeps only the rows of that kind.
 * Memory is bounded whatever the file holds: lines longer than 64 KiB (1 MiB for captures) are rejected
 * and skipped; inflated size is capped at max_inflated (zip bombs). */
#ifndef PT_READER_H
#define PT_READER_H

#include "data/frame.h"

struct pt_read_hint {
    const char *symbol; /* NULL = from name or content */
    int64_t period_us;  /* 0 = likewise */
    int kind;           /* enum pt_kind_id, -1 = likewise */
    int64_t now_us;     /* a bar is closed when open + period <= now */
    uint64_t max_inflated; /* bytes; 0 = 64 GiB */
    struct pt_decoder *decoder; /* borrowed: what captures remember from file to file (books, funding); NULL = nothing */
};

/* A row that was not taken: 1-based line number, static reason word, the line (cut at 200 bytes). */
typedef void (*pt_reject_fn)(void *arg, uint64_t line, const char *reason, const char *text, size_t len);

struct pt_batch {
    struct pt_series_key key;
    struct pt_frame frame; /* up to 65,536 rows, in file order (not sorted, may hold a key twice) */
};

struct pt_reader;

/* PT_ENOENT, PT_EIO; PT_EINVAL: not market data, or symbol/period cannot be told (the text says what to pass). */
enum pt_code pt_reader_open(const char *path, const struct pt_read_hint *hint, pt_reject_fn reject,
                            void *arg, struct pt_reader **reader, struct pt_err *err);
void pt_reader_close(struct pt_reader *reader); /* accepts NULL */

/* The next batch, owned by the reader and valid until the next call; *batch NULL at the end. A truncated
 * gzip or zip gives the rows up to the damage, then PT_EDAMAGE; one that inflates to more than max_inflated the
 * rows up to there, then PT_ERANGE. */
enum pt_code pt_reader_next(struct pt_reader *reader, struct pt_batch **batch, struct pt_err *err);

struct pt_read_stats {
    uint64_t lines, rows, rejected, bytes_in, bytes_total; /* bytes of the file as stored, for progress */
    uint64_t bookless; /* order book differences that found no book, and that no snapshot of the file made good */
    const char *layout; /* static: "dump12", "rest9", "kline8", "text12", "funding", "trades", "export", "capture", ... */
};
void pt_reader_stats(const struct pt_reader *reader, struct pt_read_stats *stats);

#endif
