#include "serve/bars_index.h"

#include "base/decimal.h"
#include "base/timefmt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pt_bars_cache_fini(struct pt_bars_cache *cache)
{
    for (size_t i = 0; i < PT_BARS_CACHE_SLOTS; i++) free(cache->slot[i].time_us);
    *cache = (struct pt_bars_cache){ 0 };
}

/* A list of times that grows during a scan. */
struct times {
    int64_t *v;
    size_t n, cap;
    bool failed;
    int64_t period_us, source_us; /* derived periods */
    int64_t bar_us, bar_end_us;   /* the big bar under way */
    size_t parts;                 /* of it that are there and closed */
};

static bool add(struct times *times, int64_t t_us)
{
    if (times->n == times->cap) {
        size_t cap = times->cap == 0 ? 64 : times->cap * 2;
        int64_t *v = realloc(times->v, cap * sizeof *v);
        if (v == NULL) {
            times->failed = true;
            return false;
        }
        times->v = v;
        times->cap = cap;
    }
    times->v[times->n++] = t_us;
    return true;
}

static bool list_open(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct times *times = arg;
    for (size_t i = 0; i < n; i++) {
        if (!(cols[0][i] > 0) && !add(times, time_us[i])) return false;
    }
    return true;
}

static bool list_complete(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct times *times = arg;
    size_t whole = (size_t)(times->period_us / times->source_us);
    for (size_t i = 0; i < n; i++) {
        if (time_us[i] >= times->bar_end_us) {
            times->bar_us = pt_period_floor(times->period_us, time_us[i]);
            times->bar_end_us = times->bar_us + times->period_us;
            times->parts = 0;
        }
        times->parts += cols[0][i] > 0;
        if (times->parts != whole) continue;
        if (!add(times, times->bar_us)) return false;
        times->parts = 0;
    }
    return true;
}

static enum pt_code build(struct pt_read *read, struct pt_bars_index *index, struct pt_err *err)
{
    static const unsigned closed[] = { PT_C_CLOSED };
    struct times times = { .period_us = index->period_us,
                           .source_us = index->source_us,
                           .bar_end_us = INT64_MIN };
    enum pt_code rc = pt_series_scan(read, &index->source.key, 0, INT64_MAX, closed, 1,
                                     index->derived ? list_complete : list_open, &times, err);
    if (rc == PT_OK && times.failed) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    if (rc != PT_OK) {
        free(times.v);
        return rc;
    }
    free(index->time_us);
    index->time_us = times.v;
    index->n = times.n;
    return PT_OK;
}

/* The slot that holds this series and period, else the one that was not asked for the longest time.
 */
static struct pt_bars_index *slot_for(struct pt_bars_cache *cache, uint32_t id, int64_t period_us)
{
    struct pt_bars_index *best = &cache->slot[0];
    for (size_t i = 0; i < PT_BARS_CACHE_SLOTS; i++) {
        struct pt_bars_index *slot = &cache->slot[i];
        if (slot->source_us != 0 && slot->source.id == id && slot->period_us == period_us) {
            return slot;
        }
        if (slot->used < best->used) best = slot;
    }
    return best;
}

enum pt_code pt_bars_index(struct pt_bars_cache *cache, struct pt_read *read, const char *symbol,
                           int64_t period_us, const struct pt_bars_index **out, struct pt_err *err)
{
    struct pt_bars_source source;
    enum pt_code rc = pt_bars_source(read, symbol, period_us, &source, err);
    if (rc != PT_OK) return rc;
    if (source.period_us == 0) {
        cache->none = (struct pt_bars_index){ .period_us = period_us };
        cache->none.source.first_us = cache->none.source.last_us = PT_MISSING;
        *out = &cache->none;
        return PT_OK;
    }
    struct pt_bars_index *index = slot_for(cache, source.series.id, period_us);
    bool same = index->source_us == source.period_us && index->period_us == period_us &&
                index->source.id == source.series.id &&
                index->source.corrected == source.series.corrected &&
                index->source.closed_us == source.series.closed_us &&
                index->source.rows == source.series.rows; /* no open one has come either */
    index->used = ++cache->clock;
    index->source = source.series;
    *out = index;
    if (same) return PT_OK;
    index->period_us = period_us;
    index->source_us = source.period_us;
    index->derived = source.period_us != period_us;
    rc = build(read, index, err);
    if (rc != PT_OK) index->source_us = 0; /* never taken for the truth */
    return rc;
}

/* First position with time >= t_us. */
static size_t lower(const struct pt_bars_index *index, int64_t t_us)
{
    size_t low = 0, high = index->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (index->time_us[mid] < t_us)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Rows that could be in the range: whole slots of the grid between the first stored time and the
 * end of the last. */
static double completeness(const struct pt_bars_index *index, const struct pt_page *page,
                           int64_t there)
{
    int64_t step_us = index->period_us, first_us = index->source.first_us;
    int64_t end_us = index->source.last_us + index->source_us;
    bool last_open =
        !index->derived && index->n > 0 && index->time_us[index->n - 1] == index->source.last_us;
    if (last_open && !page->include_open) end_us -= index->source_us;
    /* on the grid: the first slot that begins, the end of the last that ends */
    int64_t begin_us = pt_period_floor(step_us, first_us);
    if (begin_us < first_us) begin_us += step_us;
    if (page->from_us > begin_us) {
        begin_us = pt_period_floor(step_us, page->from_us);
        if (begin_us < page->from_us) begin_us += step_us;
    }
    int64_t stop_us = pt_period_floor(step_us, end_us);
    if (page->to_us < stop_us) {
        stop_us = pt_period_floor(step_us, page->to_us);
        if (stop_us < page->to_us)
            stop_us += step_us; /* a slot counts when it begins in the range */
    }
    if (stop_us <= begin_us) return NAN;
    return 100.0 * (double)there / (double)((stop_us - begin_us) / step_us);
}

static enum pt_code page_derived(struct pt_read *read, const struct pt_bars_index *index,
                                 const struct pt_page *page, struct pt_frame *frame,
                                 struct pt_page_sums *sums, struct pt_err *err)
{
    size_t from = lower(index, page->from_us), to = lower(index, page->to_us);
    size_t total = to - from;
    sums->total = (int64_t)total;
    sums->completeness = completeness(index, page, sums->total);
    size_t skip = (uint64_t)page->offset < total ? (size_t)page->offset : total;
    size_t n = total - skip < (size_t)page->limit ? total - skip : (size_t)page->limit;
    if (n == 0) return PT_OK;
    size_t first = page->from_newest ? to - skip - n : from + skip;
    return pt_bars_read(read, index->source.key.symbol, index->period_us, index->time_us[first],
                        index->time_us[first + n - 1] + index->period_us, 0, frame, NULL, err);
}

/* Rows of the range before the k-th open one, counted from the end where the page begins. */
static enum pt_code open_position(struct pt_read *read, const struct pt_bars_index *index,
                                  const struct pt_page *page, int64_t open_us, uint64_t *position,
                                  struct pt_err *err)
{
    if (page->from_newest)
        return pt_series_count(read, &index->source.key, open_us + 1, page->to_us, position, err);
    return pt_series_count(read, &index->source.key, page->from_us, open_us, position, err);
}

/* Drops rows that are not closed, and what is over the limit at the end where the page ends. */
static enum pt_code keep_closed(const struct pt_frame *all, const struct pt_page *page,
                                struct pt_frame *frame)
{
    size_t limit = (size_t)page->limit, closed = 0;
    for (size_t i = 0; i < all->n; i++) closed += all->val[PT_C_CLOSED][i] > 0;
    size_t skip = page->from_newest && closed > limit ? closed - limit : 0, kept = 0;
    for (size_t i = 0; i < all->n && kept < limit; i++) {
        if (!(all->val[PT_C_CLOSED][i] > 0)) continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        enum pt_code rc = pt_frame_append(frame, all, i, 1);
        if (rc != PT_OK) return rc;
        kept++;
    }
    return PT_OK;
}

static enum pt_code page_closed(struct pt_read *read, const struct pt_bars_index *index,
                                const struct pt_page *page, size_t first_open, size_t opens,
                                struct pt_frame *frame, struct pt_err *err)
{
    /* the page's place among all rows: each open row before it moves it by one */
    uint64_t offset = (uint64_t)page->offset;
    size_t before = 0;
    for (; before < opens; before++) {
        size_t k = page->from_newest ? first_open + opens - 1 - before : first_open + before;
        uint64_t position;
        enum pt_code rc = open_position(read, index, page, index->time_us[k], &position, err);
        if (rc != PT_OK) return rc;
        if (position > offset) break;
        offset++;
    }
    uint64_t limit = (uint64_t)page->limit + (opens - before);
    if (opens == before) {
        return pt_series_page(read, &index->source.key, page->from_us, page->to_us, offset, limit,
                              page->from_newest, frame, err);
    }
    struct pt_frame all;
    pt_frame_init(&all, frame->kind);
    enum pt_code rc = pt_series_page(read, &index->source.key, page->from_us, page->to_us, offset,
                                     limit, page->from_newest, &all, err);
    if (rc == PT_OK) rc = keep_closed(&all, page, frame);
    if (rc == PT_ENOMEM) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    pt_frame_fini(&all);
    return rc;
}

static enum pt_code page_stored(struct pt_read *read, const struct pt_bars_index *index,
                                const struct pt_page *page, struct pt_frame *frame,
                                struct pt_page_sums *sums, struct pt_err *err)
{
    uint64_t rows;
    enum pt_code rc =
        pt_series_count(read, &index->source.key, page->from_us, page->to_us, &rows, err);
    if (rc != PT_OK) return rc;
    size_t first_open = lower(index, page->from_us);
    size_t opens = page->include_open ? 0 : lower(index, page->to_us) - first_open;
    rows -= opens;
    sums->total = (int64_t)rows;
    sums->completeness = completeness(index, page, sums->total);
    if ((uint64_t)page->offset >= rows) return PT_OK;
    if (opens > 0) return page_closed(read, index, page, first_open, opens, frame, err);
    return pt_series_page(read, &index->source.key, page->from_us, page->to_us,
                          (uint64_t)page->offset, (uint64_t)page->limit, page->from_newest, frame,
                          err);
}

enum pt_code pt_bars_page(struct pt_read *read, const struct pt_bars_index *index,
                          const struct pt_page *page, struct pt_frame *frame,
                          struct pt_page_sums *sums, struct pt_err *err)
{
    *sums = (struct pt_page_sums){ .completeness = NAN, .last_us = PT_MISSING };
    if (index->source_us == 0 || index->source.rows == 0) return PT_OK;
    sums->last_us = index->source.last_us;
    if (page->from_us >= page->to_us) return PT_OK;
    return index->derived ? page_derived(read, index, page, frame, sums, err)
                          : page_stored(read, index, page, frame, sums, err);
}
