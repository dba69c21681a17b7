/* bench_decimal - how fast decimals are read, turned into doubles and printed, beside the C
 * library. The texts are the columns of a kline file: prices of 2 and 8 digits, volumes, quote
 * volumes. */
#include "base/clock.h"
#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES 1000000u
#define ROUNDS 10

static char *texts[VALUES];
static unsigned char lengths[VALUES];
static int64_t mantissas[VALUES];
static uint8_t digits[VALUES];
static double doubles[VALUES];

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* One after the other, as they lie in a file. */
static char *make_texts(int column)
{
    char *all = malloc(VALUES * 32), *p = all;
    uint64_t seed = 1;
    if (all == NULL) return NULL;
    for (unsigned i = 0; i < VALUES; i++) {
        uint64_t r = next(&seed);
        int kind = column < 4 ? column : (int)(i % 4);
        int n = 0;
        switch (kind) {
        case 0: n = sprintf(p, "%.2f", 20000 + (double)(r % 8000000) / 100); break;
        case 1: n = sprintf(p, "%.8f", 20000 + (double)(r % 8000000) / 100); break;
        case 2: n = sprintf(p, "%.5f", (double)(r % 1000000) / 100 * (double)(r >> 60)); break;
        default: n = sprintf(p, "%.8f", (double)(r % 100000000000) / 100); break;
        }
        texts[i] = p;
        lengths[i] = (unsigned char)n;
        p += n + 1;
    }
    return all;
}

static void report(const char *what, const char *column, int64_t ns)
{
    double each = (double)ns / VALUES;
    printf("%-14s %-10s %7.2f ns  %7.1f M values/s\n", what, column, each, 1e3 / each);
}

/* The best of ROUNDS runs of `work` over all values. */
static int64_t best(void (*work)(void))
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = pt_mono_ns();
        work();
        int64_t took = pt_mono_ns() - start;
        if (took < least) least = took;
    }
    return least;
}

static void parse_all(void)
{
    for (unsigned i = 0; i < VALUES; i++) {
        if (pt_dec_parse(texts[i], lengths[i], &mantissas[i], &digits[i]) != PT_OK) abort();
    }
}

static void to_double(void)
{
    for (unsigned i = 0; i < VALUES; i++) doubles[i] = pt_dec_double(mantissas[i], digits[i]);
}

static void strtod_all(void)
{
    for (unsigned i = 0; i < VALUES; i++) {
        if (strtod(texts[i], NULL) != doubles[i]) abort();
    }
}

static void print_all(void)
{
    char out[PT_DEC_TEXT_MAX];
    for (unsigned i = 0; i < VALUES; i++) {
        if (pt_dec_print(mantissas[i], digits[i], out) != lengths[i]) abort();
    }
}

static void print_doubles(void)
{
    char out[PT_DOUBLE_TEXT_MAX];
    for (unsigned i = 0; i < VALUES; i++) pt_double_print(doubles[i], out);
}

int main(void)
{
    static const char *const columns[] = { "price.2", "price.8", "volume.5", "quote.8", "mixed" };
    for (int column = 0; column < 5; column++) {
        char *all = make_texts(column);
        if (all == NULL) return 1;
        report("parse", columns[column], best(parse_all));
        report("to double", columns[column], best(to_double));
        report("strtod", columns[column], best(strtod_all));
        report("print", columns[column], best(print_all));
        report("print double", columns[column], best(print_doubles));
        free(all);
    }
    return 0;
}
