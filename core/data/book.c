/* book.c - levels in order of price, changed by differences.                   [layer: data] */
#include "data/book.h"

#include "base/decimal.h"

#include <stdlib.h>
#include <string.h>

enum { BIDS, ASKS };

/* Cells of a depth row: time, update id, then four columns of PT_DEPTH_LEVELS. */
#define CELL_ID 1
#define CELL_SIDE(side) (2 + (side)*2 * PT_DEPTH_LEVELS)

/* ---- memory ---- */

static bool reserve(struct pt_book_side *side, size_t n, struct pt_book_memory *memory)
{
    if (n <= side->cap) return true;
    size_t cap = side->cap ? side->cap : 64;
    while (cap < n) cap *= 2;
    if (cap > PT_BOOK_LEVELS_MAX) cap = PT_BOOK_LEVELS_MAX;
    size_t more = (cap - side->cap) * sizeof *side->v;
    if (memory->bytes + more > PT_BOOKS_BYTES_MAX) return false;
    struct pt_book_level *grown = realloc(side->v, cap * sizeof *grown);
    if (!grown) return false;
    memory->bytes += more;
    side->v = grown;
    side->cap = cap;
    return true;
}

void pt_book_break(struct pt_book *book, struct pt_book_memory *memory)
{
    for (int s = 0; s < 2; s++) {
        memory->bytes -= book->side[s].cap * sizeof *book->side[s].v;
        free(book->side[s].v);
        book->side[s] = (struct pt_book_side){ .v = NULL };
    }
    book->valid = false;
}

void pt_book_fini(struct pt_book *book, struct pt_book_memory *memory)
{
    pt_book_break(book, memory);
    pt_book_forget_waiting(book, memory);
}

/* ---- levels ---- */

static int by_price(const struct pt_book_level *a, const struct pt_book_level *b)
{
    return pt_dec_cmp(a->price, a->price_digits, b->price, b->price_digits);
}

/* The place of a price: of its level, else where it would stand. */
static size_t place(const struct pt_book_side *side, int worse, const struct pt_book_level *level,
                    bool *there)
{
    size_t low = 0, high = side->n;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = by_price(&side->v[middle], level) * worse;
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order > 0)
            low = middle + 1; /* the one in the middle is worse: ours is nearer to the end */
        else
            high = middle;
    }
    return low;
}

/* worse: sign of a step away from the best price. False: no room. */
static bool change(struct pt_book_side *side, int worse, const struct pt_book_level *level,
                   struct pt_book_memory *memory)
{
    bool there;
    size_t at = place(side, worse, level, &there);
    struct pt_book_level *v = side->v;
    if (level->quantity == 0) {
        if (!there) return true; /* of a level that was never told */
        memmove(v + at, v + at + 1, (side->n - at - 1) * sizeof *v);
        side->n--;
        return true;
    }
    if (there) {
        v[at] = *level;
        return true;
    }
    if (side->n == PT_BOOK_LEVELS_MAX) { /* the farthest one gives way */
        if (at == 0) return true;
        memmove(v, v + 1, (at - 1) * sizeof *v);
        v[at - 1] = *level;
        return true;
    }
    if (!reserve(side, side->n + 1, memory)) return false;
    v = side->v;
    memmove(v + at + 1, v + at, (side->n - at) * sizeof *v);
    v[at] = *level;
    side->n++;
    return true;
}

/* ---- the book ---- */

bool pt_book_set(struct pt_book *book, const struct pt_level_list side[2], int64_t id,
                 int64_t time_us, struct pt_book_memory *memory)
{
    for (int s = 0; s < 2; s++) {
        struct pt_book_side *to = &book->side[s];
        size_t n = side[s].n < PT_BOOK_LEVELS_MAX ? side[s].n : PT_BOOK_LEVELS_MAX;
        to->n = 0;
        if (!reserve(to, n, memory)) {
            pt_book_break(book, memory);
            return false;
        }
        for (size_t i = n; i-- > 0;) {
            if (side[s].v[i].quantity != 0) to->v[to->n++] = side[s].v[i];
        }
    }
    book->id = id;
    book->time_us = time_us;
    book->valid = book->first = book->owner = true;
    book->unsent = false;
    return true;
}

/* Is it the next one behind a diff with this last id? */
static bool is_next(bool futures, int64_t id, const struct pt_diff *diff)
{
    return futures ? diff->previous_id == id : diff->first_id == id + 1;
}

bool pt_book_is_behind(const struct pt_book *book, int64_t id, int64_t time_us)
{
    return book->valid && id <= book->id && time_us > book->time_us - PT_BOOK_ANOTHER_US &&
           (id == book->id || time_us < book->time_us + PT_BOOK_ANOTHER_US);
}

int64_t pt_book_stamp(const struct pt_book *book, int64_t time_us)
{
    bool before =
        book->valid && time_us < book->time_us && time_us > book->time_us - PT_BOOK_ANOTHER_US;
    return before ? book->time_us : time_us;
}

enum pt_book_step pt_book_follow(const struct pt_book *book, const struct pt_diff *diff)
{
    bool whole = diff->first_id <= diff->last_id, next = is_next(book->futures, book->id, diff);
    bool old = diff->last_id <= book->id;
    if (book->first && book->futures) { /* the diff that ends with the snapshot is its first one */
        old = diff->last_id < book->id;
        next = next || diff->first_id <= book->id;
    } else if (book->first) {
        next = diff->first_id <= book->id + 1;
    }
    if (old)
        return diff->time_us < book->time_us + PT_BOOK_ANOTHER_US ? PT_BOOK_OLD : PT_BOOK_BROKEN;
    return whole && next ? PT_BOOK_APPLIED : PT_BOOK_BROKEN;
}

enum pt_book_step pt_book_apply(struct pt_book *book, const struct pt_diff *diff,
                                struct pt_book_memory *memory)
{
    enum pt_book_step step = pt_book_follow(book, diff);
    if (step == PT_BOOK_OLD) return step;
    for (int s = 0; s < 2 && step == PT_BOOK_APPLIED; s++) {
        const struct pt_level_list *list = &diff->side[s];
        for (size_t i = 0; i < list->n && step == PT_BOOK_APPLIED; i++) {
            if (!change(&book->side[s], s == BIDS ? -1 : 1, &list->v[i], memory))
                step = PT_BOOK_BROKEN;
        }
    }
    if (step == PT_BOOK_BROKEN) {
        pt_book_break(book, memory);
        return step;
    }
    book->id = diff->last_id;
    book->time_us = diff->time_us;
    book->first = false;
    return step;
}

/* ---- diffs before their snapshot ---- */

static void drop_first(struct pt_book *book, struct pt_book_memory *memory)
{
    struct pt_waiting *first = book->waiting;
    for (int s = 0; s < 2; s++) {
        book->waiting_levels -= first->side[s].n;
        memory->bytes -= first->side[s].n * sizeof *first->side[s].v;
        free(first->side[s].v);
    }
    book->nwaiting--;
    memmove(first, first + 1, book->nwaiting * sizeof *first);
}

void pt_book_forget_waiting(struct pt_book *book, struct pt_book_memory *memory)
{
    while (book->nwaiting > 0) drop_first(book, memory);
    memory->bytes -= book->waiting_cap * sizeof *book->waiting;
    free(book->waiting);
    book->waiting = NULL;
    book->waiting_cap = 0;
    book->waiting_broke = false;
}

/* Room for one more: few symbols have many that wait. */
static bool reserve_waiting(struct pt_book *book, struct pt_book_memory *memory)
{
    if (book->nwaiting < book->waiting_cap) return true;
    size_t cap = book->waiting_cap ? 2 * book->waiting_cap : 2;
    size_t more = (cap - book->waiting_cap) * sizeof *book->waiting;
    if (memory->bytes + more > PT_BOOKS_BYTES_MAX) return false;
    struct pt_waiting *grown = realloc(book->waiting, cap * sizeof *grown);
    if (!grown) return false;
    memory->bytes += more;
    book->waiting = grown;
    book->waiting_cap = cap;
    return true;
}

/* A copy of its levels. False: no room; the copy holds what was taken. */
static bool copy_levels(const struct pt_diff *diff, struct pt_waiting *waiting,
                        const struct pt_book_memory *memory)
{
    size_t levels = diff->side[0].n + diff->side[1].n;
    if (levels > PT_BOOK_WAITING_LEVELS_MAX ||
        memory->bytes + levels * sizeof(struct pt_book_level) > PT_BOOKS_BYTES_MAX)
        return false;
    for (int s = 0; s < 2; s++) {
        size_t n = diff->side[s].n;
        if (n == 0) continue;
        waiting->side[s].v = malloc(n * sizeof *waiting->side[s].v);
        if (!waiting->side[s].v) return false;
        memcpy(waiting->side[s].v, diff->side[s].v, n * sizeof *waiting->side[s].v);
        waiting->side[s].n = waiting->side[s].cap = n;
    }
    return true;
}

/* Is there a use for what waits, now that this one came? */
static bool goes_on(const struct pt_book *book, const struct pt_diff *last,
                    const struct pt_diff *diff)
{
    return is_next(book->futures, last->last_id, diff) &&
           diff->time_us > last->time_us - PT_BOOK_ANOTHER_US;
}

bool pt_book_wait(struct pt_book *book, const struct pt_diff *diff, struct pt_book_memory *memory)
{
    size_t levels = diff->side[0].n + diff->side[1].n;
    if (book->nwaiting > 0) {
        const struct pt_diff *last = &book->waiting[book->nwaiting - 1].diff;
        if (diff->last_id <= last->last_id && diff->time_us <= last->time_us &&
            diff->time_us > last->time_us - PT_BOOK_ANOTHER_US)
            return false;
        if (diff->last_id <= last->last_id || !goes_on(book, last, diff))
            pt_book_forget_waiting(book, memory); /* no snapshot can bridge that */
    }
    while (book->nwaiting == PT_BOOK_WAITING_MAX ||
           (book->nwaiting > 0 &&
            (book->waiting_levels + levels > PT_BOOK_WAITING_LEVELS_MAX ||
             book->waiting[0].diff.time_us <= diff->time_us - PT_BOOK_ANOTHER_US)))
        drop_first(book, memory);
    struct pt_waiting waiting = { .diff = *diff };
    if (!reserve_waiting(book, memory) || !copy_levels(diff, &waiting, memory)) {
        free(waiting.side[0].v);
        free(waiting.side[1].v);
        pt_book_forget_waiting(book, memory); /* the chain has a hole now */
        return true;
    }
    memory->bytes += levels * sizeof(struct pt_book_level);
    book->waiting_levels += levels;
    book->waiting[book->nwaiting++] = waiting;
    return true;
}

/* ---- rows ---- */

void pt_book_row(const struct pt_book *book, int64_t *val, uint8_t *dig)
{
    pt_break_row(val, dig);
    val[CELL_ID] = book->id;
    for (unsigned s = 0; s < 2; s++) {
        const struct pt_book_side *side = &book->side[s];
        for (unsigned i = 0; i < PT_DEPTH_LEVELS && i < side->n; i++) {
            const struct pt_book_level *level = &side->v[side->n - 1 - i];
            unsigned price = CELL_SIDE(s) + i, quantity = price + PT_DEPTH_LEVELS;
            val[price] = level->price;
            dig[price] = level->price_digits;
            val[quantity] = level->quantity;
            dig[quantity] = level->quantity_digits;
        }
    }
}

void pt_break_row(int64_t *val, uint8_t *dig)
{
    for (unsigned i = CELL_ID; i < CELL_SIDE(2); i++) {
        val[i] = PT_MISSING;
        dig[i] = 0;
    }
}

bool pt_is_break_row(const int64_t *val)
{
    for (unsigned i = CELL_ID; i < CELL_SIDE(2); i++) {
        if (val[i] != PT_MISSING) return false;
    }
    return true;
}
