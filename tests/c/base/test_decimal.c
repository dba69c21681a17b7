#include "base/decimal.h"
#include "prng.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 i128;

/* Parses from a heap copy of exactly the text's size, so that a sanitizer sees any byte read
 * outside. */
static enum pt_code parse(const char *text, int64_t *m, uint8_t *d)
{
    size_t len = strlen(text);
    char *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, text, len);
    enum pt_code rc = pt_dec_parse(exact, len, m, d);
    free(exact);
    return rc;
}

static void test_reads_what_an_exchange_writes(void)
{
    static const struct {
        const char *text;
        int64_t mantissa;
        unsigned scale, pad;
        const char *printed;
    } cases[] = {
        { "0", 0, 0, 0, "0" },
        { "7", 7, 0, 0, "7" },
        { "-7", -7, 0, 0, "-7" },
        { "+7", 7, 0, 0, "7" },
        { "50000.00", 5000000, 2, 0, "50000.00" },
        { "29278.4", 292784, 1, 0, "29278.4" },
        { "0.00000001", 1, 8, 0, "0.00000001" },
        { "-0.00010000", -10000, 8, 0, "-0.00010000" },
        { "0.00", 0, 2, 0, "0.00" },
        { "-0.0", 0, 1, 0, "0.0" },
        { "007.50", 750, 2, 0, "7.50" },
        { ".5", 5, 1, 0, "0.5" },
        { "5.", 5, 0, 0, "5" },
        { "12345678", 12345678, 0, 0, "12345678" },
        { "123456789", 123456789, 0, 0, "123456789" },
        { "1234567890123456", INT64_C(1234567890123456), 0, 0, "1234567890123456" },
        { "12345678901234567", INT64_C(12345678901234567), 0, 0, "12345678901234567" },
        { "1234567890.12345678", INT64_C(123456789012345678), 8, 0, "1234567890.12345678" },
        { "11048002942.14993131", INT64_C(1104800294214993131), 8, 0, "11048002942.14993131" },
        { "9223372036854775807", INT64_MAX, 0, 0, "9223372036854775807" },
        { "-9223372036854775807", -INT64_MAX, 0, 0, "-9223372036854775807" },
        { "0.123456789012345678", INT64_C(123456789012345678), 18, 0, "0.123456789012345678" },
        { "1e5", 100000, 0, 0, "100000" },
        { "1.5E+3", 1500, 0, 0, "1500" },
        { "1.50e1", 150, 1, 0, "15.0" },
        { "2.5e-3", 25, 4, 0, "0.0025" },
        { "0E-8", 0, 8, 0, "0.00000000" },
        { "0e100", 0, 0, 0, "0" },
        { "1e-18", 1, 18, 0, "0.000000000000000001" },
        { "1e18", INT64_C(1000000000000000000), 0, 0, "1000000000000000000" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t m = -1;
        uint8_t d = 0xff;
        char out[PT_DEC_TEXT_MAX];
        CU_ASSERT_EQUAL_FATAL(parse(cases[i].text, &m, &d), PT_OK);
        CU_ASSERT_EQUAL(m, cases[i].mantissa);
        CU_ASSERT_EQUAL(pt_digits_scale(d), cases[i].scale);
        CU_ASSERT_EQUAL(pt_digits_pad(d), cases[i].pad);
        CU_ASSERT_EQUAL(pt_dec_print(m, d, out), strlen(cases[i].printed));
        CU_ASSERT_STRING_EQUAL(out, cases[i].printed);
    }
}

static void test_gives_dropped_zeros_back(void)
{
    static const struct {
        const char *text;
        unsigned scale, pad;
    } cases[] = {
        { "11048002942.1400000000", 8, 2 }, /* one digit fewer would still not fit */
        { "123456789012345678.00", 1, 1 },        { "922337203685477580.70", 1, 1 },
        { "922337203685477580.80", 0, 2 }, /* one over INT64_MAX: the 8 must not be dropped */
        { "0.1000000000000000000", 18, 1 },       { "0.0000000000000000000000000", 18, 7 },
        { "1.0000000000000000000000000", 18, 7 }, { "9223372036854775807.0000000", 0, 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t m;
        uint8_t d;
        char out[PT_DEC_TEXT_MAX];
        enum pt_code rc = parse(cases[i].text, &m, &d);
        if (i == 3) {
            CU_ASSERT_EQUAL(rc, PT_ERANGE);
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(rc, PT_OK);
        CU_ASSERT_EQUAL(pt_digits_scale(d), cases[i].scale);
        CU_ASSERT_EQUAL(pt_digits_pad(d), cases[i].pad);
        pt_dec_print(m, d, out);
        CU_ASSERT_STRING_EQUAL(out, cases[i].text);
    }
}

static void test_refuses_what_is_no_number(void)
{
    static const char *const bad[] = {
        "",
        ".",
        "-",
        "+",
        "-.",
        "--1",
        "+-1",
        "1.2.3",
        "1..2",
        "12a",
        "a12",
        " 1",
        "1 ",
        "1e",
        "1e+",
        "e5",
        "1e5.0",
        "0x10",
        "nan",
        "inf",
        "1,5",
        "1234567.12345678.",
        "12345678901234567x",
        "1234567890123456789012345x",
        "\xb1\xb2",
        "1\n",
        "123456789/",
        "123456789:",
        "12345678\xff",
        "\37712345678",
        ".12345678.",
        "1-2",
        "12345678-1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t m = 42;
        uint8_t d = 42;
        CU_ASSERT_EQUAL(parse(bad[i], &m, &d), PT_EINVAL);
        CU_ASSERT(m == 42 && d == 42);
    }
}

static void test_refuses_what_does_not_fit(void)
{
    static const char *const wide[] = {
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999",
        "1e19",
        "1e1000000",
        "1e999999999999999999999",
        "1e-19",
        "0e-26",
        "0.1234567890123456789",
        "10000000000000000000",
        "1.00000000000000000000000000", /* 26 digits */
        "12345678901.123456789",
    };
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        int64_t m;
        uint8_t d;
        CU_ASSERT_EQUAL(parse(wide[i], &m, &d), PT_ERANGE);
    }
}

/* A text of up to 19 digits with a point anywhere, no leading zero but the one before the point. */
static void random_decimal(uint64_t *seed, char *out)
{
    unsigned digits = 1 + prng_below(seed, 18);
    unsigned behind = prng_below(seed, 3) == 0 ? 0 : prng_below(seed, digits + 1);
    char *p = out;
    if (prng_below(seed, 4) == 0) *p++ = '-';
    if (behind == digits) *p++ = '0';
    for (unsigned i = 0; i < digits; i++) {
        if (digits - i == behind) *p++ = '.';
        unsigned digit = prng_below(seed, 10);
        if (i == 0 && digits - behind > 1 && digit == 0) digit = 1;
        *p++ = (char)('0' + digit);
    }
    *p = '\0';
    if (strspn(out, "-0.") == strlen(out) && out[0] == '-') p[-1] = '1'; /* no minus zero */
}

static void test_prints_back_what_it_read(void)
{
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        char text[64], signed_text[sizeof text + 1], out[PT_DEC_TEXT_MAX];
        int64_t m, m2;
        uint8_t d, d2;
        random_decimal(&seed, text);
        CU_ASSERT_EQUAL_FATAL(parse(text, &m, &d), PT_OK);
        CU_ASSERT_EQUAL_FATAL(pt_dec_print(m, d, out), strlen(text));
        CU_ASSERT_STRING_EQUAL_FATAL(out, text);
        CU_ASSERT_EQUAL_FATAL(pt_dec_double(m, d), strtod(text, NULL));
        /* a plus sign is read the slow way, digit by digit: both ways agree */
        if (text[0] == '-') continue;
        snprintf(signed_text, sizeof signed_text, "+%s", text);
        CU_ASSERT_EQUAL_FATAL(parse(signed_text, &m2, &d2), PT_OK);
        CU_ASSERT_FATAL(m == m2 && d == d2);
    }
}

static void test_agrees_with_strtod_on_random_junk(void)
{
    static const char alphabet[] = "0123456789012345678901234567890123456789.......--+eE: /x";
    uint64_t seed = 2;
    unsigned good = 0, wide = 0, bad = 0;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        unsigned len = prng_below(&seed, 28);
        for (unsigned j = 0; j < len; j++)
            text[j] = alphabet[prng_below(&seed, sizeof alphabet - 1)];
        text[len] = '\0';
        if (prng_below(&seed, 2)) { /* half of them: digits with one odd character */
            for (unsigned j = 0; j < len; j++) text[j] = (char)('0' + prng_below(&seed, 10));
            if (len > 0)
                text[prng_below(&seed, len)] = alphabet[prng_below(&seed, sizeof alphabet - 1)];
        }
        char *end;
        double expected = strtod(text, &end);
        bool number = len > 0 && *end == '\0' && strpbrk(text, " x") == NULL;
        int64_t m;
        uint8_t d;
        enum pt_code rc = parse(text, &m, &d);
        CU_ASSERT_EQUAL_FATAL(rc == PT_EINVAL, !number);
        if (rc == PT_OK) CU_ASSERT_EQUAL_FATAL(pt_dec_double(m, d), expected);
        good += rc == PT_OK;
        wide += rc == PT_ERANGE;
        bad += rc == PT_EINVAL;
    }
    CU_ASSERT(good > 1000 && wide > 1000 && bad > 1000);
}

static void test_doubles_are_rounded_once(void)
{
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        int64_t m = (int64_t)(prng_next(&seed) >> prng_below(&seed, 64));
        if (m == PT_MISSING) continue;
        unsigned scale = prng_below(&seed, 19);
        char text[PT_DEC_TEXT_MAX];
        pt_dec_print(m, pt_digits(scale, 0), text);
        CU_ASSERT_EQUAL_FATAL(pt_dec_double(m, pt_digits(scale, 0)), strtod(text, NULL));
    }
    /* half-way between two doubles: to the even one */
    CU_ASSERT_EQUAL(pt_dec_double(INT64_C(9007199254740993), 0), 9007199254740992.0);
    CU_ASSERT_EQUAL(pt_dec_double(INT64_C(9007199254740995), 0), 9007199254740996.0);
    CU_ASSERT_EQUAL(pt_dec_double(INT64_C(90071992547409930), pt_digits(1, 0)), 9007199254740992.0);
    CU_ASSERT_EQUAL(pt_dec_double(INT64_MAX, 0), 0x1p63);
    CU_ASSERT_EQUAL(pt_dec_double(-INT64_MAX, 0), -0x1p63);
    CU_ASSERT(isnan(pt_dec_double(PT_MISSING, pt_digits(2, 0))));
}

static void test_missing_prints_nothing(void)
{
    char out[PT_DEC_TEXT_MAX] = "x";
    CU_ASSERT_EQUAL(pt_dec_print(PT_MISSING, pt_digits(3, 1), out), 0);
    CU_ASSERT_STRING_EQUAL(out, "");
}

static void add(const char *a, const char *b, const char *sum)
{
    int64_t am, bm, m;
    uint8_t ad, bd, d;
    char out[PT_DEC_TEXT_MAX];
    CU_ASSERT_EQUAL_FATAL(parse(a, &am, &ad), PT_OK);
    CU_ASSERT_EQUAL_FATAL(parse(b, &bm, &bd), PT_OK);
    enum pt_code rc = pt_dec_add(am, ad, bm, bd, &m, &d);
    CU_ASSERT_EQUAL_FATAL(rc, sum != NULL ? PT_OK : PT_ERANGE);
    if (sum == NULL) return;
    pt_dec_print(m, d, out);
    CU_ASSERT_STRING_EQUAL(out, sum);
    int64_t pm;
    uint8_t pd;
    CU_ASSERT_EQUAL(parse(sum, &pm, &pd), PT_OK);
    CU_ASSERT(pm == m && pd == d); /* the same form as if it had been read */
}

static void test_adds_exactly(void)
{
    add("1.10", "2.2", "3.30");
    add("0.1", "0.2", "0.3");
    add("-5", "5.000", "0.000");
    add("11048002942.14993131", "11048002942.14993131", "22096005884.29986262");
    add("92233720368.54775807", "0.00000001", NULL);
    add("92233720368.54775807", "0.00000003", "92233720368.54775810");
    add("89999999999.99999999", "0.00000001", "90000000000.00000000");
    add("9223372036854775807", "1", NULL);
    add("9223372036854775807", "-1", "9223372036854775806");
    add("-9223372036854775807", "-1", NULL);
    add("11048002942.1400000000", "0", "11048002942.1400000000");
    add("0.0000000000000000000000000", "1", "1.0000000000000000000000000");
    int64_t m;
    uint8_t d;
    CU_ASSERT_EQUAL(pt_dec_add(PT_MISSING, 0, 1, 0, &m, &d), PT_OK);
    CU_ASSERT_EQUAL(m, PT_MISSING);
    CU_ASSERT_EQUAL(pt_dec_add(1, 0, PT_MISSING, 0, &m, &d), PT_OK);
    CU_ASSERT_EQUAL(m, PT_MISSING);
}

static void test_random_sums_are_exact(void)
{
    uint64_t seed = 4;
    for (int i = 0; i < 100000; i++) {
        int64_t am = (int64_t)(prng_next(&seed) >> (1 + prng_below(&seed, 60)));
        int64_t bm = -(int64_t)(prng_next(&seed) >> (1 + prng_below(&seed, 60)));
        unsigned as = prng_below(&seed, 9), bs = prng_below(&seed, 9), top = as > bs ? as : bs;
        i128 sum = 0, a = am, b = bm;
        for (unsigned j = as; j < top; j++) a *= 10;
        for (unsigned j = bs; j < top; j++) b *= 10;
        sum = a + b;
        int64_t m;
        uint8_t d;
        enum pt_code rc = pt_dec_add(am, pt_digits(as, 0), bm, pt_digits(bs, 0), &m, &d);
        if (rc == PT_ERANGE) {
            CU_ASSERT_FATAL(sum > INT64_MAX || sum < -INT64_MAX);
            continue;
        }
        i128 got = m;
        for (unsigned j = pt_digits_scale(d); j < top; j++) got *= 10;
        CU_ASSERT_EQUAL_FATAL(pt_digits_scale(d) + pt_digits_pad(d), top);
        CU_ASSERT_FATAL(got == sum);
    }
}

static void test_compares_by_value(void)
{
    CU_ASSERT_EQUAL(pt_dec_cmp(150, pt_digits(2, 0), 15, pt_digits(1, 0)), 0);
    CU_ASSERT_EQUAL(pt_dec_cmp(150, pt_digits(2, 5), 15, pt_digits(1, 0)), 0);
    CU_ASSERT_EQUAL(pt_dec_cmp(INT64_MAX, 0, INT64_MAX, pt_digits(18, 0)), 1);
    CU_ASSERT_EQUAL(pt_dec_cmp(-INT64_MAX, 0, -INT64_MAX, pt_digits(18, 0)), -1);
    CU_ASSERT_EQUAL(pt_dec_cmp(-1, pt_digits(18, 0), 0, 0), -1);
    CU_ASSERT_EQUAL(pt_dec_cmp(2, 0, 1, 0), 1);
}

/* ---- Doubles ---- */

static void test_prints_plain_doubles(void)
{
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        { 0.0, "0" },
        { -0.0, "0" },
        { 1, "1" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 100, "100" },
        { 1e7, "10000000" },
        { 9007199254740993.0, "9007199254740992" },
        { 1e22, "10000000000000000000000" },
        { 1e23, "100000000000000000000000" },
        { 123456.789e-10, "0.0000123456789" },
        { 1e-8, "0.00000001" },
        { 1e-9, "0.000000001" },
        { 29278.41, "29278.41" },
        { 5e-324, NULL },
        { 0x1p-44, "0.00000000000005684341886080802" }, /* nearest of 16 digits reads back lower */
        { 2.0 / 3, "0.6666666666666666" },
        { 9999999.99999999, "9999999.99999999" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[PT_DOUBLE_TEXT_MAX];
        size_t len = pt_double_print(cases[i].x, out);
        CU_ASSERT_EQUAL(len, strlen(out));
        if (cases[i].text != NULL) CU_ASSERT_STRING_EQUAL(out, cases[i].text);
        CU_ASSERT_EQUAL(strtod(out, NULL), cases[i].x);
    }
    char out[PT_DOUBLE_TEXT_MAX];
    CU_ASSERT_EQUAL(pt_double_print(5e-324, out), 326); /* 0. 323 zeros 5 */
    CU_ASSERT_EQUAL(strspn(out + 2, "0"), 323);
    CU_ASSERT_STRING_EQUAL(out + 325, "5");
    CU_ASSERT_EQUAL(pt_double_print(-0x1.fffffffffffffp+1023, out), 310);
    CU_ASSERT_EQUAL(strtod(out, NULL), -0x1.fffffffffffffp+1023);
}

/* Significant digits of a printed number and its decimal exponent, as d.ddd * 10^exponent. */
static int take_digits(const char *text, char *digits, int *exponent)
{
    int count = 0, point = -1, seen = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '-') continue;
        if (*p == '.') {
            point = seen;
            continue;
        }
        seen++;
        if (count == 0 && *p == '0') continue;
        if (count == 0) *exponent = -seen;
        digits[count++] = *p;
    }
    *exponent += point < 0 ? seen : point;
    while (count > 1 && digits[count - 1] == '0') count--;
    digits[count] = '\0';
    return count;
}

/* Reads back to the same bits, has no exponent, and neither neighbour with one digit less would do.
 */
static void check_shortest(double x)
{
    char out[PT_DOUBLE_TEXT_MAX], digits[PT_DOUBLE_TEXT_MAX], shorter[PT_DOUBLE_TEXT_MAX + 16];
    int exponent = 0;
    size_t len = pt_double_print(x, out);
    CU_ASSERT_FATAL(len == strlen(out) && len < PT_DOUBLE_TEXT_MAX);
    CU_ASSERT_EQUAL_FATAL(strspn(out, "-0123456789."), len);
    double back = strtod(out, NULL);
    CU_ASSERT_EQUAL_FATAL(memcmp(&back, &x, sizeof x), 0);
    int count = take_digits(out, digits, &exponent);
    CU_ASSERT_FATAL(count >= 1 && count <= 17);
    if (count == 1) return;
    digits[count - 1] = '\0';
    snprintf(shorter, sizeof shorter, "%se%d", digits, exponent - (count - 2));
    CU_ASSERT_NOT_EQUAL_FATAL(strtod(shorter, NULL), fabs(x));
    snprintf(shorter, sizeof shorter, "%llde%d", strtoll(digits, NULL, 10) + 1,
             exponent - (count - 2));
    CU_ASSERT_NOT_EQUAL_FATAL(strtod(shorter, NULL), fabs(x));
}

static void test_random_doubles_are_shortest(void)
{
    uint64_t seed = 5;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = prng_next(&seed);
        if (i % 4 == 0) bits &= UINT64_C(0x800fffffffffffff); /* subnormal */
        double x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x) || x == 0) continue;
        check_shortest(x);
    }
    for (int i = 0; i < 100000; i++) /* the size of prices and ratios */
        check_shortest((double)(prng_next(&seed) >> 11) * 0x1p-40);
}

/* Of the shortest decimals that read back, the one that printf says is nearest. */
static void check_nearest(double x)
{
    char out[PT_DOUBLE_TEXT_MAX], wanted[64], digits[PT_DOUBLE_TEXT_MAX];
    int exponent = 0;
    check_shortest(x);
    pt_double_print(x, out);
    int count = take_digits(out, digits, &exponent);
    snprintf(wanted, sizeof wanted, "%.*e", count - 1, fabs(x));
    char *end = strchr(wanted, 'e');
    CU_ASSERT_EQUAL_FATAL((int)strtol(end + 1, NULL, 10), exponent);
    *end = '\0';
    if (count > 1) memmove(wanted + 1, wanted + 2, strlen(wanted + 2) + 1);
    CU_ASSERT_STRING_EQUAL_FATAL(digits, wanted);
}

static void test_of_the_shortest_the_nearest(void)
{
    uint64_t seed = 7;
    for (int i = 0; i < 200000; i++) {
        double x = ldexp((double)(prng_next(&seed) >> 11 | UINT64_C(1) << 52),
                         -(int)prng_below(&seed, 75));
        check_nearest(i % 2 ? x : -x);
    }
    for (int e = -8; e <= 17; e++) { /* powers of ten and the doubles beside them */
        double x = pow(10, e), up = x, down = x;
        for (int i = 0; i < 200; i++) {
            check_nearest(up);
            check_nearest(down);
            check_nearest(up * 3);
            up = nextafter(up, INFINITY);
            down = nextafter(down, 0);
        }
    }
    for (int i = 1; i < 20000; i++) check_nearest((double)i / 10000 + 1e-16 * i);
}

static void test_powers_of_two_are_shortest(void)
{
    for (int e = -1074; e <= 1023; e++) {
        check_shortest(ldexp(1, e));
        check_shortest(nextafter(ldexp(1, e), INFINITY));
        if (e > -1074) check_shortest(nextafter(ldexp(1, e), 0));
    }
}

static void test_decimals_survive_a_double(void)
{
    uint64_t seed = 6;
    for (int i = 0; i < 100000;
         i++) { /* up to 15 digits: the printed double is the decimal again */
        int64_t m = (int64_t)(prng_next(&seed) % UINT64_C(1000000000000000));
        unsigned scale = prng_below(&seed, 12);
        while (scale > 0 && m % 10 == 0) {
            m /= 10;
            scale--;
        }
        char text[PT_DEC_TEXT_MAX], out[PT_DOUBLE_TEXT_MAX];
        pt_dec_print(m, pt_digits(scale, 0), text);
        pt_double_print(pt_dec_double(m, pt_digits(scale, 0)), out);
        CU_ASSERT_STRING_EQUAL_FATAL(out, text);
    }
}

static CU_TestInfo tests[] = {
    { "reads what an exchange writes", test_reads_what_an_exchange_writes },
    { "gives dropped zeros back", test_gives_dropped_zeros_back },
    { "refuses what is no number", test_refuses_what_is_no_number },
    { "refuses what does not fit", test_refuses_what_does_not_fit },
    { "prints back what it read", test_prints_back_what_it_read },
    { "agrees with strtod on random junk", test_agrees_with_strtod_on_random_junk },
    { "doubles are rounded once", test_doubles_are_rounded_once },
    { "missing prints nothing", test_missing_prints_nothing },
    { "adds exactly", test_adds_exactly },
    { "random sums are exact", test_random_sums_are_exact },
    { "compares by value", test_compares_by_value },
    { "prints plain doubles", test_prints_plain_doubles },
    { "random doubles are shortest", test_random_doubles_are_shortest },
    { "of the shortest, the nearest", test_of_the_shortest_the_nearest },
    { "powers of two are shortest", test_powers_of_two_are_shortest },
    { "decimals survive a double", test_decimals_survive_a_double },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("decimal", tests);
}
