/* reader.c - a file's bytes into lines, its rows into batches.                 [layer: data]
 *
 * The buffer holds the unparsed rest of the last block and the next block. Whole lines are handed
 * to csv.c or capture.c; the rest moves to the front. Rows collect in one slot a series; a slot
 * that is full is handed out at once, all others at the end, or earlier when too much memory waits
 * in them. */
#include "data/reader.h"

#include "base/clock.h"
#include "base/timefmt.h"
#include "data/reader_internal.h"
#include "data/source.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (256u << 10)
#define LOOK_BYTES (64u << 10)
#define LOOK_LINES 20
#define BUFFER_BYTES (PT_CAPTURE_LINE_MAX + BLOCK_BYTES + LOOK_BYTES)
#define SLOTS_MAX 1024
#define SLOT_BYTES_MAX (8u << 20)
#define ALL_BYTES_MAX (256u << 20)
#define MAX_INFLATED_DEFAULT (UINT64_C(64) << 30)

void pt_reader_reject(struct pt_reader *reader, uint64_t line, const char *reason, const char *text,
                      size_t len)
{
    reader->stats.rejected++;
    if (reader->reject)
        reader->reject(reader->reject_arg, line, reason, text, len < 200 ? len : 200);
}

/* ---- slots ---- */

static void free_slots(struct pt_reader *reader)
{
    for (size_t i = 0; i < reader->nslots; i++) {
        pt_frame_fini(&reader->slots[i]->batch.frame);
        free(reader->slots[i]);
    }
    reader->nslots = reader->last_slot = reader->flush_at = 0;
    reader->slot_bytes = 0;
    reader->lent = NULL;
}

static struct pt_slot *new_slot(struct pt_reader *reader, const struct pt_series_key *key)
{
    const struct pt_kind *kind = pt_kind(key->kind);
    struct pt_slot *slot = calloc(1, sizeof *slot);
    if (!slot) {
        reader->nomem = true;
        return NULL;
    }
    slot->batch.key = *key;
    pt_frame_init(&slot->batch.frame, kind);
    for (unsigned c = 0; c < kind->ncols; c++) {
        size_t cell = kind->cols[c].type == PT_TYPE_DEC ? sizeof(int64_t) + 1 : sizeof(int64_t);
        slot->row_bytes += cell * kind->cols[c].width;
    }
    slot->room = SLOT_BYTES_MAX / slot->row_bytes;
    if (slot->room > PT_BATCH_ROWS) slot->room = PT_BATCH_ROWS;
    reader->slots[reader->nslots] = slot;
    reader->last_slot = reader->nslots++;
    if (reader->nslots == SLOTS_MAX) reader->flushing = true;
    return slot;
}

struct pt_slot *pt_reader_slot(struct pt_reader *reader, const struct pt_series_key *key)
{
    if (reader->nslots > 0 &&
        memcmp(&reader->slots[reader->last_slot]->batch.key, key, sizeof *key) == 0)
        return reader->slots[reader->last_slot];
    for (size_t i = 0; i < reader->nslots; i++) {
        if (memcmp(&reader->slots[i]->batch.key, key, sizeof *key) != 0) continue;
        reader->last_slot = i;
        return reader->slots[i];
    }
    return new_slot(reader, key);
}

static void count_memory(struct pt_reader *reader, const struct pt_slot *slot, size_t cap_before)
{
    reader->slot_bytes += (slot->batch.frame.cap - cap_before) * slot->row_bytes;
    if (reader->slot_bytes > ALL_BYTES_MAX) reader->flushing = true;
}

bool pt_reader_reserve(struct pt_reader *reader, struct pt_slot *slot, size_t rows)
{
    struct pt_frame *frame = &slot->batch.frame;
    size_t cap = frame->cap, all = frame->n + rows;
    if (pt_frame_reserve(frame, all < slot->room ? all : slot->room) != PT_OK) reader->nomem = true;
    count_memory(reader, slot, cap);
    return !reader->nomem;
}

void pt_reader_keep(struct pt_reader *reader, const struct pt_record *record)
{
    struct pt_slot *slot = pt_reader_slot(reader, &record->key);
    if (!slot) return;
    struct pt_frame *frame = &slot->batch.frame;
    size_t cap = frame->cap;
    if (pt_frame_push(frame, record->val, record->dig) != PT_OK) {
        reader->nomem = true;
        return;
    }
    reader->stats.rows++;
    if (frame->n >= slot->room) reader->full = true;
    count_memory(reader, slot, cap);
}

/* ---- parts ---- */

/* Reads one block behind what is there. The end of the part, or damage, ends it. */
static void read_block(struct pt_reader *reader)
{
    size_t n = 0;
    if (reader->at > 0) {
        memmove(reader->buffer, reader->buffer + reader->at, reader->end - reader->at);
        reader->end -= reader->at;
        reader->at = 0;
    }
    enum pt_code rc = pt_source_read(reader->source, reader->buffer + reader->end, BLOCK_BYTES, &n,
                                     &reader->end_err);
    if (rc != PT_OK) {
        pt_err_prefix(&reader->end_err, "%s: ", reader->path);
        reader->end_code = rc;
    }
    reader->end += n;
    if (rc != PT_OK || n == 0) reader->part_ended = true;
}

static const char *part_name(const struct pt_reader *reader)
{
    const char *part = pt_source_part(reader->source);
    return part ? part : reader->path;
}

/* Capture or CSV, and of what layout: the first line among the first few that says it. */
static bool detect(struct pt_reader *reader)
{
    const char *text = reader->buffer + reader->at, *end = reader->buffer + reader->end;
    bool first = true;
    reader->capture = false;
    for (unsigned i = 0; i < LOOK_LINES && text < end; i++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t len = newline ? (size_t)(newline - text) : (size_t)(end - text);
        bool blank = strspn(text, " \t\r\n") >= len; /* the buffer ends with a NUL */
        if (pt_jsonl_detect(text, len, &reader->layout)) return true;
        reader->capture = pt_capture_detect(text, len);
        if (reader->capture) return true;
        if (pt_layout_detect(text, len, &reader->layout) && (first || !reader->layout.header))
            return true;
        if (!blank) first = false;
        text += len + 1;
    }
    return false;
}

static bool only_blanks(const struct pt_reader *reader)
{
    for (size_t i = reader->at; i < reader->end; i++) {
        if (!strchr(" \t\r\n", reader->buffer[i]) || reader->buffer[i] == '\0') return false;
    }
    return true;
}

/* The series of a CSV's rows: hint before name before content. */
static enum pt_code name_series(struct pt_reader *reader, struct pt_err *err)
{
    const struct pt_layout *layout = &reader->layout;
    const char *text = reader->buffer + reader->at;
    size_t len = reader->end - reader->at;
    const char *line_end = memchr(text, '\n', len);
    size_t head = layout->header ? (line_end ? (size_t)(line_end - text) + 1 : len) : 0;
    bool rows = false; /* an empty file needs no name */
    for (size_t i = head; i < len && !rows; i++) rows = !strchr(" \t\r\n", text[i]);

    char part_symbol[PT_SYMBOL_MAX], file_symbol[PT_SYMBOL_MAX];
    int64_t part_period_us, file_period_us;
    pt_name_parse(part_name(reader), part_symbol, &part_period_us);
    pt_name_parse(reader->path, file_symbol, &file_period_us);

    struct pt_series_key *key = &reader->key;
    memset(key, 0, sizeof *key);
    key->kind = layout->kind;
    const char *symbol = reader->hint_symbol[0] ? reader->hint_symbol
                         : layout->has_symbol   ? ""
                         : part_symbol[0]       ? part_symbol
                                                : file_symbol;
    memcpy(key->symbol, symbol, strlen(symbol));
    if (rows && !symbol[0] && !layout->has_symbol)
        return pt_fail(err, PT_EINVAL,
                       "%s: neither name nor content tells the symbol: pass --symbol",
                       reader->path);
    if (!pt_kind(layout->kind)->by_period) return PT_OK;

    key->period_us = reader->hint.period_us;
    if (key->period_us == 0) key->period_us = part_period_us ? part_period_us : file_period_us;
    if (key->period_us == 0) key->period_us = pt_layout_period(layout, text, len);
    if (rows && key->period_us <= 0)
        return pt_fail(err, PT_EINVAL,
                       "%s: neither name nor content tells the period: pass --period",
                       reader->path);
    return PT_OK;
}

static enum pt_code not_market_data(const struct pt_reader *reader, const char *why,
                                    struct pt_err *err)
{
    const char *part = pt_source_part(reader->source);
    return pt_fail(err, PT_EINVAL, "%s%s%s: not market data: %s", reader->path, part ? " " : "",
                   part ? part : "", why);
}

static enum pt_code begin_csv(struct pt_reader *reader, struct pt_err *err)
{
    const struct pt_layout *layout = &reader->layout;
    reader->stats.layout = layout->name;
    if (reader->hint.kind >= 0 && reader->hint.kind != (int)layout->kind)
        return pt_fail(err, PT_EINVAL, "%s: holds %s, not %s", reader->path,
                       pt_kind(layout->kind)->name,
                       pt_kind((enum pt_kind_id)reader->hint.kind)->name);
    reader->header_due = layout->header;
    reader->last_time_us = 0;
    return name_series(reader, err);
}

static enum pt_code begin_part(struct pt_reader *reader, struct pt_err *err)
{
    reader->at = reader->end = 0;
    reader->part_ended = reader->skipping = false;
    reader->line = 0;
    while (!reader->part_ended && reader->end < LOOK_BYTES) read_block(reader);
    reader->buffer[reader->end] = '\0';
    if (reader->end >= 3 && memcmp(reader->buffer, "\xef\xbb\xbf", 3) == 0) reader->at = 3;
    if (reader->part_ended && only_blanks(reader)) {
        reader->layout = (struct pt_layout){ .name = "empty" };
        reader->capture = true; /* blank lines mean nothing there either */
        if (!reader->stats.layout) reader->stats.layout = "empty";
        return PT_OK;
    }
    if (memchr(reader->buffer, '\0', reader->end < LOOK_BYTES ? reader->end : LOOK_BYTES))
        return not_market_data(reader, "binary", err);
    if (!detect(reader)) {
        if (reader->end_code == PT_OK)
            return not_market_data(reader, "no layout that is known (see help import)", err);
        if (err) *err = reader->end_err; /* too little is left to tell */
        return reader->end_code;
    }
    if (!reader->capture) return begin_csv(reader, err);
    reader->stats.layout = "capture";
    if (!reader->decoder && reader->hint.decoder) {
        reader->decoder = reader->hint.decoder;
        reader->before = pt_decoder_counts(reader->decoder);
    }
    if (!reader->decoder) return pt_decoder_new(&reader->decoder, err);
    return PT_OK;
}

/* ---- lines ---- */

static void end_part(struct pt_reader *reader, struct pt_err *err, enum pt_code *rc)
{
    bool torn = reader->end_code != PT_OK;
    if (reader->at < reader->end) {
        const char *text = reader->buffer + reader->at;
        size_t len = reader->end - reader->at;
        reader->at = reader->end;
        if (reader->skipping)
            reader->skipping = false; /* rejected where it began */
        else if (reader->capture)
            pt_capture_last(reader, text, len, torn);
        else
            pt_csv_last(reader, text, len, torn);
    }
    if (reader->capture)
        pt_capture_end(reader, torn);
    else
        pt_csv_end(reader, torn);

    const char *part = NULL;
    if (!torn) *rc = pt_source_next(reader->source, &part, err);
    if (!part || *rc != PT_OK)
        reader->ended = true;
    else
        *rc = begin_part(reader, err);
    if (*rc != PT_OK) reader->ended = true;
}

/* Lines of the buffer; reads on when there is no whole one. */
static enum pt_code pump(struct pt_reader *reader, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    const char *text = reader->buffer + reader->at;
    size_t len = reader->end - reader->at;
    if (reader->skipping) {
        const char *newline = memchr(text, '\n', len);
        reader->at = newline ? reader->at + (size_t)(newline - text) + 1 : reader->end;
        reader->skipping = newline == NULL;
        text = reader->buffer + reader->at;
        len = reader->end - reader->at;
    }
    const char *newline = memrchr(text, '\n', len);
    if (newline) {
        size_t lines_len = (size_t)(newline - text) + 1;
        reader->at += reader->capture ? pt_capture_lines(reader, text, lines_len)
                                      : pt_csv_lines(reader, text, lines_len);
        if (pt_reader_stopped(reader)) return PT_OK;
        text = reader->buffer + reader->at;
        len = reader->end - reader->at;
    }
    if (len > (reader->capture ? PT_CAPTURE_LINE_MAX : PT_LINE_MAX)) {
        reader->stats.lines++;
        pt_reader_reject(reader, ++reader->line, "line_too_long", text, len);
        reader->skipping = true;
        reader->at = reader->end;
    }
    if (reader->part_ended)
        end_part(reader, err, &rc);
    else
        read_block(reader);
    return rc;
}

/* ---- the outside ---- */

enum pt_code pt_reader_open(const char *path, const struct pt_read_hint *hint, pt_reject_fn reject,
                            void *arg, struct pt_reader **out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *out = NULL;
    struct pt_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return pt_fail(err, PT_ENOMEM, "%s", path);
    reader->hint = *hint;
    reader->reject = reject;
    reader->reject_arg = arg;
    if (reader->hint.now_us == 0) reader->hint.now_us = pt_now_us();
    if (reader->hint.max_inflated == 0) reader->hint.max_inflated = MAX_INFLATED_DEFAULT;

    reader->path = strdup(path);
    reader->memory = malloc(BUFFER_BYTES + 2 * PT_TEXT_SLACK);
    reader->slots = malloc(SLOTS_MAX * sizeof *reader->slots);
    if (!reader->path || !reader->memory || !reader->slots) {
        rc = pt_fail(err, PT_ENOMEM, "%s", path);
        goto out;
    }
    memset(reader->memory, 0, PT_TEXT_SLACK);
    reader->buffer = reader->memory + PT_TEXT_SLACK;
    if (hint->symbol &&
        pt_symbol_parse(hint->symbol, strlen(hint->symbol), reader->hint_symbol) != PT_OK) {
        rc = pt_fail(err, PT_EINVAL, "symbol \"%s\" is none: A-Z, 0-9 and _, 2 to 30 of them",
                     hint->symbol);
        goto out;
    }
    rc = pt_source_open(path, reader->hint.max_inflated, &reader->source, err);
    if (rc != PT_OK) {
        pt_err_prefix(err, "%s: ", path);
        goto out;
    }
    rc = begin_part(reader, err);
out:
    if (rc != PT_OK) {
        pt_reader_close(reader);
        reader = NULL;
    }
    *out = reader;
    return rc;
}

void pt_reader_close(struct pt_reader *reader)
{
    if (!reader) return;
    free_slots(reader);
    free(reader->slots);
    pt_source_close(reader->source);
    if (reader->decoder != reader->hint.decoder) pt_decoder_free(reader->decoder);
    free(reader->separators);
    free(reader->message);
    free(reader->memory);
    free(reader->path);
    free(reader);
}

/* Hands a slot out; its rows stay until the next call. */
static struct pt_batch *lend(struct pt_reader *reader, struct pt_slot *slot)
{
    reader->lent = slot;
    return &slot->batch;
}

/* The next slot that has to be handed out now, NULL when reading can go on. */
static struct pt_slot *waiting(struct pt_reader *reader)
{
    if (reader->full) {
        for (size_t i = 0; i < reader->nslots; i++) {
            if (reader->slots[i]->batch.frame.n >= reader->slots[i]->room) return reader->slots[i];
        }
        reader->full = false;
    }
    if (!reader->flushing) return NULL;
    while (reader->flush_at < reader->nslots) {
        struct pt_slot *slot = reader->slots[reader->flush_at++];
        if (slot->batch.frame.n > 0) return slot;
    }
    free_slots(reader);
    reader->flushing = false;
    if (reader->ended) reader->done = true;
    return NULL;
}

enum pt_code pt_reader_next(struct pt_reader *reader, struct pt_batch **batch, struct pt_err *err)
{
    *batch = NULL;
    if (reader->lent) pt_frame_clear(&reader->lent->batch.frame);
    reader->lent = NULL;
    while (!reader->done) {
        if (reader->nomem) return pt_fail(err, PT_ENOMEM, "%s", reader->path);
        struct pt_slot *slot = waiting(reader);
        if (slot) {
            *batch = lend(reader, slot);
            return PT_OK;
        }
        if (reader->done) break;
        if (reader->ended) {
            reader->flushing = true;
            continue;
        }
        enum pt_code rc = pump(reader, &reader->end_err);
        if (rc != PT_OK) reader->end_code = rc; /* told when the rows before it are handed out */
    }
    if (reader->end_code != PT_OK && err) *err = reader->end_err;
    return reader->end_code;
}

void pt_reader_stats(const struct pt_reader *reader, struct pt_read_stats *stats)
{
    *stats = reader->stats;
    if (reader->decoder) {
        struct pt_decoder_counts now = pt_decoder_counts(reader->decoder);
        uint64_t came = now.bookless - reader->before.bookless;
        uint64_t good = now.caught_up - reader->before.caught_up; /* also of files before it */
        stats->bookless = came > good ? came - good : 0;
    }
    pt_source_progress(reader->source, &stats->bytes_in, &stats->bytes_total);
}
