/* walk.h - a range of a series as pieces: rows of one chunk after the other, then tail rows.
 * [layer: store] Reading, counting, paging and scanning differ only in what they do with a piece.
 */
#ifndef PT_STORE_WALK_H
#define PT_STORE_WALK_H

#include "store/chunk.h"
#include "store/internal.h"

struct pt_walk {
    struct pt_read *read;
    const struct pt_kind *kind;
    char name[PT_SERIES_TEXT_MAX];
    struct pt_series_record record;
    int64_t from_us, to_us;
    MDB_cursor *cursor; /* over chunks */
    struct pt_err *err;
    /* the piece: rows lo .. hi of an opened chunk */
    struct pt_chunk chunk;
    size_t lo, hi;
};

/* PT_ENOENT (err untouched): no such rows. */
enum pt_code pt_walk_start(struct pt_walk *w, struct pt_read *read, const struct pt_series_key *key,
                           int64_t from_us, int64_t to_us, struct pt_err *err);
/* The next piece, ascending; first: the one that holds the range's start. PT_ENOENT at the end. */
enum pt_code pt_walk_next(struct pt_walk *w, bool first);
/* The last piece of the range, then the one before, ... PT_ENOENT when there is none left. */
enum pt_code pt_walk_back(struct pt_walk *w, bool first);
/* The tail rows of the range, ascending; fn returns false to stop. */
typedef bool (*pt_tail_fn)(void *arg, const MDB_val *key, const MDB_val *value);
enum pt_code pt_walk_tail(struct pt_walk *w, pt_tail_fn fn, void *arg);
/* PT_EDAMAGE in words: series, "chunk" or "row", its first time, what is wrong. */
enum pt_code pt_walk_damaged(const struct pt_walk *w, int64_t time_us, const char *where,
                             const char *what);

#endif
