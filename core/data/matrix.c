/* matrix.c - symmetric matrices packed into result documents. */
#include "data/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUBTYPE BSON_SUBTYPE_USER

static size_t cell_bytes(enum pt_matrix_type type)
{
    return type == PT_MATRIX_COUNT ? sizeof(uint32_t) : sizeof(double);
}

/* Place of (i, j), i <= j, in the triangle. */
static size_t place(size_t n, size_t i, size_t j)
{
    return i * n - i * (i + 1) / 2 + j;
}

bool pt_matrix_append(bson_t *doc, const char *key, enum pt_matrix_type type, const double *cells,
                      size_t n)
{
    size_t size = cell_bytes(type), bytes = 1 + n * (n + 1) / 2 * size;
    uint8_t *packed = bytes <= UINT32_MAX ? malloc(bytes) : NULL, *to = packed;
    if (!packed) return false;
    *to++ = (uint8_t)type;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++, to += size) {
            double x = cells[i * n + j];
            uint32_t count = (uint32_t)x;
            if (type == PT_MATRIX_COUNT)
                count = BSON_UINT32_TO_LE(count), memcpy(to, &count, size);
            else
                x = BSON_DOUBLE_TO_LE(x), memcpy(to, &x, size);
        }
    }
    bool good = bson_append_binary(doc, key, -1, SUBTYPE, packed, (uint32_t)bytes);
    free(packed);
    return good;
}

bool pt_matrix_view(const bson_iter_t *iter, struct pt_matrix *matrix)
{
    bson_subtype_t subtype;
    uint32_t len = 0;
    const uint8_t *bytes = NULL;
    if (!BSON_ITER_HOLDS_BINARY(iter)) return false;
    bson_iter_binary(iter, &subtype, &len, &bytes);
    if (subtype != SUBTYPE || len < 1 || !bytes || *bytes < PT_MATRIX_DECIMAL ||
        *bytes > PT_MATRIX_COUNT)
        return false;
    enum pt_matrix_type type = (enum pt_matrix_type) * bytes;
    size_t cells = (len - 1) / cell_bytes(type);
    size_t n = (size_t)((sqrt(8 * (double)cells + 1) - 1) / 2 + 0.5);
    if (n * (n + 1) / 2 * cell_bytes(type) != len - 1) return false;
    *matrix = (struct pt_matrix){ type, n, bytes + 1 };
    return true;
}

double pt_matrix_get(const struct pt_matrix *matrix, size_t i, size_t j)
{
    size_t at = i <= j ? place(matrix->n, i, j) : place(matrix->n, j, i);
    uint32_t count;
    double x;
    if (matrix->type == PT_MATRIX_COUNT) {
        memcpy(&count, matrix->cells + at * sizeof count, sizeof count);
        return BSON_UINT32_FROM_LE(count);
    }
    memcpy(&x, matrix->cells + at * sizeof x, sizeof x);
    return BSON_DOUBLE_FROM_LE(x);
}

void pt_matrix_json_cell(const struct pt_matrix *matrix, size_t i, size_t j, struct pt_json *json)
{
    double x = pt_matrix_get(matrix, i, j);
    if (matrix->type == PT_MATRIX_COUNT)
        pt_json_int(json, (int64_t)x);
    else
        pt_json_number_text(json, x); /* NaN is null */
}
