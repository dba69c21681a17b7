/* routes_catalog.h - what the handlers of /catalog share. [layer: serve] */
#ifndef PT_ROUTES_CATALOG_H
#define PT_ROUTES_CATALOG_H

#include "serve/thread.h"

static inline bool pt_dataset_is_results(const struct pt_dataset *dataset)
{
    return dataset->metric[0] != '\0';
}
/* "candle_schema_v1"; static. */
const char *pt_schema_id(enum pt_kind_id kind);

/* The thread's list as it is now. NULL: the request is answered. */
const struct pt_catalog *pt_catalog_list(struct pt_request *request);
/* The dataset that the path names. NULL: the request is answered, with 404 when there is none. */
const struct pt_dataset *pt_catalog_get(struct pt_request *request);
/* Answers 200 with the text (taken) and keeps it; the tag is made of the body. A list that was kept
 * for a moment after a commit is soon made anew. */
void pt_catalog_reply(struct pt_request *request, struct pt_buf *out, int64_t total);

#endif
