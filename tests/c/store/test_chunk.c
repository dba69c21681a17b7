/* test_chunk.c - rows as columnar bytes, and what damage does to them. */
#include "kit.h"

#include "store/chunk.h"

#include <math.h>

static struct pt_frame trades_of(size_t n, uint64_t seed)
{
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_TRADES));
    for (size_t i = 0; i < n; i++)
        kit_push(&frame, T0 + (int64_t)(i * i % 977 + i * 1000), (int64_t)i, seed + i);
    return frame;
}

static uint8_t *write_chunk(const struct pt_frame *frame, size_t from, size_t rows, size_t *len)
{
    struct pt_chunk_plan plan;
    pt_chunk_plan(frame, from, rows, &plan);
    uint8_t *bytes = malloc(plan.bytes);
    if (!bytes) abort();
    pt_chunk_write(frame, from, &plan, bytes);
    *len = plan.bytes;
    return bytes;
}

/* NULL when all columns are good; the rows then are in *out. */
static const char *read_chunk(const uint8_t *bytes, size_t len, struct pt_frame *out)
{
    struct pt_chunk chunk;
    const char *fault = pt_chunk_open(bytes, len, out->kind, &chunk);
    if (fault) return fault;
    if (pt_frame_reserve(out, chunk.rows) != PT_OK) abort();
    for (unsigned c = 0; c < out->kind->ncols; c++) {
        fault = pt_chunk_values(&chunk, c, 0, chunk.rows, out->val[c], out->dig[c]);
        if (fault) return fault;
    }
    out->n = chunk.rows;
    return NULL;
}

static void check_round_trip(const struct pt_frame *in)
{
    struct pt_frame out;
    size_t len;
    pt_frame_init(&out, in->kind);
    uint8_t *bytes = write_chunk(in, 0, in->n, &len);
    const char *fault = read_chunk(bytes, len, &out);
    CU_ASSERT_PTR_NULL(fault);
    if (fault) printf("\n  %s\n", fault);
    CU_ASSERT_TRUE(kit_same(in, &out));
    free(bytes);
    pt_frame_fini(&out);
}

static void test_every_kind_and_size_comes_back(void)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 40, 100 };
    for (int k = 0; k < PT_KINDS; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct pt_frame in;
            if (k == PT_DEPTH && sizes[s] > 40) continue; /* would be no single chunk */
            pt_frame_init(&in, pt_kind((enum pt_kind_id)k));
            for (size_t i = 0; i < sizes[s]; i++)
                kit_push(&in, T0 + (int64_t)i * PT_US_HOUR, (int64_t)i, 77 * i + (uint64_t)k);
            check_round_trip(&in);
            pt_frame_fini(&in);
        }
    }
}

/* Each span of values asks for another width; the ends of the int64 range must not wrap. */
static void test_every_width_keeps_its_extremes(void)
{
    static const int64_t spans[][2] = {
        { 5, 5 },          { 0, 255 },          { -3, 251 },
        { 0, 256 },        { -100, 65435 },     { -100, 65436 },
        { 7, 4294967302 }, { 7, 4294967303 },   { INT64_MIN + 1, INT64_MAX },
        { 0, INT64_MAX },  { INT64_MIN + 1, 0 }
    };
    for (size_t s = 0; s < sizeof spans / sizeof spans[0]; s++) {
        for (int missing = 0; missing < 2; missing++) {
            struct pt_frame in;
            pt_frame_init(&in, pt_kind(PT_FUNDING));
            for (int i = 0; i < 9; i++) {
                int64_t val[] = { T0 + i * i, spans[s][i & 1], spans[s][(i >> 1) & 1] };
                uint8_t dig[] = { 0, pt_digits(8, 0), pt_digits(2, 0) };
                if (missing && i == 4) val[2] = PT_MISSING;
                OK(pt_frame_push(&in, val, dig));
            }
            check_round_trip(&in);
            pt_frame_fini(&in);
        }
    }
}

static void test_regular_columns_cost_nothing(void)
{
    struct pt_frame in;
    size_t len;
    pt_frame_init(&in, pt_kind(PT_FUNDING));
    for (int i = 0; i < 1000; i++) {
        int64_t val[] = { T0 + i * PT_US_HOUR, 100, PT_MISSING };
        uint8_t dig[] = { 0, pt_digits(6, 0), 0 };
        OK(pt_frame_push(&in, val, dig));
    }
    uint8_t *bytes = write_chunk(&in, 0, in.n, &len);
    CU_ASSERT_EQUAL(len, 56 + 3 * 32); /* the head and three columns */
    check_round_trip(&in);
    free(bytes);
    pt_frame_fini(&in);
}

static void test_digits_differ_within_a_column(void)
{
    struct pt_frame in;
    pt_frame_init(&in, pt_kind(PT_FUNDING));
    for (int i = 0; i < 100; i++) {
        int64_t val[] = { T0 + i * PT_US_HOUR, i % 5 == 0 ? 1104800294214 : i * 10 + 1, i };
        uint8_t dig[] = { 0, i % 5 == 0 ? pt_digits(2, 6) : pt_digits((unsigned)i % 19, 0),
                          pt_digits(2, 0) };
        OK(pt_frame_push(&in, val, dig));
    }
    check_round_trip(&in);
    pt_frame_fini(&in);
}

static void test_part_of_a_chunk_is_that_part(void)
{
    struct pt_frame in = trades_of(500, 9), out;
    struct pt_chunk chunk;
    size_t len;
    int64_t val[500];
    uint8_t dig[500];
    uint8_t *bytes = write_chunk(&in, 0, in.n, &len);
    pt_frame_init(&out, in.kind);
    CU_ASSERT_PTR_NULL_FATAL(pt_chunk_open(bytes, len, in.kind, &chunk));
    for (size_t from = 0; from < 500; from += 61) {
        for (unsigned c = 0; c < in.kind->ncols; c++) {
            size_t n = 500 - from < 33 ? 500 - from : 33;
            CU_ASSERT_PTR_NULL(pt_chunk_values(&chunk, c, from, n, val, in.dig[c] ? dig : NULL));
            CU_ASSERT_EQUAL(memcmp(val, in.val[c] + from, n * sizeof *val), 0);
            if (in.dig[c]) CU_ASSERT_EQUAL(memcmp(dig, in.dig[c] + from, n), 0);
        }
    }
    free(bytes);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Doubles of all magnitudes, widths and digits against the definition, bit for bit. */
static void test_doubles_are_those_of_the_decimals(void)
{
    static const int64_t tops[] = { 200,      60000, 3000000000, INT64_C(1) << 51, INT64_C(1) << 53,
                                    INT64_MAX };
    enum { N = 300 };
    static double out[N];
    static int64_t val[N];
    static uint8_t dig[N];
    uint64_t seed = 5;
    for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
        for (int variant = 0; variant < 16; variant++) {
            struct pt_frame in;
            struct pt_chunk chunk;
            size_t len;
            pt_frame_init(&in, pt_kind(PT_FUNDING));
            for (int i = 0; i < N; i++) {
                int64_t x = (int64_t)(kit_random(&seed) % (uint64_t)tops[t]);
                if (variant & 1) x = -x;
                if (variant & 2) x += INT64_C(123456789);
                if (x < 0 && !(variant & 1)) x = INT64_MAX;
                uint8_t digits =
                    pt_digits((unsigned)variant + (variant & 8 ? (unsigned)i % 3 : 0), 0);
                int64_t cells[] = { T0 + i, x, (variant & 4) && i % 13 == 0 ? PT_MISSING : x };
                uint8_t digs[] = { 0, digits, digits };
                OK(pt_frame_push(&in, cells, digs));
            }
            uint8_t *bytes = write_chunk(&in, 0, N, &len);
            CU_ASSERT_PTR_NULL_FATAL(pt_chunk_open(bytes, len, in.kind, &chunk));
            unsigned wrong = 0;
            for (unsigned c = 1; c < 3; c++) {
                CU_ASSERT_PTR_NULL(pt_chunk_doubles(&chunk, c, 1, N - 1, out, val, dig));
                for (size_t i = 1; i < N; i++)
                    wrong += !same_double(out[i - 1], pt_dec_double(in.val[c][i], in.dig[c][i]));
            }
            CU_ASSERT_EQUAL(wrong, 0);
            free(bytes);
            pt_frame_fini(&in);
        }
    }
}

static void test_any_changed_byte_is_noticed(void)
{
    struct pt_frame in = trades_of(64, 3), out;
    size_t len;
    unsigned unnoticed = 0;
    uint8_t *bytes = write_chunk(&in, 0, in.n, &len);
    pt_frame_init(&out, in.kind);
    for (size_t i = 0; i < len; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            bytes[i] ^= (uint8_t)(1 << bit);
            unnoticed += read_chunk(bytes, len, &out) == NULL;
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
    CU_ASSERT_EQUAL(unnoticed, 0);
    CU_ASSERT_PTR_NULL(read_chunk(bytes, len, &out));
    free(bytes);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static void test_a_cut_chunk_is_refused(void)
{
    struct pt_frame in = trades_of(64, 3), out;
    size_t len;
    uint8_t *bytes = write_chunk(&in, 0, in.n, &len);
    pt_frame_init(&out, in.kind);
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* its own block, so that a sanitizer sees its end */
        if (!cut) abort();
        memcpy(cut, bytes, n);
        CU_ASSERT_PTR_NOT_NULL(read_chunk(cut, n, &out));
        free(cut);
    }
    free(bytes);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

/* Wrong bytes with right checksums: wrong numbers or words, nothing worse. */
static void test_hostile_bytes_do_no_harm(void)
{
    struct pt_frame in = trades_of(64, 3), out;
    size_t len, row;
    struct pt_chunk chunk;
    unsigned opened = 0;
    uint64_t seed = 1;
    static double doubles[PT_CHUNK_ROWS_MAX];
    static int64_t val[PT_CHUNK_ROWS_MAX];
    static uint8_t dig[PT_CHUNK_ROWS_MAX];
    uint8_t *bytes = write_chunk(&in, 0, in.n, &len), *bad = malloc(len);
    if (!bad) abort();
    pt_frame_init(&out, in.kind);
    for (int i = 0; i < 20000; i++) {
        memcpy(bad, bytes, len);
        for (int k = 0; k < 3; k++) bad[kit_random(&seed) % len] = (uint8_t)kit_random(&seed);
        bool sealed = pt_chunk_seal(bad, len);
        if (!sealed || pt_chunk_open(bad, len, in.kind, &chunk) != NULL) continue;
        opened++;
        read_chunk(bad, len, &out);
        pt_chunk_lower(&chunk, (int64_t)kit_random(&seed), &row);
        for (unsigned c = 0; c < in.kind->ncols; c++)
            pt_chunk_doubles(&chunk, c, 0, chunk.rows, doubles, val, dig);
    }
    CU_ASSERT_TRUE(opened > 1000);
    free(bytes);
    free(bad);
    pt_frame_fini(&in);
    pt_frame_fini(&out);
}

static CU_TestInfo tests[] = {
    { "rows of every kind and number come back", test_every_kind_and_size_comes_back },
    { "every width keeps its extremes", test_every_width_keeps_its_extremes },
    { "regular columns cost nothing", test_regular_columns_cost_nothing },
    { "digits may differ within a column", test_digits_differ_within_a_column },
    { "part of a chunk is that part", test_part_of_a_chunk_is_that_part },
    { "doubles are those of the decimals, bit for bit", test_doubles_are_those_of_the_decimals },
    { "any changed byte is noticed", test_any_changed_byte_is_noticed },
    { "a cut chunk is refused", test_a_cut_chunk_is_refused },
    { "hostile bytes with right checksums do no harm", test_hostile_bytes_do_no_harm },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("store/chunk", tests);
}
