/* reader_internal.h - what the parts of the reader share.                       [layer: data]
 * reader.c: bytes, lines, batches. layout.c: which columns a CSV has. csv.c: its rows. capture.c:
 * captured messages. Text handed to csv.c and capture.c lies inside the reader's buffer, which may
 * be read PT_TEXT_SLACK bytes before and behind it. */
#ifndef PT_READER_INTERNAL_H
#define PT_READER_INTERNAL_H

#include "data/decode.h"
#include "data/reader.h"

#define PT_TEXT_SLACK 64
#define PT_BATCH_ROWS 65536
#define PT_LINE_MAX (64u << 10)
#define PT_CAPTURE_LINE_MAX (1u << 20)
#define PT_FIELDS_MAX 160
#define PT_COLUMN_SYMBOL_MAX 64

/* What a field of a CSV line is. */
enum pt_field_role {
    PT_FIELD_SKIP,
    PT_FIELD_TIME,    /* text or an epoch of any unit */
    PT_FIELD_TIME_US, /* our own export: always us */
    PT_FIELD_DEC,
    PT_FIELD_INT,
    PT_FIELD_BOOL,
    PT_FIELD_WORD,  /* an enum's word */
    PT_FIELD_MAKER, /* "the buyer is the maker": true = the seller came to the market */
    PT_FIELD_SYMBOL,
    PT_FIELD_CLOSE_TIME, /* a bar's last instant; tells the period, is not kept */
    PT_FIELD_SIDE,       /* b or a: one level of a book a line */
    PT_FIELD_UPDATE      /* kind of such a line: only "snap" is a whole book */
};

struct pt_field {
    uint8_t role; /* enum pt_field_role */
    uint8_t cell; /* where its value goes: cell of the row; column too where all widths are 1 */
};

struct pt_layout {
    const char *name;
    enum pt_kind_id kind;
    unsigned nfields;
    struct pt_field fields[PT_FIELDS_MAX];
    bool header;     /* the first line is one */
    bool has_closed; /* says itself which bars are closed */
    bool has_symbol;
    bool ours;     /* our own export: may hold rows of breaks (data/book.h) */
    bool jsonl;    /* our own export as JSON lines: it has no fields */
    bool by_level; /* one level a line: lines of one book are put together */
    bool narrow; /* all columns of the kind have width 1, all fields are plain: csv.c's fast way */
};

/* Fields of a line: split at commas, outside quotes; quotes and blanks around a field are taken
 * off. Returns how many there are (at most `max` are written). */
struct pt_span {
    const char *text;
    size_t len;
};
unsigned pt_split_line(const char *line, size_t len, struct pt_span *out, unsigned max);
/* Length without a CR at the end. */
size_t pt_line_trim(const char *line, size_t len);

/* Tells the layout from one line: a header, or a row of a layout that needs none. False: none
 * known. */
bool pt_layout_detect(const char *line, size_t len, struct pt_layout *layout);
/* The same of our own JSON lines, and one row of them: NULL, or why it is none. Cells that are null
 * stay as they were. */
bool pt_jsonl_detect(const char *line, size_t len, struct pt_layout *layout);
const char *pt_jsonl_row(const struct pt_kind *kind, const char *text, size_t len, int64_t *val,
                         uint8_t *dig);
/* The bar length from the first lines (header included): the most common step, else close time -
 * open time. 0 = cannot tell. */
int64_t pt_layout_period(const struct pt_layout *layout, const char *text, size_t len);
/* Symbol and period that a file name says; *period_us 0 and symbol "" when it does not. */
void pt_name_parse(const char *path, char symbol[PT_SYMBOL_MAX], int64_t *period_us);

/* Rows of one series that wait to be handed out. */
struct pt_slot {
    struct pt_batch batch;
    size_t room;      /* rows after which it is handed out */
    size_t row_bytes; /* memory of one row */
};

/* A book that is put together line by line. */
struct pt_book_rows {
    bool any;
    uint64_t line; /* of its first level */
    struct pt_record record;
    unsigned levels[2]; /* bids, asks */
};

struct pt_reader {
    struct pt_source *source;
    struct pt_read_hint hint;
    char *path;                               /* owned */
    char hint_symbol[PT_SYMBOL_MAX];          /* "" = none */
    char column_symbol[PT_COLUMN_SYMBOL_MAX]; /* csv.c: the symbol that the hint stands in for */
    size_t column_symbol_len;                 /* 0 = none seen yet */
    pt_reject_fn reject;
    void *reject_arg;

    char *memory, *buffer;  /* buffer = memory + PT_TEXT_SLACK */
    size_t at, end;         /* bytes not yet parsed: buffer[at .. end) */
    bool part_ended, ended; /* all bytes of the part / of the file were read */
    bool done;              /* all rows were handed out */
    bool skipping;          /* inside a line that was too long */
    bool nomem;             /* an allocation failed while rows were taken */
    enum pt_code end_code;  /* what reading ended with */
    struct pt_err end_err;
    uint64_t line; /* number of the last line taken, in this part */

    bool capture, header_due; /* header_due: the next line that is not blank is the header */
    struct pt_layout layout;
    struct pt_series_key key; /* of a CSV without a symbol column */
    int64_t last_time_us;     /* csv.c: open time of the last good row */
    uint32_t *separators;     /* csv_fast.c */
    size_t separators_cap;
    struct pt_book_rows book;        /* csv.c */
    struct pt_decoder *decoder;      /* capture.c; owned unless it is the hint's */
    struct pt_decoder_counts before; /* its counts when the file began */
    char *message;                   /* capture.c: a JSON text over several lines */
    size_t message_len;              /* 0 = not inside one */
    uint64_t message_line;

    struct pt_slot **slots;
    size_t nslots, last_slot, flush_at, slot_bytes;
    bool full;            /* a slot has reached its room */
    bool flushing;        /* hand out everything: the end, or too much is waiting */
    struct pt_slot *lent; /* handed out by the last call */

    struct pt_read_stats stats;
};

void pt_reader_reject(struct pt_reader *reader, uint64_t line, const char *reason, const char *text,
                      size_t len);
/* The slot of a series; NULL (and nomem) without memory. */
struct pt_slot *pt_reader_slot(struct pt_reader *reader, const struct pt_series_key *key);
/* Makes room for `rows` more rows, but for no more than a slot may have; false (and nomem) without
 * memory. */
bool pt_reader_reserve(struct pt_reader *reader, struct pt_slot *slot, size_t rows);
/* Puts one good row where it belongs. */
void pt_reader_keep(struct pt_reader *reader, const struct pt_record *record);
static inline bool pt_reader_stopped(const struct pt_reader *reader)
{
    return reader->full || reader->flushing || reader->nomem;
}

/* Take whole lines from text[0..len), which ends with a newline; return the bytes taken. They stop
 * early when pt_reader_stopped(). */
size_t pt_csv_lines(struct pt_reader *reader, const char *text, size_t len);
size_t pt_capture_lines(struct pt_reader *reader, const char *text, size_t len);
/* One line, without its newline. */
void pt_csv_line(struct pt_reader *reader, const char *text, size_t len);
/* As pt_csv_lines, for narrow layouts, into the slot. */
size_t pt_csv_fast_lines(struct pt_reader *reader, struct pt_slot *slot, const char *text,
                         size_t len);
/* The last line of a part, which has no newline. torn: the bytes behind it are lost. */
void pt_csv_last(struct pt_reader *reader, const char *text, size_t len, bool torn);
void pt_capture_last(struct pt_reader *reader, const char *text, size_t len, bool torn);
/* End of a part, after its last line: what was put together over several lines is finished. */
void pt_csv_end(struct pt_reader *reader, bool torn);
void pt_capture_end(struct pt_reader *reader, bool torn);
/* True when a line looks like a captured message. */
bool pt_capture_detect(const char *text, size_t len);

#endif
