/* bars_index.h - which closed bars there are, for pages, totals, completeness.  [layer: serve]
 *
 * A stored period is paged by the store itself; only bars that are not closed must be left out, so
 * their open times are listed (hardly ever more than the one under way). A derived period has no
 * rows to count, so the open times of all its bars that are complete are listed. Both lists are
 * made by a scan of two columns and kept until a row comes, is closed or corrected: they do not
 * change while a candle grows. */
#ifndef PT_BARS_INDEX_H
#define PT_BARS_INDEX_H

#include "store/bars.h"

struct pt_bars_index {
    struct pt_series source; /* what is stored; rows 0 when there is nothing */
    int64_t period_us;       /* asked for */
    int64_t source_us;       /* stored period; 0 = the pair has none that fits */
    bool derived;
    size_t n;
    int64_t *time_us; /* ascending: derived: all bars; stored: those that are not closed */
    uint64_t used;    /* for eviction */
};

#define PT_BARS_CACHE_SLOTS 32
struct pt_bars_cache {
    struct pt_bars_index slot[PT_BARS_CACHE_SLOTS],
        none; /* none: pairs that are not stored must not evict others */
    uint64_t clock;
};
void pt_bars_cache_fini(struct pt_bars_cache *cache);

/* The index of a pair's period as of `read`; borrowed until the next call. */
enum pt_code pt_bars_index(struct pt_bars_cache *cache, struct pt_read *read, const char *symbol,
                           int64_t period_us, const struct pt_bars_index **index,
                           struct pt_err *err);

/* Which rows of a list are wanted. */
struct pt_page {
    int64_t from_us, to_us; /* [from, to) */
    int64_t offset, limit;
    bool from_newest;  /* offset counts back from the end of the range */
    bool include_open; /* bars that are not closed too (stored periods only) */
};
struct pt_page_sums {
    int64_t total;       /* rows that match */
    double completeness; /* 100 x rows there / rows expected in the range, cut to the series' span;
                            NaN: none expected */
    int64_t last_us;     /* open time of the newest stored row of the series, PT_MISSING: none */
};
/* Appends the page to frame (inited with candles), ascending. */
enum pt_code pt_bars_page(struct pt_read *read, const struct pt_bars_index *index,
                          const struct pt_page *page, struct pt_frame *frame,
                          struct pt_page_sums *sums, struct pt_err *err);

#endif
