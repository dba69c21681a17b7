/* decode_book.c - messages about order books: whole ones and differences.        [layer: data]
 *
 *     depth20, REST answer ──> row; sets the book of its symbol and market
 *     difference           ──> changes that book ──> row of its best 20 levels
 *                              breaks it         ──> row of a break, once
 *                              none to change    ──> waits for one
 *
 * A name may belong to a spot pair and a perpetual future: each has a book of its own, told apart
 * by the times "T" and "E" of a snapshot and the "pu" of a difference, which spot does not send.
 * The series of a symbol holds one market: the one whose snapshot came first owns it until nothing
 * has changed its book for PT_BOOK_ANOTHER_US; till then messages of the other are rejected as
 * other_market. (Rows of both in turn would be a book that there never was, and the break of one
 * would be hidden by the other.) Both are kept only under two symbols, or in two stores.
 *
 * Rows of a symbol are told in the order of their states, so a row is never stamped before the
 * state that it follows, and a snapshot that is behind the book has none.
 *
 * A difference that is rejected does not change the book; the next one finds the break. */
#include "data/decode_internal.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- levels ---- */

static bool reserve(struct pt_level_list *list, size_t n)
{
    if (n <= list->cap) return true;
    struct pt_book_level *grown = realloc(list->v, n * sizeof *grown);
    if (!grown) return false;
    list->v = grown;
    list->cap = n;
    return true;
}

/* One side of the message as numbers; whole: of a snapshot, best level first. worse: sign of a step
 * away from the best price. */
static void read_side(struct pt_decoding *job, unsigned s, bool whole)
{
    const struct pt_levels *text = &job->body->side[s];
    struct pt_level_list *list = &job->decoder->levels[s];
    int worse = s == 0 ? -1 : 1;
    list->n = 0;
    if (job->reason) return;
    if (!text->present || text->bad)
        job->reason = "bad_level";
    else if (text->many)
        job->reason = "too_many_levels";
    else if (text->nomem || !reserve(list, text->n))
        job->reason = "out_of_memory";
    for (size_t i = 0; i < text->n && !job->reason; i++) {
        struct pt_book_level *level = &list->v[i];
        const struct pt_book_level *before = i > 0 ? level - 1 : NULL;
        pt_decoding_dec(job, &text->v[i].price, &level->price, &level->price_digits);
        pt_decoding_dec(job, &text->v[i].quantity, &level->quantity, &level->quantity_digits);
        if (job->reason) break;
        if (level->price == PT_MISSING || level->quantity == PT_MISSING)
            job->reason = "value_missing";
        else if (level->price <= 0)
            job->reason = "price_not_positive";
        else if (level->quantity < 0)
            job->reason = "negative_quantity";
        else if (whole && before &&
                 worse * pt_dec_cmp(level->price, level->price_digits, before->price,
                                    before->price_digits) <=
                     0)
            job->reason = "unsorted_book";
        list->n = i + 1;
    }
}

/* Its own time, else when the producer had it, else when we had it. */
static void book_time(struct pt_decoding *job, int64_t *us)
{
    const struct pt_letters *letters = &job->body->letters;
    const struct pt_json_value *stamp = &job->message->timestamp;
    pt_decoding_time(job, pt_letter_of(letters, pt_letter_of(letters, 'T') ? 'T' : 'E'), us);
    if (*us != PT_MISSING || job->reason) return;
    if (pt_json_digits(stamp) && pt_time_parse(stamp->text, stamp->len, us) == PT_OK) return;
    *us = job->recv_us;
    if (job->recv_us == 0) job->reason = "no_time";
}

/* ---- whose book it is ---- */

/* A book whose middle is further from its last trade belongs to another symbol. */
#define NEAR 0.05

struct nearest {
    double middle;
    const struct pt_known *found;
    unsigned count;
};

static bool is_near(double price, double middle)
{
    return price > 0 && fabs(middle / price - 1) <= NEAR;
}

static bool look_near(void *arg, const struct pt_known *known)
{
    struct nearest *nearest = arg;
    if (!is_near(known->price, nearest->middle)) return true;
    nearest->found = known;
    return ++nearest->count < 2;
}

/* A producer that makes up stream names gives every spot book the name of its first symbol. Such a
 * name is only believed while the prices agree; else the book goes to the one symbol whose price
 * fits, or nowhere. */
static bool believe_name(struct pt_decoding *job, struct pt_record *record)
{
    const unsigned bid = 2, ask = bid + 2 * PT_DEPTH_LEVELS;
    bool made_up =
        job->message->message_id.kind != PT_JSON_NONE && !pt_decoding_has_symbol(job->body);
    if (!made_up || record->val[bid] == PT_MISSING || record->val[ask] == PT_MISSING) return true;
    struct nearest nearest = { .count = 0 };
    nearest.middle = (pt_dec_double(record->val[bid], record->dig[bid]) +
                      pt_dec_double(record->val[ask], record->dig[ask])) /
                     2;
    const struct pt_known *claimed = pt_known_find(&job->decoder->known, record->key.symbol);
    if (!claimed || !(claimed->price > 0) || is_near(claimed->price, nearest.middle)) return true;
    pt_known_each(&job->decoder->known, look_near, &nearest);
    if (nearest.count != 1) return false;
    memcpy(record->key.symbol, nearest.found->symbol, PT_SYMBOL_MAX);
    return true;
}

/* ---- whole books ---- */

static void fill_row(const struct pt_level_list side[2], struct pt_record *record)
{
    int64_t id = record->val[1];
    pt_break_row(record->val, record->dig);
    record->val[1] = id;
    for (unsigned s = 0, cell = 2; s < 2; s++, cell += 2 * PT_DEPTH_LEVELS) {
        for (unsigned i = 0; i < PT_DEPTH_LEVELS && i < side[s].n; i++) {
            record->val[cell + i] = side[s].v[i].price;
            record->dig[cell + i] = side[s].v[i].price_digits;
            record->val[cell + i + PT_DEPTH_LEVELS] = side[s].v[i].quantity;
            record->dig[cell + i + PT_DEPTH_LEVELS] = side[s].v[i].quantity_digits;
        }
    }
}

/* The book of a symbol on a market; made when it is not there. NULL without memory. */
static struct pt_book *book_of(struct pt_decoder *decoder, const struct pt_record *record,
                               bool futures)
{
    struct pt_known *known = pt_known_get(&decoder->known, record->key.symbol);
    if (!known) return NULL;
    if (!known->book[futures]) {
        known->book[futures] = calloc(1, sizeof *known->book[futures]);
        if (known->book[futures]) known->book[futures]->futures = futures;
    }
    return known->book[futures];
}

/* Is the series of the symbol that of this market? take: a snapshot makes it so, when the other
 * has been silent or a recording of another time begins. */
static bool own_series(struct pt_decoding *job, const struct pt_record *record, bool futures,
                       bool take)
{
    const struct pt_known *known = pt_known_find(&job->decoder->known, record->key.symbol);
    struct pt_book *other = known ? known->book[!futures] : NULL;
    int64_t time_us = record->val[0];
    if (!other || !other->owner) return true;
    if (time_us > other->time_us - PT_BOOK_ANOTHER_US &&
        time_us < other->time_us + PT_BOOK_ANOTHER_US)
        return false;
    if (take) {
        pt_book_fini(other, &job->decoder->memory);
        other->owner = other->unsent = false;
    }
    return true;
}

/* The row of the last step; told again when the receiver could not take it. */
static void tell(struct pt_decoding *job, struct pt_book *book, struct pt_record *record)
{
    if (book->valid)
        pt_book_row(book, record->val, record->dig);
    else
        pt_break_row(record->val, record->dig);
    if (!job->stopped) job->stopped = !job->emit(job->arg, record);
    book->unsent = job->stopped;
}

/* After a step: its row, or that of a break. What makes no book is none of the market: the reason
 * why, else NULL. */
static const char *told_step(struct pt_decoding *job, struct pt_book *book,
                             struct pt_record *record)
{
    const char *reason = NULL;
    if (book->valid) {
        pt_book_row(book, record->val, record->dig);
        reason = pt_decoding_check(job, record);
        if (reason) pt_book_break(book, &job->decoder->memory);
    }
    tell(job, book, record);
    return reason;
}

/* The diffs that came before the snapshot, which was made at time_us. */
static const char *apply_waiting(struct pt_decoding *job, struct pt_book *book, int64_t time_us,
                                 struct pt_record *record)
{
    struct pt_book_memory *memory = &job->decoder->memory;
    const char *reason = NULL;
    for (size_t i = 0; i < book->nwaiting && book->valid && !reason; i++) {
        struct pt_waiting *waiting = &book->waiting[i];
        struct pt_diff diff = waiting->diff;
        diff.side = waiting->side;
        if (diff.time_us <= time_us - PT_BOOK_ANOTHER_US ||
            diff.time_us >= time_us + PT_BOOK_ANOTHER_US)
            continue;
        enum pt_book_step step = pt_book_follow(book, &diff);
        if (step == PT_BOOK_BROKEN && book->waiting_broke) break; /* once is enough */
        if (step != PT_BOOK_BROKEN && !waiting->caught_up) job->decoder->counts.caught_up++;
        waiting->caught_up |= step != PT_BOOK_BROKEN;
        if (step == PT_BOOK_OLD) continue;
        diff.time_us = record->val[0] = pt_book_stamp(book, diff.time_us);
        pt_book_apply(book, &diff, memory);
        reason = told_step(job, book, record);
    }
    if (book->valid || book->waiting_broke)
        pt_book_forget_waiting(book, memory);
    else
        book->waiting_broke = book->nwaiting > 0; /* they wait for the next snapshot */
    return reason;
}

/* The book that differences will change. */
static const char *set_book(struct pt_decoding *job, struct pt_book *book, struct pt_record *record)
{
    struct pt_decoder *decoder = job->decoder;
    int64_t id = record->val[1], time_us = record->val[0];
    if (!pt_book_set(book, decoder->levels, id, time_us, &decoder->memory)) {
        tell(job, book, record); /* what changes from here on is not known */
        return "no_room_for_book";
    }
    return apply_waiting(job, book, time_us, record);
}

/* A snapshot of a symbol that has a book, or gets one. */
static enum pt_verdict take_snapshot(struct pt_decoding *job, struct pt_book *book,
                                     struct pt_record *record)
{
    int64_t id = record->val[1];
    bool behind = pt_book_is_behind(book, id, record->val[0]);
    if (behind && (id < book->id || book->unsent)) {
        if (!book->unsent) return PT_MSG_IGNORED;
        record->val[0] = book->time_us; /* sent again: its row, and those behind it */
        tell(job, book, record);
        return PT_MSG_ROWS;
    }
    record->val[0] = pt_book_stamp(book, record->val[0]);
    enum pt_verdict verdict = pt_decoding_finish(job, record);
    if (verdict != PT_MSG_ROWS || job->stopped) return verdict; /* it will be sent again */
    const char *reason = NULL;
    if (behind)
        book->time_us = record->val[0]; /* it has not changed till then */
    else
        reason = set_book(job, book, record);
    return reason ? pt_decoding_reject(job, reason) : verdict;
}

enum pt_verdict pt_decode_snapshot(struct pt_decoding *job, const struct pt_json_value *update_id)
{
    struct pt_record record;
    const struct pt_letters *letters = &job->body->letters;
    if (!pt_decoding_begin(job, &record, PT_DEPTH)) return PT_MSG_REJECTED;
    book_time(job, &record.val[0]);
    pt_decoding_int(job, update_id, &record.val[1]);
    read_side(job, 0, true);
    read_side(job, 1, true);
    fill_row(job->decoder->levels, &record);
    if (!job->reason && !believe_name(job, &record)) job->reason = "symbol_doubtful";
    if (!job->reason) job->reason = pt_decoding_check(job, &record);
    if (job->reason) return PT_MSG_REJECTED;
    bool futures = pt_letter_of(letters, 'T') || pt_letter_of(letters, 'E');
    if (!own_series(job, &record, futures, true)) return pt_decoding_reject(job, "other_market");
    /* without an id, or room, its differences find no book */
    struct pt_book *book =
        record.val[1] != PT_MISSING ? book_of(job->decoder, &record, futures) : NULL;
    return book ? take_snapshot(job, book, &record) : pt_decoding_finish(job, &record);
}

/* ---- differences ---- */

/* btcusdt@depth20@100ms: the name says that it is a whole book and no difference. */
static bool is_partial_depth(const struct pt_json_value *stream)
{
    if (stream->kind != PT_JSON_STRING) return false;
    const char *at = memmem(stream->text, stream->len, "@depth", 6);
    if (!at) return false;
    at += 6;
    return at < stream->text + stream->len && *at >= '0' && *at <= '9';
}

/* It found no book to change. */
static void wait_for_book(struct pt_decoding *job, struct pt_book *book, const struct pt_diff *diff)
{
    if (pt_book_wait(book, diff, &job->decoder->memory)) job->decoder->counts.bookless++;
}

static enum pt_verdict change_book(struct pt_decoding *job, struct pt_book *book,
                                   struct pt_diff *diff, struct pt_record *record)
{
    bool again = book->unsent && (!book->valid || diff->last_id == book->id);
    diff->time_us = record->val[0] = pt_book_stamp(book, diff->time_us);
    if (!book->valid) {
        wait_for_book(job, book, diff);
        if (!again) return PT_MSG_IGNORED;
    } else if (!again) {
        enum pt_book_step step = pt_book_apply(book, diff, &job->decoder->memory);
        if (step == PT_BOOK_OLD) return PT_MSG_IGNORED;
        if (step == PT_BOOK_BROKEN) wait_for_book(job, book, diff);
    }
    const char *reason = told_step(job, book, record);
    return reason ? pt_decoding_reject(job, reason) : PT_MSG_ROWS;
}

static enum pt_verdict decode_diff(struct pt_decoding *job)
{
    struct pt_record record;
    const struct pt_object *body = job->body;
    const struct pt_json_value *previous = &body->keys[PT_KEY_PREVIOUS_ID];
    bool futures = previous->kind != PT_JSON_NONE;
    if (!pt_decoding_begin(job, &record, PT_DEPTH)) return PT_MSG_REJECTED;
    struct pt_diff diff = { .side = job->decoder->levels };
    book_time(job, &record.val[0]);
    pt_decoding_int(job, pt_letter_of(&body->letters, 'U'), &diff.first_id);
    pt_decoding_int(job, pt_letter_of(&body->letters, 'u'), &diff.last_id);
    if (futures) pt_decoding_int(job, previous, &diff.previous_id);
    read_side(job, 0, false);
    read_side(job, 1, false);
    bool ids =
        diff.first_id != PT_MISSING && diff.last_id != PT_MISSING && diff.previous_id != PT_MISSING;
    if (!ids && !job->reason) job->reason = "value_missing";
    if (job->reason) return PT_MSG_REJECTED;
    diff.time_us = record.val[0];
    if (!own_series(job, &record, futures, false)) return pt_decoding_reject(job, "other_market");
    struct pt_book *book = book_of(job->decoder, &record, futures);
    if (!book) return PT_MSG_IGNORED; /* no snapshot would find room either */
    return change_book(job, book, &diff, &record);
}

enum pt_verdict pt_decode_depth_update(struct pt_decoding *job, const char **type)
{
    *type = "depthUpdate";
    if (!is_partial_depth(&job->message->stream)) return decode_diff(job);
    *type = "depth";
    return pt_decode_snapshot(job, pt_letter_of(&job->body->letters, 'u'));
}
