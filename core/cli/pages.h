/* pages.h - walks a stored series in pages, each read in a short snapshot.     [layer: cli] */
#ifndef PT_PAGES_H
#define PT_PAGES_H

#include "store/store.h"

struct pt_pages {
    struct pt_store *store; /* borrowed */
    struct pt_series_key key;
    int64_t from_us, to_us;
    uint64_t skip;         /* rows at from_us that were already given */
    struct pt_frame frame; /* the page, valid until the next call */
};

void pt_pages_init(struct pt_pages *pages, struct pt_store *store, const struct pt_series_key *key,
                   int64_t from_us, int64_t to_us);
void pt_pages_fini(struct pt_pages *pages);
/* The next page in pages->frame; n == 0 at the end. Rows committed meanwhile behind the cursor are
 * not seen. */
enum pt_code pt_pages_next(struct pt_pages *pages, struct pt_err *err);

#endif
