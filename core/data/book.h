/* book.h - an order book that is kept from message to message.                 [layer: data]
 *
 * A snapshot sets it; differences (diffs) that follow each other without a break change it:
 *
 *     spot     first diff: U <= id + 1 <= u;              then U == id + 1
 *     USD-M    first diff: U <= id <= u, or pu == id;     then pu == id
 *
 * where id is the update id that the book has: the snapshot's, then u of the last diff. Diffs from
 * before it are dropped. Anything else is a break: the book is not valid from there until the next
 * snapshot. (Rules: Binance, "How to manage a local order book correctly". pu == id is added for
 * snapshots that are partial books of the diff stream itself.) A snapshot holds no more levels than
 * were asked for; those behind its last one are known from the first diff that names them on.
 *
 * The snapshot is asked for while diffs arrive, so that those which follow it may come before it:
 * the newest diffs wait as long as there is no valid book, and are applied when a snapshot sets
 * one. A diff whose ids go down while its time moves on shows that what waits is of no use (ids
 * began anew, or one was a mistake): it waits alone then. What waits breaks a snapshot once, when
 * that is too old for it; the next one that it does not follow shows that the diffs are at fault.
 *
 * Ids that go down in time make a book old for good, so time decides beside them: what is
 * PT_BOOK_ANOTHER_US away from the last change belongs to another stream of ids. A diff with old
 * ids is a break then, a snapshot sets the book, and what waits is not applied.
 *
 * Memory: at most PT_BOOK_LEVELS_MAX levels a side of 24 bytes (the farthest give way) and
 * PT_BOOK_WAITING_MAX waiting diffs with PT_BOOK_WAITING_LEVELS_MAX levels a book, and all books of
 * a decoder together at most PT_BOOKS_BYTES_MAX; a book that finds no room is not kept. */
#ifndef PT_BOOK_H
#define PT_BOOK_H

#include "base/timefmt.h"
#include "data/schema.h"

#define PT_BOOK_LEVELS_MAX 10240
#define PT_BOOK_ANOTHER_US PT_US_MIN
#define PT_BOOK_WAITING_MAX 128
#define PT_BOOK_WAITING_LEVELS_MAX 4096
#define PT_BOOKS_BYTES_MAX ((size_t)256 << 20)

/* Price in quote units, quantity in base units: exact decimals, each with its own digits. */
struct pt_book_level {
    int64_t price, quantity; /* mantissas */
    uint8_t price_digits, quantity_digits;
};

/* Levels of a message: bids, asks. */
struct pt_level_list {
    struct pt_book_level *v; /* owned */
    size_t n, cap;
};

struct pt_book_side {
    struct pt_book_level *v; /* owned; the best level is the last one: changes are mostly near it */
    size_t n, cap;
};

struct pt_diff {
    int64_t first_id, last_id, previous_id; /* U, u, pu (USD-M) */
    int64_t time_us;
    const struct pt_level_list *side; /* [2], good levels in any order; quantity 0 removes */
};

/* A diff that came before its snapshot. */
struct pt_waiting {
    struct pt_diff diff;
    struct pt_level_list side[2];
    bool caught_up; /* a snapshot holds it, or it was applied */
};

struct pt_book {
    struct pt_book_side side[2]; /* bids, asks */
    int64_t id;                  /* update id that it has */
    int64_t time_us;             /* of the last message that set or changed it */
    bool futures;                /* which rules hold */
    bool valid;
    bool first;                 /* no diff has followed the snapshot yet */
    bool owner;                 /* the rows of its symbol are its own (decode_book.c) */
    bool unsent;                /* the row of the last step was not taken: it is told again */
    struct pt_waiting *waiting; /* owned, oldest first; each follows the one before */
    size_t nwaiting, waiting_cap, waiting_levels;
    bool waiting_broke; /* a snapshot */
};

/* All books of a decoder. */
struct pt_book_memory {
    size_t bytes; /* that their levels and waiting diffs have */
};

/* Whole levels, best first, good and sorted (levels without a quantity are none). False: no room;
 * the book is not valid then. */
bool pt_book_set(struct pt_book *book, const struct pt_level_list side[2], int64_t id,
                 int64_t time_us, struct pt_book_memory *memory);

/* At or behind the book's id, and not of another stream of ids: it does not bring the book
 * forward. */
bool pt_book_is_behind(const struct pt_book *book, int64_t id, int64_t time_us);
/* When a change that came at time_us is told: never before what it changes, though that may have
 * been stamped when it was received and the change when it was made. */
int64_t pt_book_stamp(const struct pt_book *book, int64_t time_us);

enum pt_book_step { PT_BOOK_APPLIED, PT_BOOK_OLD, PT_BOOK_BROKEN };
/* What applying it would be, but for want of room. The book must be valid. */
enum pt_book_step pt_book_follow(const struct pt_book *book, const struct pt_diff *diff);
/* The book must be valid. PT_BOOK_BROKEN: it is not valid any more. */
enum pt_book_step pt_book_apply(struct pt_book *book, const struct pt_diff *diff,
                                struct pt_book_memory *memory);
/* Without a valid book: keeps a copy of a diff until a snapshot comes; the oldest give way. False:
 * it was sent again, or late. */
bool pt_book_wait(struct pt_book *book, const struct pt_diff *diff, struct pt_book_memory *memory);
void pt_book_forget_waiting(struct pt_book *book, struct pt_book_memory *memory);
/* Not valid until the next snapshot; its levels are given back. */
void pt_book_break(struct pt_book *book, struct pt_book_memory *memory);
void pt_book_fini(struct pt_book *book, struct pt_book_memory *memory);

/* The best levels as cells of a depth row: update id and PT_DEPTH_LEVELS of each side; the time is
 * left alone. */
void pt_book_row(const struct pt_book *book, int64_t *val, uint8_t *dig);

/* The row of a break: from its time on no valid book is known. It has no levels and no update id,
 * which no exchange sends. */
void pt_break_row(int64_t *val, uint8_t *dig);
bool pt_is_break_row(const int64_t *val);

#endif
