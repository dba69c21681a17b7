/* pages.c - the cursor is (time, rows already given at that time): several trades may share one
 * time. */
#include "cli/pages.h"

enum { PAGE_ROWS = 32768 };

void pt_pages_init(struct pt_pages *pages, struct pt_store *store, const struct pt_series_key *key,
                   int64_t from_us, int64_t to_us)
{
    *pages = (struct pt_pages){ .store = store, .key = *key, .from_us = from_us, .to_us = to_us };
    pt_frame_init(&pages->frame, pt_kind(key->kind));
}

void pt_pages_fini(struct pt_pages *pages)
{
    pt_frame_fini(&pages->frame);
}

enum pt_code pt_pages_next(struct pt_pages *pages, struct pt_err *err)
{
    struct pt_frame *frame = &pages->frame;
    pt_frame_clear(frame);
    struct pt_read *read = NULL;
    enum pt_code rc = pt_read_begin(pages->store, &read, err);
    if (rc == PT_OK)
        rc = pt_series_page(read, &pages->key, pages->from_us, pages->to_us, pages->skip, PAGE_ROWS,
                            false, frame, err);
    pt_read_end(read);
    if (rc != PT_OK || frame->n == 0) return rc;
    const int64_t *time = frame->val[0];
    int64_t last = time[frame->n - 1];
    uint64_t same = 0;
    for (size_t i = frame->n; i-- > 0 && time[i] == last;) same++;
    pages->skip = same + (last == pages->from_us ? pages->skip : 0);
    pages->from_us = last;
    return PT_OK;
}
