#include "num/rank.h"

#include <string.h>

#include "num/panel_impl.h"

/* Doubles as integers of the same order; 0 and -0 are one. */
static uint64_t key_of(double x)
{
    uint64_t bits, sign = (uint64_t)1 << 63;
    if (x == 0) x = 0;
    memcpy(&bits, &x, sizeof(bits));
    return (bits & sign) != 0 ? ~bits : bits | sign;
}

/* Counting sort on each byte, the lowest first; a byte that all have in common is passed over. */
size_t pt_rank_order(const double *x, size_t n, struct pt_rank_key *work, uint32_t *order)
{
    enum { BYTES = 8, VALUES = 256 };
    size_t m = 0, counts[BYTES][VALUES] = { { 0 } };
    struct pt_rank_key *from = work, *to = work + n;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(x[i])) continue;
        uint64_t key = key_of(x[i]);
        for (unsigned b = 0; b < BYTES; b++) counts[b][key >> (8 * b) & 255]++;
        from[m++] = (struct pt_rank_key){ key, (uint32_t)i };
    }
    for (unsigned b = 0; b < BYTES && m > 0; b++) {
        if (counts[b][from[0].key >> (8 * b) & 255] == m) continue;
        for (size_t v = 0, at = 0; v < VALUES; v++) {
            size_t here = counts[b][v];
            counts[b][v] = at;
            at += here;
        }
        for (size_t k = 0; k < m; k++) to[counts[b][from[k].key >> (8 * b) & 255]++] = from[k];
        struct pt_rank_key *t = from;
        from = to;
        to = t;
    }
    for (size_t k = 0; k < m; k++) order[k] = from[k].row;
    return m;
}

void pt_rank_average(const double *x, size_t n, const uint32_t *order, size_t count, double *out)
{
    pt_fill_missing(out, n);
    for (size_t k = 0, end; k < count; k = end) {
        for (end = k + 1; end < count && x[order[end]] == x[order[k]];) end++;
        double rank = 0.5 * (double)(k + 1 + end);
        for (size_t i = k; i < end; i++) out[order[i]] = rank;
    }
}

double pt_rank_spearman(const struct pt_ranked *x, const struct pt_ranked *y, double *ranks,
                        size_t *used)
{
    size_t n = 0;
    for (size_t k = 0; k < x->count; k++) n += pt_there(y->x[x->order[k]]);
    if (used != NULL) *used = n;
    double xx = 0, yy = 0, xy = 0, middle = 0.5 * (double)(n + 1);
    const struct pt_ranked *side[2] = { x, y };
    for (int s = 0; s < 2; s++) {
        const struct pt_ranked *own = side[s], *other = side[1 - s];
        size_t before = 0;
        for (size_t k = 0, end; k < own->count; k = end) {
            double value = own->x[own->order[k]];
            size_t ties = 0;
            for (end = k; end < own->count && own->x[own->order[end]] == value; end++)
                ties += pt_there(other->x[own->order[end]]);
            double d = (double)before + 0.5 * (double)(ties + 1) - middle;
            before += ties;
            *(s == 0 ? &xx : &yy) += (double)ties * d * d;
            for (size_t i = k; i < end; i++) {
                uint32_t row = own->order[i];
                if (s == 0)
                    ranks[row] = d;
                else if (pt_there(other->x[row]))
                    xy += ranks[row] * d;
            }
        }
    }
    if (n < 2 || !(xx > 0 && yy > 0)) return NAN;
    double r = xy / sqrt(xx * yy);
    return r > 1 ? 1 : (r < -1 ? -1 : r);
}

/* Complete series: their ranks make a panel of their own. */
static enum pt_code of_whole(const struct pt_panel *panel, const struct pt_ranked *ranked,
                             size_t need, double *matrix, struct pt_err *err)
{
    size_t n = panel->series, m = 0;
    enum pt_code rc = PT_OK;
    size_t *at = pt_panel_room(n, sizeof(*at));
    const double **columns = NULL;
    double *cells = NULL, *part = NULL;
    for (size_t i = 0; at != NULL && i < n; i++)
        if (ranked[i].count == panel->rows) at[m++] = i;
    columns = calloc(m + 1, sizeof(*columns));
    cells = pt_panel_room(m * panel->rows, sizeof(*cells));
    part = pt_panel_room(m * m, sizeof(*part));
    if (at == NULL || columns == NULL || cells == NULL || part == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "no room for the ranks of %zu series x %zu rows", n,
                     panel->rows);
        goto out;
    }
    for (size_t k = 0; k < m; k++) {
        const struct pt_ranked *r = &ranked[at[k]];
        columns[k] = cells + k * panel->rows;
        pt_rank_average(r->x, panel->rows, r->order, r->count, cells + k * panel->rows);
    }
    rc = pt_panel_pearson(&(struct pt_panel){ columns, m, panel->rows }, need, part, NULL, err);
    for (size_t i = 0; rc == PT_OK && i < m; i++)
        for (size_t j = 0; j < m; j++) matrix[at[i] * n + at[j]] = part[i * m + j];
out:
    free(at);
    free(columns);
    free(cells);
    free(part);
    return rc;
}

enum pt_code pt_panel_spearman(const struct pt_panel *panel, size_t min_overlap, double *matrix,
                               uint32_t *overlap, struct pt_err *err)
{
    size_t n = panel->series, rows = panel->rows, need = min_overlap > 2 ? min_overlap : 2, used;
    struct pt_rank_key *work = NULL;
    struct pt_ranked *ranked = NULL;
    uint32_t *orders = NULL;
    double *ranks = NULL;
    enum pt_code rc = pt_panel_limits(panel, err);
    if (rc != PT_OK) return rc;
    work = pt_panel_room(2 * rows, sizeof(*work));
    ranked = calloc(n + 1, sizeof(*ranked));
    orders = pt_panel_room(n * rows, sizeof(*orders));
    ranks = pt_panel_room(rows, sizeof(*ranks));
    if (work == NULL || ranked == NULL || orders == NULL || ranks == NULL) {
        rc = pt_fail(err, PT_ENOMEM, "no room for the ranks of %zu series x %zu rows", n, rows);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        size_t count = pt_rank_order(panel->x[i], rows, work, orders + i * rows);
        ranked[i] = (struct pt_ranked){ panel->x[i], orders + i * rows, count };
    }
    rc = of_whole(panel, ranked, need, matrix, err);
    for (size_t i = 0; rc == PT_OK && i < n; i++) {
        for (size_t j = i; j < n; j++) {
            used = rows;
            if (ranked[i].count < rows || ranked[j].count < rows) {
                double r = pt_rank_spearman(&ranked[i], &ranked[j], ranks, &used);
                matrix[i * n + j] = matrix[j * n + i] = used >= need ? r : NAN;
            }
            if (overlap != NULL) overlap[i * n + j] = overlap[j * n + i] = (uint32_t)used;
        }
    }
out:
    free(work);
    free(ranked);
    free(orders);
    free(ranks);
    return rc;
}
