/* Correlation matrices by one product.
 *
 *     x (series x rows)  -> z = (x - own mean) * own scale, 0 where missing     a block of rows
 *     R = z z'                                                            dsyrk, block by block
 *
 * Where nothing is missing, R is the answer. A pair with gaps needs means and scales of its own
 * rows; R is still its sum of products, and since each z sums to 0 and its squares to 1 over its
 * own rows, the sums over the pair's rows are what the gaps of the other one take away:
 *
 *     sum of z_i where j is there = 0 - sum of z_i where j is missing           panel_gaps.c
 *
 * Gaps are few: 500 x 2160 with 1 % missing takes half as long again as without, where products of
 * masks take six times as long. Blocks of rows keep z small: 500 series take 1.5 MB, with gaps 9
 * MB, however long they are. */
#include <string.h>

#include "num/blas.h"
#include "num/moment.h"
#include "num/panel_impl.h"

/* Rows of a block: where there are gaps a block costs a pass over what they take away. */
enum { ROWS = 384, ROWS_GAPS = 2304 };
enum { TILE = 32 };

enum pt_code pt_panel_blas_check(struct pt_err *err)
{
    const struct pt_blas *blas = pt_blas(err);
    if (blas == NULL) return PT_EIO;
    const char *config = blas->get_config();
    if (strstr(config, "USE_OPENMP") == NULL) return PT_OK;
    return pt_fail(
        err, PT_EVERSION,
        "OpenBLAS is built on OpenMP (%s), which hangs after fork; choose the pthread one: "
        "update-alternatives --config libopenblas.so.0-x86_64-linux-gnu",
        config);
}

void pt_panel_blas_one_thread(void)
{
    const struct pt_blas *blas = pt_blas(NULL);
    if (blas != NULL) blas->set_num_threads(1);
}

enum pt_code pt_panel_blas_warm(struct pt_err *err)
{
    double matrix[4], values[2], vectors[4];
    static const double a[] = { 0, 1, 2 }, b[] = { 2, 1, 3 };
    const double *const x[] = { a, b };
    const struct pt_panel panel = { x, 2, 3 };
    enum pt_code rc = pt_panel_pearson(&panel, 2, matrix, NULL, err);
    return rc == PT_OK ? pt_panel_eigen(matrix, 2, values, vectors, err) : rc;
}

const char *pt_panel_blas_core(void)
{
    const struct pt_blas *blas = pt_blas(NULL);
    return blas != NULL ? blas->get_corename() : "none";
}

enum pt_code pt_panel_limits(const struct pt_panel *panel, struct pt_err *err)
{
    if (panel->series <= PT_PANEL_SERIES && panel->rows <= PT_PANEL_ROWS) return PT_OK;
    return pt_fail(err, PT_ERANGE, "a panel of %zu series x %zu rows; at most %d x %d",
                   panel->series, panel->rows, PT_PANEL_SERIES, PT_PANEL_ROWS);
}

void pt_panel_own(const double *x, size_t rows, struct pt_panel_own *own)
{
    double sum, squares;
    *own = (struct pt_panel_own){ .mean = { pt_first_there(x, rows), 0 } };
    own->count = pt_wide()->squares(x, rows, own->mean, &sum, &squares);
    if (own->count < 2) return;
    own->mean.shift = sum / (double)own->count;
    pt_wide()->squares(x, rows, own->mean, &sum, &squares);
    squares -= sum * sum / (double)own->count;
    if (squares > 0 && pt_there(squares)) own->scale = 1 / sqrt(squares);
}

/* Asks for a column's rows before they are needed: blocks are too short for the processor to guess.
 */
static void fetch(const double *x, size_t rows)
{
    for (size_t t = 0; t < rows; t += 8) __builtin_prefetch(x + t);
}

enum pt_code pt_panel_product(const struct pt_panel *panel, const struct pt_panel_own *own,
                              double *matrix, struct pt_gaps *gaps, struct pt_err *err)
{
    size_t n = panel->series, block = gaps != NULL ? ROWS_GAPS : ROWS;
    const struct pt_blas *blas = pt_blas(err);
    if (blas == NULL) return PT_EIO;
    if (block > panel->rows) block = panel->rows;
    size_t stride = ((block + 7) & ~(size_t)7) + 8; /* never whole pages: they share cache sets */
    double *z = pt_panel_room(n * stride, sizeof(double));
    if (z == NULL) return pt_fail(err, PT_ENOMEM, "no room for %zu series x %zu rows", n, block);
    if (panel->rows == 0) memset(matrix, 0, n * n * sizeof(double));
    for (size_t from = 0; n > 0 && from < panel->rows; from += block) {
        size_t rows = panel->rows - from < block ? panel->rows - from : block;
        for (size_t i = 0; i < n; i++) {
            const double *x = panel->x[i] + from;
            if (i + 1 < n) fetch(panel->x[i + 1] + from, rows);
            pt_wide()->standard(x, rows, own[i].mean, own[i].scale, z + i * stride);
            if (gaps != NULL) pt_gaps_pick(gaps, i, x, rows);
        }
        blas->dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (blasint)n, (blasint)rows, 1, z,
                    (blasint)stride, from > 0, matrix, (blasint)n);
        if (gaps != NULL) pt_gaps_add(gaps, z, stride, rows);
    }
    free(z);
    return PT_OK;
}

/* Sums of a pair with gaps. */
static struct pt_pair pair_of(const struct pt_gaps *gaps, const struct pt_panel_own *own, size_t i,
                              size_t j, double product)
{
    struct pt_pair p = { (double)own[i].count, 0, 0, 1, 1, product };
    size_t a = gaps->at[j], b = gaps->at[i];
    if (a != SIZE_MAX) {
        p.x -= gaps->sum[a * gaps->series + i];
        p.xx -= gaps->squares[a * gaps->series + i];
        p.n -= gaps->pairs[a * gaps->series + i];
    }
    if (b != SIZE_MAX) {
        p.y -= gaps->sum[b * gaps->series + j];
        p.yy -= gaps->squares[b * gaps->series + j];
    }
    return p;
}

static double entry(const struct pt_panel *panel, const struct pt_panel_own *own,
                    const struct pt_gaps *gaps, size_t need, size_t i, size_t j, double product,
                    size_t *pairs)
{
    *pairs = panel->rows;
    bool whole = own[i].count == panel->rows && own[j].count == panel->rows;
    struct pt_pair p = { 0 };
    if (!whole) {
        p = pair_of(gaps, own, i, j, product);
        *pairs = (size_t)p.n;
    }
    if (*pairs < need || !(own[i].scale > 0 && own[j].scale > 0)) return NAN;
    double r = product > 1 ? 1 : (product < -1 ? -1 : product);
    if (!whole && !pt_pair_correlation(&p, &r))
        return pt_moment_pearson(panel->x[i], panel->x[j], panel->rows, NULL);
    return r;
}

/* Rows i of a tile, in the columns behind the diagonal. */
static void finish_tile(const struct pt_panel *panel, const struct pt_panel_own *own,
                        const struct pt_gaps *gaps, size_t need, size_t ti, size_t tj,
                        double *matrix, uint32_t *overlap)
{
    size_t n = panel->series, pairs;
    for (size_t i = ti; i < n && i < ti + TILE; i++) {
        for (size_t j = tj > i ? tj : i + 1; j < n && j < tj + TILE; j++) {
            matrix[i * n + j] = entry(panel, own, gaps, need, i, j, matrix[i * n + j], &pairs);
            if (overlap != NULL) overlap[i * n + j] = (uint32_t)pairs;
        }
    }
}

/* The same where nothing is missing and all have a spread. */
static void finish_whole(size_t n, size_t rows, size_t ti, size_t tj, double *matrix,
                         uint32_t *overlap)
{
    for (size_t i = ti; i < n && i < ti + TILE; i++) {
        size_t from = tj > i ? tj : i + 1, end = n < tj + TILE ? n : tj + TILE;
        for (size_t j = from; j < end; j++) {
            double r = matrix[i * n + j];
            r = r > 1 ? 1 : r;
            matrix[i * n + j] = r < -1 ? -1 : r;
        }
        for (size_t j = from; overlap != NULL && j < end; j++) overlap[i * n + j] = (uint32_t)rows;
    }
}

/* Products become correlations, above and below the diagonal, tile by tile: both are at hand. */
static void finish(const struct pt_panel *panel, const struct pt_panel_own *own,
                   const struct pt_gaps *gaps, size_t need, double *matrix, uint32_t *overlap)
{
    size_t n = panel->series;
    bool plain = panel->rows >= need;
    for (size_t i = 0; i < n; i++) {
        plain = plain && own[i].count == panel->rows && own[i].scale > 0;
        matrix[i * n + i] = own[i].count >= need && own[i].scale > 0 ? 1 : NAN;
        if (overlap != NULL) overlap[i * n + i] = (uint32_t)own[i].count;
    }
    for (size_t ti = 0; ti < n; ti += TILE) {
        for (size_t tj = ti; tj < n; tj += TILE) {
            if (plain)
                finish_whole(n, panel->rows, ti, tj, matrix, overlap);
            else
                finish_tile(panel, own, gaps, need, ti, tj, matrix, overlap);
            for (size_t j = tj; j < n && j < tj + TILE; j++) {
                for (size_t i = ti; i < j && i < ti + TILE; i++) {
                    matrix[j * n + i] = matrix[i * n + j];
                    if (overlap != NULL) overlap[j * n + i] = overlap[i * n + j];
                }
            }
        }
    }
}

enum pt_code pt_panel_pearson(const struct pt_panel *panel, size_t min_overlap, double *matrix,
                              uint32_t *overlap, struct pt_err *err)
{
    struct pt_gaps gaps = { 0 };
    struct pt_panel_own *own = NULL;
    bool whole = true;
    enum pt_code rc = pt_panel_limits(panel, err);
    if (rc != PT_OK) goto out;
    own = calloc(panel->series + 1, sizeof(*own));
    if (own == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "no room for a panel of %zu series", panel->series);
        goto out;
    }
    for (size_t i = 0; i < panel->series; i++) {
        pt_panel_own(panel->x[i], panel->rows, &own[i]);
        whole = whole && own[i].count == panel->rows;
    }
    if (!whole) rc = pt_gaps_init(&gaps, panel, own, ROWS_GAPS, err);
    if (rc == PT_OK) rc = pt_panel_product(panel, own, matrix, whole ? NULL : &gaps, err);
    if (rc == PT_OK) finish(panel, own, &gaps, min_overlap > 2 ? min_overlap : 2, matrix, overlap);
out:
    pt_gaps_fini(&gaps);
    free(own);
    return rc;
}
