#include "near.h"

/* The published reference: splitmix64 of seed 1234567 begins 6457827717110365317,
 * 3203168211198807973, ... (Vigna). */
static void test_seeding_is_splitmix64(void)
{
    struct pt_rng rng;
    pt_rng_seed(&rng, 1234567, 0);
    CU_ASSERT(rng.s[0] == UINT64_C(6457827717110365317) &&
              rng.s[1] == UINT64_C(3203168211198807973));
    CU_ASSERT(rng.s[2] == UINT64_C(9817491932198370423) &&
              rng.s[3] == UINT64_C(4593380528125082431));
}

/* xoshiro256** from the state 1, 2, 3, 4, as its authors' code gives it. */
static void test_numbers_are_xoshiro256(void)
{
    struct pt_rng rng = { { 1, 2, 3, 4 } };
    const uint64_t want[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240),
                              UINT64_C(1216172134540287360) };
    for (size_t i = 0; i < 5; i++) CU_ASSERT(pt_rng_next(&rng) == want[i]);
}

static void test_the_same_seed_and_stream_give_the_same_numbers(void)
{
    struct pt_rng a, b, other;
    pt_rng_seed(&a, 42, 7);
    pt_rng_seed(&b, 42, 7);
    pt_rng_seed(&other, 42, 8);
    size_t equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = pt_rng_next(&a);
        CU_ASSERT(value == pt_rng_next(&b));
        equal += value == pt_rng_next(&other);
    }
    CU_ASSERT(equal == 0);
}

static void test_uniform_and_normal_have_their_moments(void)
{
    struct pt_rng rng;
    const int n = 200000;
    double mean = 0, squares = 0, least = 1, most = 0, m = 0, v = 0, cubes = 0, fourths = 0;
    pt_rng_seed(&rng, 1, 0);
    for (int i = 0; i < n; i++) {
        double u = pt_rng_uniform(&rng), z = pt_rng_normal(&rng);
        mean += u / n, squares += u * u / n;
        least = fmin(least, u), most = fmax(most, u);
        m += z / n, v += z * z / n, cubes += z * z * z / n, fourths += z * z * z * z / n;
    }
    CU_ASSERT(least >= 0 && least < 1e-4 && most < 1 && most > 1 - 1e-4);
    CU_ASSERT(fabs(mean - 0.5) < 0.003 && fabs(squares - 1.0 / 3) < 0.003);
    CU_ASSERT(fabs(m) < 0.01 && fabs(v - 1) < 0.015 && fabs(cubes) < 0.04 &&
              fabs(fourths - 3) < 0.1);
}

static void test_below_reaches_every_value_evenly(void)
{
    struct pt_rng rng;
    int seen[6] = { 0 };
    pt_rng_seed(&rng, 5, 0);
    for (int i = 0; i < 60000; i++) seen[pt_rng_below(&rng, 6)]++;
    for (int k = 0; k < 6; k++) CU_ASSERT(seen[k] > 9600 && seen[k] < 10400);
    CU_ASSERT(pt_rng_below(&rng, 1) == 0 && pt_rng_below(&rng, 0) == 0);
    /* a bound of 2/3 of the range: without rejection the lowest third would come twice as often */
    uint64_t bound = UINT64_C(12297829382473034411), third = bound / 3;
    int low = 0;
    for (int i = 0; i < 30000; i++) low += pt_rng_below(&rng, bound) % 2 == 0 ? 1 : 0;
    CU_ASSERT(low > 14600 && low < 15400);
    low = 0;
    for (int i = 0; i < 30000; i++) low += pt_rng_below(&rng, bound) < third ? 1 : 0;
    CU_ASSERT(low > 9700 && low < 10300);
}

static void test_a_sample_repeats_nothing(void)
{
    struct pt_rng rng;
    size_t index[50];
    int chosen[50] = { 0 };
    pt_rng_seed(&rng, 9, 0);
    for (int round = 0; round < 5000; round++) {
        bool seen[50] = { false };
        pt_rng_sample(&rng, 10, 50, index);
        for (size_t i = 0; i < 10; i++) {
            CU_ASSERT_FATAL(index[i] < 50 && !seen[index[i]]);
            seen[index[i]] = true;
            chosen[index[i]]++;
        }
    }
    for (size_t i = 0; i < 50; i++) CU_ASSERT(chosen[i] > 850 && chosen[i] < 1150);
    pt_rng_sample(&rng, 50, 50, index);
    size_t sum = 0;
    for (size_t i = 0; i < 50; i++) sum += index[i];
    CU_ASSERT(sum == 49 * 50 / 2);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "seeding is splitmix64", test_seeding_is_splitmix64 },
        { "numbers are xoshiro256**", test_numbers_are_xoshiro256 },
        { "the same seed and stream give the same numbers",
          test_the_same_seed_and_stream_give_the_same_numbers },
        { "uniform and normal have their moments", test_uniform_and_normal_have_their_moments },
        { "below reaches every value evenly", test_below_reaches_every_value_evenly },
        { "a sample repeats nothing", test_a_sample_repeats_nothing },
        CU_TEST_INFO_NULL,
    };
    return pt_suite_main("rng", tests);
}
