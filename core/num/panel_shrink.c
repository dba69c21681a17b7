/* Ledoit-Wolf shrinkage, and the small figures of a panel. */
#include <string.h>

#include "num/panel_impl.h"

/* Marks the rows that are there in all series; how many. */
static size_t whole_rows(const struct pt_panel *panel, uint8_t *there)
{
    size_t count = 0;
    memset(there, panel->series > 0, panel->rows);
    for (size_t i = 0; i < panel->series; i++)
        for (size_t t = 0; t < panel->rows; t++) there[t] = there[t] && pt_there(panel->x[i][t]);
    for (size_t t = 0; t < panel->rows; t++) count += there[t];
    return count;
}

/* beta / delta of Ledoit & Wolf for z of unit diagonal: r = z z' (upper triangle), z scaled so that
 * the squares of a series sum to 1. With n rows and p series, their standardised values are z
 * sqrt(n), mu = 1, and
 *     delta^2 = (sum r^2 - p) / p,  beta^2 = (n sum_t (sum_i z_it^2)^2 - sum r^2) / (p n). */
static double shrinkage(const struct pt_panel *panel, const struct pt_panel_own *own,
                        const double *r, double *z, double *squares)
{
    double p = (double)panel->series, n = (double)panel->rows, norm = p, fourth = 0;
    for (size_t i = 0; i < panel->series; i++) {
        double row = 0;
        for (size_t j = i + 1; j < panel->series; j++)
            row += r[i * panel->series + j] * r[i * panel->series + j];
        norm += 2 * row;
    }
    memset(squares, 0, panel->rows * sizeof(*squares));
    for (size_t i = 0; i < panel->series; i++) {
        pt_wide()->standard(panel->x[i], panel->rows, own[i].mean, own[i].scale, z);
        for (size_t t = 0; t < panel->rows; t++) squares[t] += z[t] * z[t];
    }
    for (size_t t = 0; t < panel->rows; t++) fourth += squares[t] * squares[t];
    double delta = (norm - p) / p, beta = (n * fourth - norm) / (p * n);
    if (beta < 0) beta = 0; /* rounding */
    return beta < delta ? beta / delta : (delta > 0 ? 1 : 0);
}

static void shrink(double *matrix, size_t n, double by)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++)
            matrix[i * n + j] = matrix[j * n + i] = (1 - by) * matrix[i * n + j];
        matrix[i * n + i] = pt_there(by) ? 1 : NAN;
    }
}

enum pt_code pt_panel_ledoit_wolf(const struct pt_panel *panel, double *intensity,
                                  size_t *rows_used, double *matrix, struct pt_err *err)
{
    size_t n = panel->series, rows = panel->rows;
    struct pt_panel_own *own = NULL;
    double *cells = NULL, *work = NULL, *r = matrix;
    const double **columns = NULL;
    uint8_t *there = NULL;
    struct pt_panel whole = *panel;
    bool spread = true;
    *intensity = NAN;
    enum pt_code rc = pt_panel_limits(panel, err);
    if (rc != PT_OK) goto out;
    there = pt_panel_room(rows, 1);
    if (r == NULL) r = pt_panel_room(n * n, sizeof(*r));
    own = calloc(n + 1, sizeof(*own));
    columns = calloc(n + 1, sizeof(*columns));
    work = pt_panel_room(2 * rows, sizeof(*work));
    if (there == NULL || r == NULL || own == NULL || columns == NULL || work == NULL) goto full;
    whole.rows = whole_rows(panel, there);
    if (rows_used != NULL) *rows_used = whole.rows;
    if (whole.rows < rows) {
        cells = pt_panel_room(n * whole.rows, sizeof(*cells));
        if (cells == NULL) goto full;
        for (size_t i = 0; i < n; i++) {
            double *to = cells + i * whole.rows;
            columns[i] = to;
            for (size_t t = 0; t < rows; t++)
                if (there[t]) *to++ = panel->x[i][t];
        }
        whole.x = columns;
    }
    for (size_t i = 0; i < n; i++) {
        pt_panel_own(whole.x[i], whole.rows, &own[i]);
        spread = spread && own[i].scale > 0;
    }
    memset(r, 0, n * n * sizeof(*r));
    if (n > 0 && spread && whole.rows >= PT_PANEL_LEDOIT_ROWS) {
        rc = pt_panel_product(&whole, own, r, NULL, err);
        if (rc == PT_OK) *intensity = shrinkage(&whole, own, r, work, work + rows);
    }
    if (rc == PT_OK && matrix != NULL) shrink(matrix, n, *intensity);
    goto out;
full:
    rc = pt_fail(err, PT_ENOMEM, "no room for a panel of %zu series x %zu rows", n, rows);
out:
    if (r != matrix) free(r);
    free(there);
    free(own);
    free(columns);
    free(work);
    free(cells);
    return rc;
}

struct pt_interval pt_panel_fisher(double r, size_t n)
{
    struct pt_interval none = { NAN, NAN };
    if (n <= 3 || !(fabs(r) <= 1)) return none;
    double z = atanh(r), half = 1.959964 / sqrt((double)(n - 3));
    return (struct pt_interval){ tanh(z - half), tanh(z + half) };
}

struct pt_breadth pt_panel_breadth(const struct pt_panel *close, size_t width)
{
    struct pt_breadth b = { .above_pct = NAN, .advancing_pct = NAN, .advance_decline = NAN };
    for (size_t i = 0; i < close->series && close->rows > 0; i++) {
        const double *x = close->x[i];
        double sum = 0, last = x[close->rows - 1];
        size_t found = 0;
        for (size_t t = close->rows; t-- > 0 && found < width;) {
            if (!pt_there(x[t])) continue;
            sum += last - x[t]; /* exactly 0 where nothing moved, as no mean of tenths is */
            found++;
        }
        if (!pt_there(last) || found < width || width == 0) continue;
        double before = close->rows > 1 ? x[close->rows - 2] : NAN;
        if (!pt_there(before)) before = last; /* neither */
        b.count++;
        b.above += sum > 0;
        b.advancing += last > before;
        b.declining += last < before;
    }
    if (b.count == 0) return b;
    b.above_pct = 100 * (double)b.above / (double)b.count;
    b.advancing_pct = 100 * (double)b.advancing / (double)b.count;
    b.advance_decline = (double)b.advancing - (double)b.declining;
    return b;
}
