/* matrix.h - a symmetric matrix as a result document holds it.                  [layer: data]
 *
 * BSON binary of user subtype 0x80: one byte for the type, then the cells of the upper triangle
 * with its diagonal, row after row, little-endian. 500 symbols: 125,250 cells, 1.0 MB of decimals
 * or 0.5 MB of counts, a tenth of what documents in documents would take. Whose rows they are is
 * said beside it: the document's list `symbols`. A cell that cannot be had is NaN; counts are all
 * there. */
#ifndef PT_MATRIX_H
#define PT_MATRIX_H

#include "data/doc.h"

enum pt_matrix_type { PT_MATRIX_DECIMAL = 1, PT_MATRIX_COUNT = 2 };

/* Packs cells, [n * n] row after row; of counts whole numbers below 2^32 are expected. False: no
 * memory. */
bool pt_matrix_append(bson_t *doc, const char *key, enum pt_matrix_type type, const double *cells,
                      size_t n);

/* A view of a packed one; valid as long as its document. */
struct pt_matrix {
    enum pt_matrix_type type;
    size_t n;
    const uint8_t *cells;
};
/* False when the value is none. */
bool pt_matrix_view(const bson_iter_t *iter, struct pt_matrix *matrix);
double pt_matrix_get(const struct pt_matrix *matrix, size_t i, size_t j); /* i, j < n */
void pt_matrix_json_cell(const struct pt_matrix *matrix, size_t i, size_t j, struct pt_json *json);

#endif
