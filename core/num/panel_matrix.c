/* What is read from a correlation matrix: eigenvalues, repair, shrinkage. */
#include <string.h>

#include "num/blas.h"
#include "num/panel_impl.h"

double pt_panel_mean(const double *matrix, size_t series)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < series; i++) {
        double row = 0; /* row by row, so that rounding does not add up */
        for (size_t j = i + 1; j < series; j++) {
            double r = matrix[i * series + j];
            if (!pt_there(r)) continue;
            row += r;
            count++;
        }
        sum += row;
    }
    return count > 0 ? sum / (double)count : NAN;
}

enum pt_code pt_panel_eigen(const double *matrix, size_t series, double *values, double *vectors,
                            struct pt_err *err)
{
    if (series == 0) return PT_OK;
    if (series > PT_PANEL_SERIES)
        return pt_fail(err, PT_ERANGE, "eigenvalues of %zu series; at most %d", series,
                       PT_PANEL_SERIES);
    const struct pt_blas *blas = pt_blas(err);
    if (blas == NULL) return PT_EIO;
    blasint n = (blasint)series, info = 0;
    size_t need = vectors != NULL ? 1 + 6 * series + 2 * series * series : 2 * series + 1;
    size_t need_int = vectors != NULL ? 3 + 5 * series : 1;
    /* without vectors more room makes the reduction go by blocks */
    if (vectors == NULL) need += 64 * series;
    blasint work_len = (blasint)need, iwork_len = (blasint)need_int;
    double *room = vectors, *work = pt_panel_room(need, sizeof(*work));
    blasint *iwork = pt_panel_room(need_int, sizeof(*iwork));
    if (vectors == NULL) room = pt_panel_room(series * series, sizeof(*room));
    enum pt_code rc = PT_OK;
    if (work == NULL || iwork == NULL || room == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "no room for the eigenvalues of %zu series", series);
        goto out;
    }
    memcpy(room, matrix, series * series * sizeof(*room));
    blas->dsyevd(vectors != NULL ? "V" : "N", "U", &n, room, &n, values, work, &work_len, iwork,
                 &iwork_len, &info, 1, 1);
    if (info != 0)
        rc =
            pt_fail(err, PT_EINVAL, "eigenvalues of %zu series: dsyevd says %d", series, (int)info);
out:
    if (vectors == NULL) free(room);
    free(work);
    free(iwork);
    return rc;
}

/* Series that stay when those with most missing entries are left out one by one. */
static enum pt_code whole_part(const double *matrix, size_t n, size_t *kept, size_t *count,
                               struct pt_err *err)
{
    size_t *missing = calloc(n + 1, sizeof(*missing)), left = n;
    if (missing == NULL) return pt_fail(err, PT_ENOMEM, "no room for %zu series", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) missing[i] += !pt_there(matrix[i * n + j]);
    for (;;) {
        size_t worst = n;
        for (size_t i = 0; i < n; i++)
            if (missing[i] != SIZE_MAX && missing[i] > 0 &&
                (worst == n || missing[i] > missing[worst]))
                worst = i;
        if (worst == n) break;
        missing[worst] = SIZE_MAX;
        left--;
        for (size_t i = 0; i < n; i++)
            if (missing[i] != SIZE_MAX) missing[i] -= !pt_there(matrix[i * n + worst]);
    }
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (missing[i] != SIZE_MAX) kept[(*count)++] = i;
    free(missing);
    return *count == left ? PT_OK : pt_fail(err, PT_EINVAL, "the matrix is not symmetric");
}

/* a - its negative part, brought back to a unit diagonal. vectors: [n * n], spoilt. */
static void clip(double *a, size_t n, const double *values, double *vectors)
{
    const struct pt_blas *blas = pt_blas(NULL); /* it gave the eigenvalues */
    size_t negative = 0;
    for (; negative < n && values[negative] < 0; negative++)
        for (size_t i = 0; i < n; i++) vectors[negative * n + i] *= sqrt(-values[negative]);
    blas->dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (blasint)n, (blasint)negative, 1, vectors,
                (blasint)n, 1, a, (blasint)n);
    for (size_t i = 0; i < n; i++) vectors[i] = sqrt(a[i * n + i]); /* at least 1 */
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++)
            a[i * n + j] = a[j * n + i] = a[i * n + j] / (vectors[i] * vectors[j]);
        a[i * n + i] = 1;
    }
}

enum pt_code pt_panel_repair(double *matrix, size_t series, struct pt_panel_spectrum *out,
                             size_t *kept, struct pt_err *err)
{
    const double tolerance = -1e-10;
    size_t *at = kept, n = 0;
    double *part = NULL, *values = NULL, *vectors = NULL;
    enum pt_code rc = PT_OK;
    *out = (struct pt_panel_spectrum){ 0, NAN, NAN, false };
    if (series == 0) return PT_OK;
    if (at == NULL) at = pt_panel_room(series, sizeof(*at));
    part = pt_panel_room(series * series, sizeof(*part));
    values = pt_panel_room(series, sizeof(*values));
    if (at == NULL || part == NULL || values == NULL) goto full;
    rc = whole_part(matrix, series, at, &n, err);
    if (rc != PT_OK || n == 0) goto out;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) part[i * n + j] = matrix[at[i] * series + at[j]];
    rc = pt_panel_eigen(part, n, values, NULL, err);
    if (rc != PT_OK) goto out;
    out->lowest = values[0];
    if (values[0] < tolerance) {
        vectors = pt_panel_room(n * n, sizeof(*vectors));
        if (vectors == NULL) goto full;
        rc = pt_panel_eigen(part, n, values, vectors, err);
        if (rc != PT_OK) goto out;
        clip(part, n, values, vectors);
        rc = pt_panel_eigen(part, n, values, NULL, err);
        if (rc != PT_OK) goto out;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) matrix[at[i] * series + at[j]] = part[i * n + j];
        out->repaired = true;
    }
    out->kept = n;
    out->first_share = values[n - 1] / (double)n;
    goto out;
full:
    rc = pt_fail(err, PT_ENOMEM, "no room to repair a matrix of %zu series", series);
out:
    if (kept == NULL) free(at);
    free(part);
    free(values);
    free(vectors);
    return rc;
}
