/* routes_overview.c - /analysis/market-overview: all pairs at a glance, from stored results.
 * [layer: serve] */
#include "base/clock.h"
#include "base/decimal.h"
#include "serve/list.h"
#include "serve/overview.h"
#include "serve/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PAIRS_TEXT_MAX 8000 /* some 800 symbols; a request line has 32 KiB */

static const char *const sorts[] = { "symbol", "volatility", "volume", "trend", NULL };
enum { BY_SYMBOL, BY_VOLATILITY, BY_VOLUME, BY_TREND };

enum { O_PAIRS, O_PERIOD, O_LIMIT, O_OFFSET, O_SORT, O_ORDER, O_LIST_KEY, O_FORMAT };
const struct pt_param pt_overview_params[] = {
    [O_PAIRS] = { .name = "pairs",
                  .type = PT_PARAM_TEXT,
                  .min = 1,
                  .max = PAIRS_TEXT_MAX,
                  .about = "only these, separated by commas; default: all that have candles" },
    [O_PERIOD] = { .name = "period",
                   .type = PT_PARAM_PERIOD,
                   .fallback = "1h",
                   .about = "length of a bar" },
    [O_LIMIT] = PT_PARAM_ROW_LIMIT("100"),
    [O_OFFSET] = { .name = "offset",
                   .type = PT_PARAM_INT,
                   .fallback = "0",
                   .min = 0,
                   .max = INT64_C(1000000000000),
                   .about = "pairs to skip" },
    [O_SORT] = { .name = "sort_by",
                 .type = PT_PARAM_WORD,
                 .fallback = "symbol",
                 .words = sorts,
                 .about = "volatility: annualized, volume: spike_ratio, trend: roc; pairs without "
                          "it stand last" },
    [O_ORDER] = { .name = "sort_order",
                  .type = PT_PARAM_WORD,
                  .fallback = "asc",
                  .words = pt_order_words,
                  .about = "order of the pairs" },
    [O_LIST_KEY] = PT_PARAM_ROW_LIST_KEY,
    [O_FORMAT] = PT_PARAM_ROW_FORMAT,
    { 0 },
};

/* ---- which pairs ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct pt_overview *)a)->pair, ((const struct pt_overview *)b)->pair);
}

/* "BTCUSDT,ethusdt": one that is named twice counts once. PT_EINVAL names the parameter. */
static enum pt_code take_named(const char *text, struct pt_overview **lines, size_t *n,
                               struct pt_err *err)
{
    static const struct pt_param one = { .name = "pairs", .type = PT_PARAM_PAIR };
    size_t most = 1, kept = 0;
    for (const char *p = text; *p != '\0'; p++) most += *p == ',';
    *lines = calloc(most, sizeof **lines);
    if (*lines == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    for (const char *p = text;; p++) {
        char piece[128];
        struct pt_value value;
        size_t len = strcspn(p, ","), copied = len < sizeof piece ? len : sizeof piece - 1;
        memcpy(piece, p, copied); /* one that is cut is far too long anyway */
        piece[copied] = '\0';
        enum pt_code rc = pt_param_check(&one, piece, &value, err);
        if (rc != PT_OK) return rc;
        strcpy((*lines)[(*n)++].pair, value.symbol);
        p += len;
        if (*p == '\0') break;
    }
    qsort(*lines, *n, sizeof **lines, by_name);
    for (size_t i = 0; i < *n; i++) {
        if (kept > 0 && strcmp((*lines)[kept - 1].pair, (*lines)[i].pair) == 0) continue;
        (*lines)[kept++] = (*lines)[i];
    }
    *n = kept;
    return PT_OK;
}

static enum pt_code take_stored(struct pt_read *read, int64_t period_us, struct pt_overview **lines,
                                size_t *n, struct pt_err *err)
{
    char(*pairs)[PT_SYMBOL_MAX] = NULL;
    enum pt_code rc = pt_overview_pairs(read, period_us, &pairs, n, err);
    if (rc == PT_OK) *lines = calloc(*n + 1, sizeof **lines);
    if (rc == PT_OK && *lines == NULL) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    for (size_t i = 0; rc == PT_OK && i < *n; i++) strcpy((*lines)[i].pair, pairs[i]);
    free(pairs);
    return rc;
}

/* ---- order ---- */

static int compare(double a, double b, bool descending)
{
    if (isnan(a) || isnan(b)) return (isnan(a) != 0) - (isnan(b) != 0); /* last in both orders */
    int c = (a > b) - (a < b);
    return descending ? -c : c;
}

#define ORDER(name, field, descending)                                                             \
    static int name(const void *va, const void *vb)                                                \
    {                                                                                              \
        const struct pt_overview *a = va, *b = vb;                                                 \
        int c = compare(a->field, b->field, descending);                                           \
        return c != 0 ? c : strcmp(a->pair, b->pair);                                              \
    }
ORDER(volatility_up, annualized, false)
ORDER(volatility_down, annualized, true)
ORDER(volume_up, spike_ratio, false)
ORDER(volume_down, spike_ratio, true)
ORDER(trend_up, roc, false)
ORDER(trend_down, roc, true)

static int by_name_down(const void *a, const void *b)
{
    return -by_name(a, b);
}

static void sort(struct pt_overview *lines, size_t n, const struct pt_value *value)
{
    static int (*const orders[][2])(const void *, const void *) = {
        [BY_SYMBOL] = { by_name, by_name_down },
        [BY_VOLATILITY] = { volatility_up, volatility_down },
        [BY_VOLUME] = { volume_up, volume_down },
        [BY_TREND] = { trend_up, trend_down },
    };
    bool descending = value[O_ORDER].number == PT_ORDER_DESC;
    if (n > 1) qsort(lines, n, sizeof *lines, orders[value[O_SORT].number][descending]);
}

/* ---- writing ---- */

struct page {
    const struct pt_overview *lines;
    size_t n;
};

static void write_number(struct pt_json *json, const char *key, double x)
{
    pt_json_key(json, key);
    if (isnan(x))
        pt_json_null(json);
    else
        pt_json_number_text(json, x);
}

static void write_word(struct pt_json *json, const char *key, const char *word)
{
    pt_json_kv_text(json, key, word[0] != '\0' ? word : NULL);
}

static void write_metric(const struct pt_overview *line, int metric, struct pt_json *json)
{
    pt_json_key(json, pt_overview_names[metric]);
    if (!line->there[metric]) {
        pt_json_null(json);
        return;
    }
    pt_json_object(json);
    switch (metric) {
    case PT_OV_VOLATILITY: write_number(json, "annualized", line->annualized); break;
    case PT_OV_VOLUME: write_number(json, "spike_ratio", line->spike_ratio); break;
    case PT_OV_TREND:
        write_word(json, "direction", line->direction);
        write_number(json, "roc", line->roc);
        break;
    default:
        write_word(json, "classification", line->classification);
        write_number(json, "confidence", line->confidence);
        break;
    }
    pt_json_object_end(json);
}

static void fill_overview(void *arg, struct pt_buf *out)
{
    const struct page *page = arg;
    struct pt_json json;
    pt_json_init(&json, out);
    pt_json_object(&json);
    for (size_t i = 0; i < page->n; i++) {
        const struct pt_overview *line = &page->lines[i];
        pt_json_key(&json, line->pair);
        pt_json_object(&json);
        for (int metric = 0; metric < PT_OV_METRICS; metric++) write_metric(line, metric, &json);
        pt_json_kv_text(&json, "status", line->status);
        pt_json_object_end(&json);
    }
    pt_json_object_end(&json);
}

static void csv_number(struct pt_buf *out, double x)
{
    char text[PT_DOUBLE_TEXT_MAX];
    pt_buf_putc(out, ',');
    if (!isnan(x)) pt_buf_add(out, text, pt_double_print(x, text));
}

static void csv_word(struct pt_buf *out, const char *word)
{
    pt_buf_putc(out, ',');
    pt_csv_text(out, word, strlen(word));
}

static void write_csv(const struct page *page, struct pt_buf *out)
{
    pt_buf_puts(out, "pair,volatility.annualized,volume.spike_ratio,trend.direction,trend.roc,"
                     "regime.classification,regime.confidence,status\n");
    for (size_t i = 0; i < page->n; i++) {
        const struct pt_overview *line = &page->lines[i];
        pt_buf_puts(out, line->pair);
        csv_number(out, line->annualized);
        csv_number(out, line->spike_ratio);
        csv_word(out, line->direction);
        csv_number(out, line->roc);
        csv_word(out, line->classification);
        csv_number(out, line->confidence);
        csv_word(out, line->status);
        pt_buf_putc(out, '\n');
    }
}

static void write_overview(const struct pt_request *request, const struct pt_overview *lines,
                           size_t n, struct pt_buf *out)
{
    const struct pt_value *value = request->value;
    size_t skip = (uint64_t)value[O_OFFSET].number < n ? (size_t)value[O_OFFSET].number : n;
    size_t limit = (size_t)value[O_LIMIT].number;
    struct page page = { lines + skip, n - skip < limit ? n - skip : limit };
    struct pt_json json;
    size_t available = 0;
    int64_t newest_us = PT_MISSING;
    if (request->csv) {
        write_csv(&page, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        available += lines[i].available;
        if (lines[i].as_of_us > newest_us) newest_us = lines[i].as_of_us;
    }
    pt_json_init(&json, out);
    pt_json_object(&json);
    pt_list_write(&json, "overview", request->lists, request->data, fill_overview, &page);
    pt_list_time(&json, "timestamp", newest_us);
    pt_json_kv_int(&json, "pairs_requested", (int64_t)n);
    pt_json_kv_int(&json, "pairs_available", (int64_t)available);
    pt_list_pagination(&json, (int64_t)n, value[O_LIMIT].number, value[O_OFFSET].number);
    pt_json_object_end(&json);
}

/* All lines, out of one snapshot. */
static enum pt_code gather(const struct pt_request *request, struct pt_overview **lines, size_t *n,
                           struct pt_err *err)
{
    const struct pt_value *value = request->value;
    struct pt_read *read = NULL;
    int64_t now_us = pt_now_us();
    enum pt_code rc = PT_OK;
    if (value[O_PAIRS].given) rc = take_named(value[O_PAIRS].text, lines, n, err);
    if (rc == PT_OK) rc = pt_read_begin(request->thread->http->store, &read, err);
    if (rc == PT_OK && !value[O_PAIRS].given)
        rc = take_stored(read, value[O_PERIOD].number, lines, n, err);
    for (size_t i = 0; rc == PT_OK && i < *n; i++)
        rc = pt_overview_read(read, value[O_PERIOD].number, now_us, &(*lines)[i], err);
    pt_read_end(read);
    return rc;
}

void pt_handle_overview(struct pt_request *request)
{
    struct pt_overview *lines = NULL;
    struct pt_buf out = { 0 };
    struct pt_err err;
    size_t n = 0;
    int64_t expires_us = INT64_MAX;
    pt_list_form(request, &request->value[O_LIST_KEY], &request->value[O_FORMAT]);
    enum pt_code rc = gather(request, &lines, &n, &err);
    if (rc == PT_EINVAL) {
        pt_reply_problem(request, 422, "%s", err.text);
    } else if (rc != PT_OK) {
        pt_reply_error(request, &err);
    } else {
        sort(lines, n, request->value);
        write_overview(request, lines, n, &out);
        for (size_t i = 0; i < n; i++) {
            if (lines[i].stale_us < expires_us) expires_us = lines[i].stale_us;
        }
        uint64_t tag = out.failed ? 0 : XXH3_64bits(out.data, out.len);
        pt_reply_keep(request, request->csv ? PT_TYPE_CSV : PT_TYPE_JSON, &out, tag, 0, expires_us,
                      (int64_t)n);
    }
    free(lines);
}
