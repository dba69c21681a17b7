/* blas.h - the functions of OpenBLAS that panels use.                    [layer: num, internal]
 *
 * The library is opened when it is first needed: mapping its 36 MB takes 2.5 ms, twice as long as
 * all else that a worker does to start, and most processes never multiply a matrix. */
#ifndef PT_BLAS_H
#define PT_BLAS_H

#include <cblas.h>
#include <stddef.h>

#include "base/err.h"

struct pt_blas {
    void (*dsyrk)(enum CBLAS_ORDER order, enum CBLAS_UPLO triangle, enum CBLAS_TRANSPOSE transpose,
                  blasint n, blasint k, double alpha, const double *a, blasint lda, double beta,
                  double *c, blasint ldc);
    /* LAPACK, inside OpenBLAS; the last two are the lengths of the letters, as Fortran passes them.
     */
    void (*dsyevd)(const char *job, const char *triangle, const blasint *n, double *a,
                   const blasint *lda, double *values, double *work, const blasint *work_len,
                   blasint *iwork, const blasint *iwork_len, blasint *info, size_t job_len,
                   size_t triangle_len);
    void (*set_num_threads)(int threads);
    char *(*get_config)(void);
    char *(*get_corename)(void);
};

/* Opened once a process, by whichever thread comes first. NULL with err (PT_EIO): it is not there.
 */
const struct pt_blas *pt_blas(struct pt_err *err);

#endif
