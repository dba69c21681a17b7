/* cache.h - ready replies of one HTTP thread, by address, least used out first. [layer: serve]
 * Not thread-safe. An entry says what it was true for; whether it still is, is the asker's to
 * decide. */
#ifndef PT_CACHE_H
#define PT_CACHE_H

#include "serve/request.h"

struct pt_cache_entry {
    struct pt_cache_entry *chain, *newer, *older;
    uint64_t hash;
    struct pt_body *body; /* a reference */
    const struct pt_route *route;
    uint64_t commit, generation; /* true while both are those of store and scripts, */
    uint64_t inputs;             /* or while what it was made of has this digest (0 = unknown), */
    int64_t expires_us;          /* and the wall clock is before this */
    size_t bytes;
    bool csv;
    char uri[]; /* NUL-terminated */
};

struct pt_cache {
    struct pt_cache_entry **table;
    size_t slots, n; /* slots: a power of two */
    size_t bytes, max_bytes;
    struct pt_cache_entry *newest, *oldest;
};

/* max_bytes 0: keeps nothing. */
enum pt_code pt_cache_init(struct pt_cache *cache, size_t max_bytes, struct pt_err *err);
void pt_cache_fini(struct pt_cache *cache);

/* Borrowed until the next put or drop; NULL when there is none. csv: the reply's form, which the
 * address alone does not tell. */
struct pt_cache_entry *pt_cache_find(struct pt_cache *cache, const char *uri, bool csv);

/* Puts (or replaces) an entry with a reference of its own to body; NULL when it is too big for the
 * cache or there is no memory, which is no failure of the request. The caller fills commit ..
 * inputs. */
struct pt_cache_entry *pt_cache_put(struct pt_cache *cache, const char *uri, bool csv,
                                    struct pt_body *body);
void pt_cache_drop(struct pt_cache *cache, struct pt_cache_entry *entry);
/* The body of an entry grew (its compressed form was made). */
void pt_cache_grew(struct pt_cache *cache, struct pt_cache_entry *entry);

#endif
