/* test_model.c - a series against the slow obvious one: a sorted list of rows. */
#include "kit.h"

#include <math.h>

/* A row is its key and the seed its cells follow from (kit_push). */
struct row {
    int64_t t, second;
    uint64_t seed;
};

struct model {
    struct pt_series_key key;
    const struct pt_kind *kind;
    struct row *rows;
    size_t n;
};

enum { ROWS_MAX = 40000 };

static int row_cmp(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->t != y->t) return x->t < y->t ? -1 : 1;
    return x->second < y->second ? -1 : x->second > y->second;
}

static size_t lower(const struct model *m, int64_t t)
{
    size_t i = 0;
    while (i < m->n && m->rows[i].t < t) i++;
    return i;
}

static bool is_closed(const struct model *m, uint64_t seed)
{
    return m->kind->id == PT_CANDLES && seed % 4 != 0;
}

static void model_put(struct model *m, const struct row *rows, size_t n, enum pt_put_mode mode,
                      struct pt_put_stats *stats)
{
    size_t had = m->n;
    for (size_t i = 0; i < n; i++) {
        struct row *old = bsearch(&rows[i], m->rows, had, sizeof *rows, row_cmp);
        if (!old) {
            m->rows[m->n++] = rows[i];
            stats->inserted++;
        } else if (old->seed == rows[i].seed) {
            stats->unchanged++;
        } else if (mode == PT_PUT_LIVE && is_closed(m, old->seed)) {
            stats->frozen++;
        } else {
            old->seed = rows[i].seed;
            stats->replaced++;
        }
    }
    qsort(m->rows, m->n, sizeof *m->rows, row_cmp);
}

static void model_frame(const struct model *m, size_t from, size_t n, struct pt_frame *out)
{
    pt_frame_clear(out);
    for (size_t i = from; i < from + n; i++)
        kit_push(out, m->rows[i].t, m->rows[i].second, m->rows[i].seed);
}

/* A sorted batch without doubles: a run, a scatter or the newest rows. */
static size_t random_batch(const struct model *m, uint64_t *seed, struct row *out)
{
    static const size_t sizes[] = { 1, 1, 2, 5, 40, 300, 2500 };
    size_t size = sizes[kit_random(seed) % 7]; /* one draw a statement: the order is the seed's */
    size_t n = 1 + kit_random(seed) % size, made = 0;
    int64_t last = m->n ? (m->rows[m->n - 1].t - T0) / PT_US_MIN : 0;
    uint64_t how = kit_random(seed) % 4;
    int64_t at = how == 0 ? last + 1 : (int64_t)(kit_random(seed) % (uint64_t)(last + 50));
    bool spread = how == 2;
    if (n > ROWS_MAX - m->n) n = ROWS_MAX - m->n;
    for (size_t i = 0; i < n; i++) {
        struct row row = { T0 + at * PT_US_MIN, 0, kit_random(seed) };
        if (m->kind->keys == 2) row.second = (int64_t)(kit_random(seed) % 4);
        /* some rows are sent again as they are */
        if (kit_random(seed) % 3 == 0) {
            struct row *old = bsearch(&row, m->rows, m->n, sizeof row, row_cmp);
            if (old) row.seed = old->seed;
        }
        if (made == 0 || row_cmp(&out[made - 1], &row) < 0) out[made++] = row;
        at += spread ? 1 + (int64_t)(kit_random(seed) % 30) : (int64_t)(kit_random(seed) % 2);
    }
    return made;
}

struct sums {
    double value;
    size_t rows;
    int64_t last;
    bool order;
};

static bool add_up(void *arg, size_t n, const int64_t *time_us, const double *const *cols)
{
    struct sums *sums = arg;
    for (size_t i = 0; i < n; i++) {
        if (sums->rows + i > 0 && time_us[i] < sums->last) sums->order = false;
        sums->last = time_us[i];
        sums->value += cols[0][i] * (isnan(cols[1][i]) ? 2 : cols[1][i]);
    }
    sums->rows += n;
    return true;
}

static void check_scan(struct pt_read *read, const struct model *m, int64_t from, int64_t to,
                       const struct pt_frame *want)
{
    unsigned cols[2] = { 2, m->kind->ncols - 2 };
    if (m->kind->keys == 1) cols[0] = 1;
    struct sums got = { 0, 0, INT64_MIN, true };
    OK(pt_series_scan(read, &m->key, from, to, cols, 2, add_up, &got, &kit_err));
    double sum = 0;
    for (size_t i = 0; i < want->n; i++) {
        double x[2];
        for (int k = 0; k < 2; k++) {
            unsigned c = cols[k];
            x[k] = want->val[c][i] == PT_MISSING ? (double)NAN
                   : want->dig[c]                ? pt_dec_double(want->val[c][i], want->dig[c][i])
                                                 : (double)want->val[c][i];
        }
        sum += x[0] * (isnan(x[1]) ? 2 : x[1]);
    }
    CU_ASSERT_EQUAL(got.rows, want->n);
    CU_ASSERT_TRUE(got.order);
    CU_ASSERT_EQUAL(memcmp(&sum, &got.value, sizeof sum), 0);
}

static void check_ranges(struct pt_store *store, const struct model *m, uint64_t *seed)
{
    struct pt_frame want, got;
    struct pt_read *read;
    struct pt_series series;
    uint64_t rows;
    pt_frame_init(&want, m->kind);
    pt_frame_init(&got, m->kind);
    OK(pt_read_begin(store, &read, &kit_err));
    OK(pt_series_find(read, &m->key, &series, &kit_err));
    CU_ASSERT_EQUAL(series.rows, m->n);
    CU_ASSERT_EQUAL(series.first_us, m->n ? m->rows[0].t : PT_MISSING);
    CU_ASSERT_EQUAL(series.last_us, m->n ? m->rows[m->n - 1].t : PT_MISSING);
    for (int i = 0; i < 6; i++) {
        int64_t from = INT64_MIN, to = INT64_MAX;
        if (i > 0 && m->n > 0) { /* ends on rows, and just beside them */
            from = m->rows[kit_random(seed) % m->n].t;
            from += (int64_t)(kit_random(seed) % 3) - 1;
            to = m->rows[kit_random(seed) % m->n].t;
            to += (int64_t)(kit_random(seed) % 3) - 1;
        }
        size_t lo = lower(m, from), hi = from < to ? lower(m, to) : lo;
        model_frame(m, lo, hi - lo, &want);
        pt_frame_clear(&got);
        OK(pt_series_read(read, &m->key, from, to, 0, &got, &kit_err));
        CU_ASSERT_TRUE_FATAL(kit_same(&want, &got));
        OK(pt_series_count(read, &m->key, from, to, &rows, &kit_err));
        CU_ASSERT_EQUAL(rows, hi - lo);
        check_scan(read, m, from, to, &want);

        uint64_t offset = kit_random(seed) % (hi - lo + 3);
        uint64_t limit = kit_random(seed) % 700;
        for (int newest = 0; newest < 2; newest++) {
            size_t skip = offset < hi - lo ? offset : hi - lo;
            size_t take = limit < hi - lo - skip ? limit : hi - lo - skip;
            model_frame(m, newest ? hi - skip - take : lo + skip, take, &want);
            pt_frame_clear(&got);
            OK(pt_series_page(read, &m->key, from, to, offset, limit, newest, &got, &kit_err));
            CU_ASSERT_TRUE_FATAL(kit_same(&want, &got));
        }
    }
    pt_read_end(read);
    pt_frame_fini(&want);
    pt_frame_fini(&got);
}

static void check_verify(struct pt_store *store)
{
    struct pt_verify sums;
    OK(pt_store_verify(store, NULL, NULL, &sums, &kit_err));
    CU_ASSERT_EQUAL(sums.damaged, 0);
}

static void random_life(enum pt_kind_id kind, uint64_t seed, int steps)
{
    char *path = kit_folder();
    struct pt_store *store = kit_open(path);
    struct model models[2];
    struct pt_frame frame;
    struct row *batch = malloc(sizeof *batch * 4096);
    pt_frame_init(&frame, pt_kind(kind));
    for (int i = 0; i < 2; i++) { /* two series, interleaved */
        models[i] = (struct model){ .kind = pt_kind(kind), .n = 0 };
        models[i].key = kit_key(kind, i ? "ETHUSDT" : "BTCUSDT", PT_US_MIN);
        models[i].rows = malloc(sizeof *batch * ROWS_MAX);
        if (!models[i].rows || !batch) abort();
    }
    for (int step = 0; step < steps; step++) {
        struct model *m = &models[kit_random(&seed) % 2];
        uint64_t what = kit_random(&seed) % 20;
        if (what == 0 && m->n > 0) {
            struct pt_write *write;
            uint64_t removed;
            size_t gone = lower(m, m->rows[kit_random(&seed) % m->n].t);
            if (kit_random(&seed) % 4 == 0) gone = m->n;
            int64_t before = gone < m->n ? m->rows[gone].t : m->rows[m->n - 1].t + 1;
            OK(pt_write_begin(store, &write, &kit_err));
            OK(pt_write_expire(write, &m->key, before, &removed, &kit_err));
            OK(pt_write_commit(write, &kit_err));
            CU_ASSERT_EQUAL(removed, gone);
            memmove(m->rows, m->rows + gone, (m->n - gone) * sizeof *m->rows);
            m->n -= gone;
        } else {
            enum pt_put_mode mode = kit_random(&seed) % 2 ? PT_PUT_LIVE : PT_PUT_CORRECT;
            struct pt_put_stats want = { 0, 0, 0, 0 };
            size_t n = random_batch(m, &seed, batch);
            pt_frame_clear(&frame);
            for (size_t i = 0; i < n; i++)
                kit_push(&frame, batch[i].t, batch[i].second, batch[i].seed);
            uint64_t commit = pt_store_commit_id(store);
            struct pt_put_stats got = kit_write(store, &m->key, &frame, mode);
            model_put(m, batch, n, mode, &want);
            CU_ASSERT_EQUAL(memcmp(&want, &got, sizeof want), 0);
            bool changed = want.inserted + want.replaced > 0;
            CU_ASSERT_EQUAL(pt_store_commit_id(store) != commit, changed);
        }
        if (m->n > 0) check_ranges(store, m, &seed);
        if (step % 16 == 0) check_verify(store);
    }
    check_verify(store);
    pt_store_close(store);
    store = kit_open(path);
    for (int i = 0; i < 2; i++) {
        if (models[i].n > 0) check_ranges(store, &models[i], &seed);
        free(models[i].rows);
    }
    pt_store_close(store);
    pt_frame_fini(&frame);
    free(batch);
    kit_remove(path);
}

static void test_candles(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) random_life(PT_CANDLES, seed, 60);
}

static void test_trades(void)
{
    for (uint64_t seed = 11; seed <= 14; seed++) random_life(PT_TRADES, seed, 60);
}

static void test_depth(void)
{
    random_life(PT_DEPTH, 21, 40);
}

static CU_TestInfo tests[] = { { "candles live as a sorted list would", test_candles },
                               { "trades with equal times live as a sorted list would",
                                 test_trades },
                               { "order books live as a sorted list would", test_depth },
                               CU_TEST_INFO_NULL };

int main(void)
{
    return pt_suite_main("store/model", tests);
}
