/* frame.c - the columns of a frame: memory, order, doubles.                    [layer: data] */
#include "data/frame.h"

#include "base/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pt_frame_init(struct pt_frame *frame, const struct pt_kind *kind)
{
    memset(frame, 0, sizeof *frame);
    frame->kind = kind;
}

void pt_frame_fini(struct pt_frame *frame)
{
    for (unsigned c = 0; c < PT_COLS_MAX; c++) {
        free(frame->val[c]);
        free(frame->dig[c]);
    }
    pt_frame_init(frame, frame->kind);
}

void pt_frame_clear(struct pt_frame *frame)
{
    frame->n = 0;
}

enum pt_code pt_frame_reserve(struct pt_frame *frame, size_t rows)
{
    const struct pt_kind *kind = frame->kind;
    if (rows <= frame->cap) return PT_OK;
    if (rows > SIZE_MAX / (sizeof(int64_t) * PT_CELLS_MAX)) return PT_ENOMEM;
    for (unsigned c = 0; c < kind->ncols; c++) {
        size_t cells = rows * kind->cols[c].width;
        int64_t *val = realloc(frame->val[c], cells * sizeof *val);
        if (!val) return PT_ENOMEM;
        frame->val[c] = val;
        if (kind->cols[c].type != PT_TYPE_DEC) continue;
        uint8_t *dig = realloc(frame->dig[c], cells);
        if (!dig) return PT_ENOMEM;
        frame->dig[c] = dig;
    }
    frame->cap = rows;
    return PT_OK;
}

/* Room for `more` rows behind the last one, growing by half so that pushing n rows copies O(n). */
static enum pt_code grow(struct pt_frame *frame, size_t more)
{
    if (more <= frame->cap - frame->n) return PT_OK;
    if (more > SIZE_MAX - frame->n) return PT_ENOMEM;
    size_t rows = frame->n + more;
    size_t step = frame->cap + frame->cap / 2;
    if (rows < step) rows = step;
    if (rows < 16) rows = 16;
    return pt_frame_reserve(frame, rows);
}

enum pt_code pt_frame_push(struct pt_frame *frame, const int64_t *val, const uint8_t *dig)
{
    const struct pt_kind *kind = frame->kind;
    enum pt_code rc = grow(frame, 1);
    if (rc != PT_OK) return rc;
    size_t cell = 0;
    for (unsigned c = 0; c < kind->ncols; c++) {
        unsigned width = kind->cols[c].width;
        if (width == 1) {
            frame->val[c][frame->n] = val[cell];
            if (frame->dig[c]) frame->dig[c][frame->n] = dig[cell];
        } else {
            memcpy(frame->val[c] + frame->n * width, val + cell, width * sizeof *val);
            if (frame->dig[c]) memcpy(frame->dig[c] + frame->n * width, dig + cell, width);
        }
        cell += width;
    }
    frame->n++;
    return PT_OK;
}

enum pt_code pt_frame_append(struct pt_frame *frame, const struct pt_frame *other, size_t from,
                             size_t rows)
{
    enum pt_code rc = grow(frame, rows);
    if (rc != PT_OK) return rc;
    if (rows == 0) return PT_OK;
    for (unsigned c = 0; c < frame->kind->ncols; c++) {
        unsigned width = frame->kind->cols[c].width;
        memcpy(frame->val[c] + frame->n * width, other->val[c] + from * width,
               rows * width * sizeof(int64_t));
        if (frame->dig[c])
            memcpy(frame->dig[c] + frame->n * width, other->dig[c] + from * width, rows * width);
    }
    frame->n += rows;
    return PT_OK;
}

int pt_frame_cmp(const struct pt_frame *x, size_t a, const struct pt_frame *y, size_t b)
{
    for (unsigned c = 0; c < x->kind->keys; c++) {
        int64_t p = x->val[c][a], q = y->val[c][b];
        if (p != q) return p < q ? -1 : 1;
    }
    return 0;
}

size_t pt_frame_lower(const struct pt_frame *frame, int64_t t_us)
{
    size_t low = 0, high = frame->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frame->val[0][middle] < t_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool pt_frame_same(const struct pt_frame *x, size_t a, const struct pt_frame *y, size_t b)
{
    for (unsigned c = 0; c < x->kind->ncols; c++) {
        unsigned width = x->kind->cols[c].width;
        for (unsigned w = 0; w < width; w++) {
            int64_t value = x->val[c][a * width + w];
            if (value != y->val[c][b * width + w]) return false;
            if (!x->dig[c] || value == PT_MISSING) continue;
            if (x->dig[c][a * width + w] != y->dig[c][b * width + w]) return false;
        }
    }
    return true;
}

/* A row's key and place, so that sorting moves 24 bytes a row and not all its columns. */
struct place {
    int64_t key[2];
    size_t row;
};

static int place_cmp(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->key[0] != y->key[0]) return x->key[0] < y->key[0] ? -1 : 1;
    if (x->key[1] != y->key[1]) return x->key[1] < y->key[1] ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

static bool in_order(const struct pt_frame *frame)
{
    for (size_t i = 1; i < frame->n; i++) {
        if (pt_frame_cmp(frame, i - 1, frame, i) >= 0) return false;
    }
    return true;
}

enum pt_code pt_frame_sort(struct pt_frame *frame)
{
    const struct pt_kind *kind = frame->kind;
    if (in_order(frame)) return PT_OK;

    size_t n = frame->n, kept = 0;
    unsigned widest = 1;
    for (unsigned c = 0; c < kind->ncols; c++) {
        if (kind->cols[c].width > widest) widest = kind->cols[c].width;
    }
    struct place *places = malloc(n * sizeof *places);
    int64_t *column = malloc(n * widest * sizeof *column);
    if (!places || !column) {
        free(places);
        free(column);
        return PT_ENOMEM;
    }

    for (size_t i = 0; i < n; i++) {
        places[i].key[0] = frame->val[0][i];
        places[i].key[1] = kind->keys > 1 ? frame->val[1][i] : 0;
        places[i].row = i;
    }
    qsort(places, n, sizeof *places, place_cmp);
    for (size_t i = 0; i < n; i++) {
        bool replaced = i + 1 < n && places[i].key[0] == places[i + 1].key[0] &&
                        places[i].key[1] == places[i + 1].key[1];
        if (!replaced) places[kept++] = places[i];
    }

    for (unsigned c = 0; c < kind->ncols; c++) {
        size_t width = kind->cols[c].width;
        for (size_t i = 0; i < kept; i++)
            memcpy(column + i * width, frame->val[c] + places[i].row * width,
                   width * sizeof *column);
        memcpy(frame->val[c], column, kept * width * sizeof *column);
        if (!frame->dig[c]) continue;
        uint8_t *digits = (uint8_t *)column;
        for (size_t i = 0; i < kept; i++)
            memcpy(digits + i * width, frame->dig[c] + places[i].row * width, width);
        memcpy(frame->dig[c], digits, kept * width);
    }
    frame->n = kept;
    free(places);
    free(column);
    return PT_OK;
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };

/* Block of values whose mantissas all lie within 2^51: int64 -> double by adding the bits of
 * 1.5 * 2^52, which every compiler turns into lanes (there is no such instruction before AVX-512).
 * Mantissa and power of ten are exact doubles, so that one division rounds correctly. */
#define BLOCK 64
static bool block_doubles(const int64_t *val, double power, double *out)
{
    const uint64_t limit = UINT64_C(1) << 51;
    uint64_t high = 0;
    for (size_t i = 0; i < BLOCK; i++) high |= (uint64_t)val[i] + limit;
    if (high >= limit << 1) return false;
    for (size_t i = 0; i < BLOCK; i++) {
        uint64_t bits = (uint64_t)val[i] + UINT64_C(0x4338000000000000);
        double x;
        memcpy(&x, &bits, sizeof x);
        out[i] = (x - 6755399441055744.0) / power;
    }
    return true;
}

static void plain_doubles(const int64_t *val, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = val[i] == PT_MISSING ? (double)NAN : (double)val[i];
}

void pt_column_doubles(const int64_t *val, const uint8_t *dig, size_t n, double *out)
{
    if (n == 0) return;
    if (!dig) {
        plain_doubles(val, n, out);
        return;
    }
    size_t i = 0;
    if (pt_digits_scale(dig[0]) <= 18 && memcmp(dig, dig + 1, n - 1) == 0) {
        double power = powers[pt_digits_scale(dig[0])];
        for (; i + BLOCK <= n; i += BLOCK) {
            if (block_doubles(val + i, power, out + i)) continue;
            for (size_t k = i; k < i + BLOCK; k++) out[k] = pt_dec_double(val[k], dig[k]);
        }
    }
    for (; i < n; i++) out[i] = pt_dec_double(val[i], dig[i]);
}

void pt_frame_doubles(const struct pt_frame *frame, unsigned col, size_t from, size_t n,
                      double *out)
{
    const uint8_t *dig = frame->dig[col];
    pt_column_doubles(frame->val[col] + from, dig ? dig + from : NULL, n, out);
}
