#include "num/present.h"

#include "num/wide.h"

void pt_present_init(struct pt_present *p, unsigned columns, const double *const *in, size_t n)
{
    p->columns = columns;
    p->n = n;
    p->rows = p->from = p->to = 0;
    p->whole = true;
    for (unsigned c = 0; c < columns; c++) p->in[c] = p->col[c] = in[c];
}

/* Gathers rows that are there into `held`, without a branch on the data. */
static size_t gather(struct pt_present *p, size_t *end)
{
    size_t rows = 0, i = p->from;
    for (; i < p->n && rows < PT_CHUNK; i++) {
        bool there = true;
        for (unsigned c = 0; c < p->columns; c++) {
            double x = p->in[c][i];
            p->held[c][rows] = x;
            there &= pt_there(x);
        }
        p->row[rows] = i;
        rows += there;
    }
    *end = i;
    return rows;
}

size_t pt_present_next(struct pt_present *p)
{
    p->from = p->to;
    size_t rows = p->n - p->from < PT_CHUNK ? p->n - p->from : PT_CHUNK;
    p->whole = true;
    for (unsigned c = 0; c < p->columns && p->whole; c++) {
        p->col[c] = p->in[c] + p->from;
        p->whole = pt_wide()->count(p->col[c], rows) == rows;
    }
    if (p->whole) {
        p->to = p->from + rows;
        return p->rows = rows;
    }
    size_t i;
    rows = gather(p, &i);
    for (unsigned c = 0; c < p->columns; c++) p->col[c] = p->held[c];
    if (rows > 0) p->to = i; /* else the rest is missing: it stays before us for pt_present_end */
    return p->rows = rows;
}

double *pt_present_room(const struct pt_present *p, double *out, double *room)
{
    return p->whole ? out + p->from : room;
}

void pt_present_put(const struct pt_present *p, const double *values, double *out)
{
    if (p->whole) return;
    pt_fill_missing(out + p->from, p->to - p->from);
    for (size_t k = 0; k < p->rows; k++) out[p->row[k]] = values[k];
}

void pt_present_end(const struct pt_present *p, double *out)
{
    pt_fill_missing(out + p->to, p->n - p->to);
}
