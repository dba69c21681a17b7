/* routes_depth.c - /data/depth: the newest stored order book. [layer: serve] */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/thread.h"

#include <math.h>
#include <string.h>

#define SOURCE "store"             /* metadata.source */
#define MAX_AGE_US (5 * PT_US_SEC) /* an older book is stale */

enum { DEPTH_PAIR, DEPTH_LEVELS };
const struct pt_param pt_depth_params[] = {
    [DEPTH_PAIR] = PT_PARAM_ROW_PAIR,
    [DEPTH_LEVELS] = { .name = "levels",
                       .type = PT_PARAM_INT,
                       .fallback = "20",
                       .min = 1,
                       .max = PT_DEPTH_LEVELS,
                       .about = "levels of each side" },
    { 0 },
};

/* One side of the frame's only row, best level first; levels that the book lacks are left out. */
static void write_side(const struct pt_frame *book, unsigned price, unsigned quantity,
                       size_t levels, struct pt_json *json)
{
    pt_json_array(json);
    for (size_t i = 0; book->n > 0 && i < levels; i++) {
        if (book->val[price][i] == PT_MISSING) break;
        pt_json_object(json);
        pt_json_key(json, "price");
        pt_json_dec(json, book->val[price][i], book->dig[price][i]);
        pt_json_key(json, "quantity");
        pt_json_dec(json, book->val[quantity][i], book->dig[quantity][i]);
        pt_json_object_end(json);
    }
    pt_json_array_end(json);
}

static void write_data(const struct pt_frame *book, size_t levels, struct pt_json *json)
{
    pt_json_key(json, "data");
    pt_json_object(json);
    pt_json_key(json, "bids");
    write_side(book, PT_D_BID_PRICE, PT_D_BID_QUANTITY, levels, json);
    pt_json_key(json, "asks");
    write_side(book, PT_D_ASK_PRICE, PT_D_ASK_QUANTITY, levels, json);
    if (book->n > 0 && book->val[PT_D_UPDATE_ID][0] != PT_MISSING)
        pt_json_kv_int(json, "last_update_id", book->val[PT_D_UPDATE_ID][0]);
    else
        pt_json_kv_null(json, "last_update_id");
    pt_json_object_end(json);
}

/* A snapshot is not expected at any time, so how complete it is cannot be told. */
static void write_metadata(const struct pt_series_key *key, const struct pt_frame *book,
                           struct pt_json *json)
{
    char collection[PT_SERIES_TEXT_MAX];
    int64_t time_us = book->n > 0 ? book->val[PT_D_TIME][0] : PT_MISSING;
    pt_series_print(key, collection);
    pt_json_key(json, "metadata");
    pt_json_object(json);
    pt_list_time(json, "timestamp", time_us);
    if (time_us != PT_MISSING) {
        int64_t age_us = pt_now_us() - time_us;
        pt_json_kv_int(json, "age_ms", age_us / 1000);
        pt_json_kv_bool(json, "stale", age_us > MAX_AGE_US);
    } else {
        pt_json_kv_null(json, "age_ms");
        pt_json_kv_null(json, "stale");
    }
    pt_list_percent(json, "data_completeness", NAN);
    pt_list_time(json, "last_updated", time_us);
    pt_json_kv_text(json, "source", SOURCE);
    pt_json_kv_text(json, "collection", collection);
    pt_json_kv_int(json, "records_returned", (int64_t)book->n);
    pt_json_object_end(json);
}

void pt_handle_depth(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    int64_t levels = value[DEPTH_LEVELS].number;
    struct pt_series_key key = { .kind = PT_DEPTH };
    struct pt_read *read = NULL;
    struct pt_frame book;
    struct pt_buf out = { 0 };
    struct pt_json json;
    struct pt_err err;
    strcpy(key.symbol, value[DEPTH_PAIR].symbol);
    pt_frame_init(&book, pt_kind(PT_DEPTH));
    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK) rc = pt_series_page(read, &key, 0, INT64_MAX, 0, 1, true, &book, &err);
    pt_read_end(read);
    if (rc != PT_OK) {
        pt_reply_error(request, &err);
        goto out;
    }
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", key.symbol);
    write_data(&book, (size_t)levels, &json);
    write_metadata(&key, &book, &json);
    pt_json_key(&json, "parameters");
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", key.symbol);
    pt_json_kv_int(&json, "levels", levels);
    pt_json_object_end(&json);
    pt_json_object_end(&json);
    pt_reply_text(request, 200, PT_TYPE_JSON, &out); /* its age changes: never kept */
out:
    pt_frame_fini(&book);
}
