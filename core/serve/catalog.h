/* catalog.h - what the store holds, dataset by dataset, and how well it is. [layer: serve]
 *
 * A dataset is a series of market data or a collection of results. The list is made of the store's
 * own records and of keys, never of rows or documents, and kept until something was committed; a
 * store so large that this takes long is looked at less often (PT_CATALOG_SHARE). */
#ifndef PT_CATALOG_H
#define PT_CATALOG_H

#include "data/unit.h"
#include "flow/result.h"
#include "store/store.h"

#define PT_CATALOG_SHARE 20 /* a list is kept at least so many times as long as it took to make */

struct pt_dataset {
    char id[PT_COLLECTION_MAX];      /* public name of the collection */
    char symbol[PT_SYMBOL_MAX];      /* "" = of no symbol */
    char metric[PT_SCRIPT_NAME_MAX]; /* results: name of the script; market data: "" */
    struct pt_series series;         /* market data */
    uint64_t rows;
    int64_t first_us, last_us; /* open time of candles, as_of of results; PT_MISSING = no rows */
    int64_t updated_us; /* when rows were put, or the newest result was computed; PT_MISSING = not
                           known */
    double score;       /* 0..100, pt_score_*; NaN: not judged */
};

struct pt_catalog {       /* zeroed = empty */
    struct pt_dataset *v; /* owned; sorted by id */
    size_t n, cap;
    int64_t made_us, cost_us; /* wall clock, duration */
    uint64_t commit;
    bool made;
};
void pt_catalog_fini(struct pt_catalog *catalog);

/* The list as it is now, or was a short while ago. */
enum pt_code pt_catalog_refresh(struct pt_catalog *catalog, struct pt_store *store, int64_t now_us,
                                struct pt_err *err);
/* NULL: no such dataset. */
const struct pt_dataset *pt_catalog_find(const struct pt_catalog *catalog, const char *id);

/* ---- how well a series is ---- */

/* Counts of a candle series; the bar under way is neither there nor expected. */
struct pt_span {
    uint64_t rows, expected; /* expected: slots of the grid from the first to the last row */
    int64_t close_us;        /* of the newest closed bar; PT_MISSING = none */
};
enum pt_code pt_span_read(struct pt_read *read, const struct pt_series *series,
                          struct pt_span *span, struct pt_err *err);
double pt_span_percent(const struct pt_span *span); /* 100 x rows / expected, NaN: none expected */

/* 100 up to a tenth of a period and 5 s after the close, down to 0 at three periods. */
double pt_freshness(int64_t age_us, int64_t period_us);
/* 0.8 completeness + 0.2 freshness: the weights of the original (0.4, 0.4, 0.2), whose consistency
 * is not known before an audit; its share is given to completeness. */
double pt_score(double completeness, double freshness);

/* Holes in a candle series, each of one or more missing bars. Counting them needs the times of all
 * rows, so it is done once for a series, and then goes on from where it ended as long as nothing
 * was put before that; all is counted again after PT_GAPS_TRUST_US. */
#define PT_GAPS_SLOTS 64
#define PT_GAPS_TRUST_US INT64_C(600000000)
struct pt_gaps_slot {
    struct pt_series series; /* as it was */
    uint64_t gaps;
    int64_t counted_us; /* monotonic: when all were counted; 0 = free */
    uint64_t used;
};
struct pt_gaps_cache { /* zeroed = empty */
    struct pt_gaps_slot slot[PT_GAPS_SLOTS];
    uint64_t clock, scanned; /* scanned: rows looked at in all, for tests */
};
enum pt_code pt_gaps_count(struct pt_gaps_cache *cache, struct pt_read *read,
                           const struct pt_series *series, uint64_t *gaps, struct pt_err *err);

#endif
