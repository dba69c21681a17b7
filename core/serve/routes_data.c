/* routes_data.c - stored market data: /data/candles and /data/trades. [layer: serve] */
#include "base/decimal.h"
#include "base/timefmt.h"
#include "serve/list.h"
#include "serve/rows.h"
#include "serve/thread.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define SOURCE "store" /* metadata.source */

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

enum {
    TRADE_PAIR,
    TRADE_START,
    TRADE_END,
    TRADE_LIMIT,
    TRADE_OFFSET,
    TRADE_ORDER,
    TRADE_LIST_KEY,
    TRADE_FORMAT
};
const struct pt_param pt_trades_params[] = {
    [TRADE_PAIR] = PT_PARAM_ROW_PAIR,
    [TRADE_START] = PT_PARAM_ROW_START,
    [TRADE_END] = PT_PARAM_ROW_END,
    [TRADE_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [TRADE_OFFSET] = PT_PARAM_ROW_OFFSET,
    [TRADE_ORDER] = PT_PARAM_ROW_ORDER,
    [TRADE_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [TRADE_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

/* What both routes have read, ready to be written. */
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

static uint64_t digest(const struct pt_series *series, int64_t source_us)
{
    uint64_t inputs[] = { series->id, series->version, (uint64_t)source_us };
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
                  reply->inputs, reply->inputs, INT64_MAX, reply->sums.total);
}

void pt_handle_candles(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct pt_thread *thread = request->thread;
    struct pt_read *read = NULL;
    struct pt_err err;
    struct rows_reply reply = { .request = request,
                                .fields = pt_candle_fields,
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
        reply.inputs = digest(&index->source, index->source_us);
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
 * the range. */
static enum pt_code trades_completeness(struct pt_read *read, struct rows_reply *reply,
                                        struct pt_err *err)
{
    reply->sums.completeness = NAN;
    if (reply->sums.total == 0) return PT_OK;
    struct pt_frame ends;
    pt_frame_init(&ends, pt_kind(PT_TRADES));
    enum pt_code rc = PT_OK;
    for (int newest = 0; newest < 2 && rc == PT_OK; newest++) {
        rc = pt_series_page(read, &reply->key, reply->page.from_us, reply->page.to_us, 0, 1,
                            newest != 0, &ends, err);
    }
    if (rc == PT_OK && ends.n == 2 && ends.val[PT_T_ID][0] != PT_MISSING &&
        ends.val[PT_T_ID][1] != PT_MISSING) {
        double ids = (double)ends.val[PT_T_ID][1] - (double)ends.val[PT_T_ID][0] + 1;
        if (ids >= (double)reply->sums.total)
            reply->sums.completeness = 100.0 * (double)reply->sums.total / ids;
    }
    pt_frame_fini(&ends);
    return rc;
}

static enum pt_code read_trades(struct pt_read *read, struct rows_reply *reply,
                                const struct pt_series *series, struct pt_err *err)
{
    const struct pt_page *page = &reply->page;
    uint64_t total;
    reply->sums = (struct pt_page_sums){ .completeness = NAN, .last_us = series->last_us };
    if (series->rows == 0 || page->from_us >= page->to_us) return PT_OK;
    enum pt_code rc = pt_series_count(read, &reply->key, page->from_us, page->to_us, &total, err);
    if (rc != PT_OK) return rc;
    reply->sums.total = (int64_t)total;
    rc = trades_completeness(read, reply, err);
    if (rc != PT_OK || page->offset >= reply->sums.total) return rc;
    return pt_series_page(read, &reply->key, page->from_us, page->to_us, (uint64_t)page->offset,
                          (uint64_t)page->limit, page->from_newest, &reply->frame, err);
}

void pt_handle_trades(struct pt_request *request)
{
    const struct pt_value *value = request->value;
    struct pt_read *read = NULL;
    struct pt_err err;
    struct pt_series series = { .first_us = PT_MISSING, .last_us = PT_MISSING };
    struct rows_reply reply = { .request = request,
                                .fields = pt_trade_fields,
                                .start = &value[TRADE_START],
                                .end = &value[TRADE_END],
                                .order = &value[TRADE_ORDER],
                                .key = { .kind = PT_TRADES } };
    strcpy(reply.key.symbol, value[TRADE_PAIR].symbol);
    pt_list_form(request, &value[TRADE_LIST_KEY], &value[TRADE_FORMAT]);
    set_page(&reply, &value[TRADE_LIMIT], &value[TRADE_OFFSET]);
    pt_frame_init(&reply.frame, pt_kind(PT_TRADES));

    enum pt_code rc = pt_read_begin(request->thread->http->store, &read, &err);
    if (rc == PT_OK) rc = pt_series_find(read, &reply.key, &series, &err);
    if (rc == PT_ENOENT) rc = PT_OK; /* an unknown pair has no rows; that is no mistake */
    if (rc == PT_OK) {
        reply.inputs = digest(&series, 0);
        if (pt_reply_same(request, reply.inputs, INT64_MAX)) goto out;
        rc = read_trades(read, &reply, &series, &err);
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
