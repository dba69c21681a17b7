/* routes_data.c - rows of market data: /data/candles, /data/trades, /data/funding. [layer: serve]
 */
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/rows.h"
#include "serve/thread.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define SOURCE "store"        /* metadata.source */
#define FUNDING_US PT_US_WEEK /* of payments that are given without a start */

enum {
    CANDLE_PAIR,
    CANDLE_PERIOD,
    CANDLE_START,
    CANDLE_END,
    CANDLE_LIMIT,
    CANDLE_OFFSET,
    CANDLE_ORDER,
    CANDLE_OPEN,
    CANDLE_LIST_KEY,
    CANDLE_FORMAT
};
const struct pt_param pt_candles_params[] = {
    [CANDLE_PAIR] = PT_PARAM_ROW_PAIR,
    [CANDLE_PERIOD] = { .name = "period",
                        .type = PT_PARAM_PERIOD,
                        .required = true,
                        .about = "length of a bar" },
    [CANDLE_START] = PT_PARAM_ROW_START,
    [CANDLE_END] = PT_PARAM_ROW_END,
    [CANDLE_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [CANDLE_OFFSET] = PT_PARAM_ROW_OFFSET,
    [CANDLE_ORDER] = PT_PARAM_ROW_ORDER,
    [CANDLE_OPEN] = { .name = "include_open",
                      .type = PT_PARAM_BOOL,
                      .fallback = "false",
                      .about = "also the bar that is not closed yet" },
    [CANDLE_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [CANDLE_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

/* Trades and funding payments take the same. */
enum {
    PLAIN_PAIR,
    PLAIN_START,
    PLAIN_END,
    PLAIN_LIMIT,
    PLAIN_OFFSET,
    PLAIN_ORDER,
    PLAIN_LIST_KEY,
    PLAIN_FORMAT
};
const struct pt_param pt_trades_params[] = {
    [PLAIN_PAIR] = PT_PARAM_ROW_PAIR,
    [PLAIN_START] = PT_PARAM_ROW_START,
    [PLAIN_END] = PT_PARAM_ROW_END,
    [PLAIN_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [PLAIN_OFFSET] = PT_PARAM_ROW_OFFSET,
    [PLAIN_ORDER] = PT_PARAM_ROW_ORDER,
    [PLAIN_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [PLAIN_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};
const struct pt_param pt_funding_params[] = {
    [PLAIN_PAIR] = PT_PARAM_ROW_PAIR,
    [PLAIN_START] = { .name = "start",
                      .type = PT_PARAM_TIME,
                      .about = "from this time on, inclusive; default: 7 days before end, or "
                               "before now" },
    [PLAIN_END] = PT_PARAM_ROW_END,
    [PLAIN_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [PLAIN_OFFSET] = PT_PARAM_ROW_OFFSET,
    [PLAIN_ORDER] = PT_PARAM_ROW_ORDER,
    [PLAIN_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [PLAIN_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

/* What a route has read, ready to be written. */
struct rows_reply {
    struct pt_request *request;
    struct pt_series_key key; /* of the collection that is named */
    const struct pt_row_field *fields;
    struct pt_frame frame;
    struct pt_page page;
    struct pt_page_sums sums;
    bool descending;
    int64_t derived_from_us; /* 0 = stored */
    const struct pt_value *start, *end, *order;
    uint64_t inputs;
    int64_t expires_us; /* when a row leaves the range by itself; INT64_MAX = never */
};

/* Without a start the newest rows are meant; sort_order then only orders the page. */
static void set_page(struct rows_reply *reply, const struct pt_value *limit,
                     const struct pt_value *offset)
{
    const struct pt_value *start = reply->start, *end = reply->end;
    reply->descending = reply->order->number == PT_ORDER_DESC;
    reply->page.from_us = start->given ? start->number : 0;
    reply->page.to_us = end->given ? end->number : INT64_MAX;
    reply->page.limit = limit->number;
    reply->page.offset = offset->number;
    reply->page.from_newest = !start->given || reply->descending;
}

static uint64_t digest(const struct pt_series *series)
{
    const uint64_t inputs[] = { series->id, series->version };
    return XXH3_64bits(inputs, sizeof inputs) | 1;
}

/* Of bars: closed ones do not change while another grows. */
static uint64_t digest_bars(const struct pt_bars_index *index, bool open)
{
    const struct pt_series *series = &index->source;
    const uint64_t inputs[] = { series->id,
                                series->corrected,
                                (uint64_t)series->closed_us,
                                series->rows,
                                open ? series->version : 0,
                                (uint64_t)index->source_us };
    return XXH3_64bits(inputs, sizeof inputs) | 1;
}

static void fill_rows(void *arg, struct pt_buf *out)
{
    const struct rows_reply *reply = arg;
    pt_rows_json(&reply->frame, reply->fields, reply->descending, out);
}

static void write_metadata(const struct rows_reply *reply, struct pt_json *json)
{
    char text[PT_SERIES_TEXT_MAX];
    pt_json_key(json, "metadata");
    pt_json_object(json);
    pt_list_percent(json, "data_completeness", reply->sums.completeness);
    pt_list_time(json, "last_updated", reply->sums.last_us);
    pt_json_kv_text(json, "source", SOURCE);
    pt_series_print(&reply->key, text);
    pt_json_kv_text(json, "collection", text);
    pt_json_kv_int(json, "records_returned", (int64_t)reply->frame.n);
    if (reply->derived_from_us != 0) {
        pt_period_print(reply->derived_from_us, text);
        pt_json_kv_text(json, "derived_from", text);
    }
    pt_json_object_end(json);
}

static void write_parameters(const struct rows_reply *reply, struct pt_json *json)
{
    char text[PT_PERIOD_TEXT_MAX];
    pt_json_key(json, "parameters");
    pt_json_object(json);
    pt_json_kv_text(json, "pair", reply->key.symbol);
    if (reply->key.kind == PT_CANDLES) {
        pt_period_print(reply->key.period_us, text);
        pt_json_kv_text(json, "period", text);
    }
    pt_list_given_time(json, "start", reply->start);
    pt_list_given_time(json, "end", reply->end);
    pt_json_kv_int(json, "limit", reply->page.limit);
    pt_json_kv_int(json, "offset", reply->page.offset);
    pt_json_kv_text(json, "sort_order", pt_order_words[reply->order->number]);
    if (reply->key.kind == PT_CANDLES)
        pt_json_kv_bool(json, "include_open", reply->page.include_open);
    pt_json_object_end(json);
}

static void write_json(struct rows_reply *reply, struct pt_buf *out)
{
    char period[PT_PERIOD_TEXT_MAX];
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_json_kv_text(&json, "pair", reply->key.symbol);
    if (reply->key.kind == PT_CANDLES) {
        pt_period_print(reply->key.period_us, period);
        pt_json_kv_text(&json, "period", period);
    }
    pt_list_write(&json, "values", reply->request->lists, reply->request->data, fill_rows, reply);
    pt_list_pagination(&json, reply->sums.total, reply->page.limit, reply->page.offset);
    write_metadata(reply, &json);
    write_parameters(reply, &json);
    pt_json_object_end(&json);
}

static void send_rows(struct rows_reply *reply)
{
    struct pt_buf out = { 0 };
    if (reply->request->csv)
        pt_rows_csv(&reply->frame, reply->fields, reply->descending, &out);
    else
        write_json(reply, &out);
    pt_reply_keep(reply->request, reply->request->csv ? PT_TYPE_CSV : PT_TYPE_JSON, &out,
                  reply->inputs, reply->inputs, reply->expires_us, reply->sums.total);
}

void pt_handle_candles(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct pt_thread *thread = request->thread;
    struct pt_read *read = NULL;
    struct pt_err err;
    struct rows_reply reply = { .request = request,
                                .fields = pt_candle_fields,
                                .expires_us = INT64_MAX,
                                .start = &value[CANDLE_START],
                                .end = &value[CANDLE_END],
                                .order = &value[CANDLE_ORDER],
                                .key = { .kind = PT_CANDLES,
                                         .period_us = value[CANDLE_PERIOD].number } };
    strcpy(reply.key.symbol, value[CANDLE_PAIR].symbol);
    pt_list_form(request, &value[CANDLE_LIST_KEY], &value[CANDLE_FORMAT]);
    set_page(&reply, &value[CANDLE_LIMIT], &value[CANDLE_OFFSET]);
    reply.page.include_open = value[CANDLE_OPEN].number != 0;
    pt_frame_init(&reply.frame, pt_kind(PT_CANDLES));

    const struct pt_bars_index *index;
    enum pt_code rc = pt_read_begin(thread->http->store, &read, &err);
    if (rc == PT_OK) {
        rc =
            pt_bars_index(&thread->bars, read, reply.key.symbol, reply.key.period_us, &index, &err);
    }
    if (rc == PT_OK) {
        reply.inputs = digest_bars(index, reply.page.include_open);
        if (pt_reply_same(request, reply.inputs, INT64_MAX)) goto out;
        reply.derived_from_us = index->derived ? index->source_us : 0;
        rc = pt_bars_page(read, index, &reply.page, &reply.frame, &reply.sums, &err);
    }
    pt_read_end(read); /* before the writing: a snapshot is held as short as can be */
    read = NULL;
    if (rc == PT_OK)
        send_rows(&reply);
    else
        pt_reply_error(request, &err);
out:
    pt_read_end(read);
    pt_frame_fini(&reply.frame);
}

/* Trades have no grid, but ids without holes: 100 x rows / ids between the first and the last of
 * the range. Funding has neither: the interval is the exchange's to change, from one payment to the
 * next. */
static double completeness(const struct rows_reply *reply, const struct pt_frame *ends)
{
    if (reply->key.kind != PT_TRADES || ends->n != 2) return NAN;
    const int64_t *id = ends->val[PT_T_ID];
    if (id[0] == PT_MISSING || id[1] == PT_MISSING) return NAN;
    double ids = (double)id[1] - (double)id[0] + 1;
    return ids >= (double)reply->sums.total ? 100.0 * (double)reply->sums.total / ids : NAN;
}

/* The last seven days: a range that loses rows although the series stays the same. */
static bool moves(const struct rows_reply *reply)
{
    return reply->key.kind == PT_FUNDING && !reply->start->given && !reply->end->given;
}

/* What the first and the last row of the range tell. */
static enum pt_code read_ends(struct pt_read *read, struct rows_reply *reply, struct pt_err *err)
{
    struct pt_frame ends;
    pt_frame_init(&ends, pt_kind(reply->key.kind));
    enum pt_code rc = PT_OK;
    for (int newest = 0; newest < 2 && rc == PT_OK; newest++) {
        rc = pt_series_page(read, &reply->key, reply->page.from_us, reply->page.to_us, 0, 1,
                            newest != 0, &ends, err);
    }
    if (rc == PT_OK) {
        reply->sums.completeness = completeness(reply, &ends);
        if (moves(reply) && ends.n > 0) {
            reply->expires_us = ends.val[PT_F_TIME][0] + FUNDING_US + 1;
            /* two bodies that begin with different rows of the same series are not the same */
            reply->inputs =
                XXH3_64bits_withSeed(&reply->expires_us, sizeof reply->expires_us, reply->inputs) |
                1;
        }
    }
    pt_frame_fini(&ends);
    return rc;
}

static enum pt_code read_plain(struct pt_read *read, struct rows_reply *reply,
                               const struct pt_series *series, struct pt_err *err)
{
    const struct pt_page *page = &reply->page;
    uint64_t total;
    reply->sums = (struct pt_page_sums){ .completeness = NAN, .last_us = series->last_us };
    if (series->rows == 0 || page->from_us >= page->to_us) return PT_OK;
    enum pt_code rc = pt_series_count(read, &reply->key, page->from_us, page->to_us, &total, err);
    if (rc != PT_OK || total == 0) return rc;
    reply->sums.total = (int64_t)total;
    rc = read_ends(read, reply, err);
    if (rc != PT_OK || page->offset >= reply->sums.total) return rc;
    return pt_series_page(read, &reply->key, page->from_us, page->to_us, (uint64_t)page->offset,
                          (uint64_t)page->limit, page->from_newest, &reply->frame, err);
}

static void handle_plain(struct pt_request *request, enum pt_kind_id kind,
                         const struct pt_row_field *fields)
{
    const struct pt_value *value = request->value;
    struct pt_read *read = NULL;
    struct pt_err err;
    struct pt_series series = { .first_us = PT_MISSING, .last_us = PT_MISSING };
    struct rows_reply reply = { .request = request,
                                .fields = fields,
                                .expires_us = INT64_MAX,
                                .start = &value[PLAIN_START],
                                .end = &value[PLAIN_END],
                                .order = &value[PLAIN_ORDER],
                                .key = { .kind = kind } };
    strcpy(reply.key.symbol, value[PLAIN_PAIR].symbol);
    pt_list_form(request, &value[PLAIN_LIST_KEY], &value[PLAIN_FORMAT]);
    set_page(&reply, &value[PLAIN_LIMIT], &value[PLAIN_OFFSET]);
    if (kind == PT_FUNDING && !reply.start->given)
        reply.page.from_us = (reply.end->given ? reply.end->number : pt_now_us()) - FUNDING_US;
    pt_frame_init(&reply.frame, pt_kind(kind));

    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK) rc = pt_series_find(read, &reply.key, &series, &err);
    if (rc == PT_ENOENT) rc = PT_OK; /* an unknown pair has no rows; that is no mistake */
    if (rc == PT_OK) {
        reply.inputs = digest(&series);
        if (!moves(&reply) && pt_reply_same(request, reply.inputs, INT64_MAX)) goto out;
        rc = read_plain(read, &reply, &series, &err);
    }
    pt_read_end(read);
    read = NULL;
    if (rc == PT_OK)
        send_rows(&reply);
    else
        pt_reply_error(request, &err);
out:
    pt_read_end(read);
    pt_frame_fini(&reply.frame);
}

void pt_handle_trades(struct pt_request *request)
{
    handle_plain(request, PT_TRADES, pt_trade_fields);
}

void pt_handle_funding(struct pt_request *request)
{
    handle_plain(request, PT_FUNDING, pt_funding_fields);
}
