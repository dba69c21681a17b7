#include "num/forest.h"

#include "num/rng.h"
#include "num/wide.h"

/* A tree is a complete binary tree in an array, so that a walk needs no pointers and no end: where
 * fewer cuts set a row apart, all places below carry its path, and the cuts in between do not
 * matter.
 *
 *              1                 cut[1 .. 2^levels - 1]
 *          2       3
 *        4   5   6   7           path[node - 2^levels]
 *
 * Nodes are made level by level, from the left; each draws a feature, another one while all its
 * rows have the same value of it, and then a place. */

/* What growing a tree needs beside the tree itself. */
struct growth {
    const struct pt_forest *forest;
    const double *const *x;
    struct pt_rng rng;
    double *sample;         /* [features][samples] */
    double *mean_path;      /* c(k), [samples + 1] */
    uint32_t *rows, *swaps; /* rows that are there, [used]; to undo a draw, [samples] */
    uint16_t *at, *right;   /* places in the sample, by node, [samples]; work, [samples] */
    uint16_t *from, *to;    /* of at: what has come to a node, [2^(levels + 1)] */
    size_t order[PT_FOREST_FEATURES_MAX];
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t levels_of(size_t samples)
{
    size_t levels = 0;
    while ((size_t)1 << levels < samples) levels++;
    return levels;
}

/* ---- room ------------------------------------------------------------------------------------ */

/* The next part of the room, of so many bytes; room NULL: only counted. */
static void *part(double *room, size_t *used, size_t bytes)
{
    void *start = room != NULL ? room + *used : NULL;
    *used += (bytes + sizeof(double) - 1) / sizeof(double);
    return start;
}

static size_t lay_out(struct pt_forest *forest, struct growth *g, double *room)
{
    size_t used = 0, psi = forest->samples, places = (size_t)1 << forest->levels;
    size_t nodes = forest->trees * places;
    forest->cut = part(room, &used, nodes * sizeof *forest->cut);
    forest->path = part(room, &used, nodes * sizeof *forest->path);
    forest->feature = part(room, &used, nodes * sizeof *forest->feature);
    g->sample = part(room, &used, forest->features * psi * sizeof *g->sample);
    g->mean_path = part(room, &used, (psi + 1) * sizeof *g->mean_path);
    g->rows = part(room, &used, forest->used * sizeof *g->rows);
    g->swaps = part(room, &used, psi * sizeof *g->swaps);
    g->at = part(room, &used, psi * sizeof *g->at);
    g->right = part(room, &used, psi * sizeof *g->right);
    g->from = part(room, &used, 2 * places * sizeof *g->from);
    g->to = part(room, &used, 2 * places * sizeof *g->to);
    return used;
}

static struct pt_forest shape(const struct pt_forest_plan *plan, size_t used)
{
    size_t samples = least(plan->samples, used);
    return (struct pt_forest){ .features = plan->features,
                               .trees = plan->trees,
                               .used = used,
                               .samples = samples,
                               .levels = levels_of(samples) };
}

size_t pt_forest_room(const struct pt_forest_plan *plan, size_t rows)
{
    struct pt_forest forest = shape(plan, rows);
    struct growth g;
    return lay_out(&forest, &g, NULL);
}

/* ---- growing --------------------------------------------------------------------------------- */

/* Puts `samples` rows, drawn without repetition, into the sample. The swaps of the draw (Fisher &
 * Yates, as pt_rng_sample) are taken back, so that a tree costs no walk over all the rows. */
static void draw(struct growth *g)
{
    size_t psi = g->forest->samples, used = g->forest->used;
    for (size_t i = 0; i < psi; i++) {
        size_t other = i + (size_t)pt_rng_below(&g->rng, used - i);
        uint32_t row = g->rows[other];
        g->rows[other] = g->rows[i];
        g->rows[i] = row;
        g->swaps[i] = (uint32_t)other;
    }
    for (size_t f = 0; f < g->forest->features; f++)
        for (size_t i = 0; i < psi; i++) g->sample[f * psi + i] = g->x[f][g->rows[i]];
    for (size_t i = psi; i-- > 0;) {
        uint32_t row = g->rows[i];
        g->rows[i] = g->rows[g->swaps[i]];
        g->rows[g->swaps[i]] = row;
    }
}

/* Lowest and highest of the column at these places; n > 0. Two chains, one would wait for itself.
 */
static void extremes(const double *column, const uint16_t *at, size_t n, double *low, double *high)
{
    double l[2] = { column[at[0]], column[at[n - 1]] }, h[2] = { l[0], l[1] };
    for (size_t i = 0; i + 1 < n; i += 2) {
        for (size_t k = 0; k < 2; k++) {
            double v = column[at[i + k]];
            l[k] = v < l[k] ? v : l[k];
            h[k] = v > h[k] ? v : h[k];
        }
    }
    *low = l[0] < l[1] ? l[0] : l[1];
    *high = h[0] > h[1] ? h[0] : h[1];
}

/* Draws a feature that is not the same for all at these places, and a place to cut it: low <= cut <
 * high, so that both sides get something. False where all features are the same. */
static bool choose(struct growth *g, const uint16_t *at, size_t n, size_t *feature, double *cut)
{
    size_t features = g->forest->features;
    for (size_t k = 0; k < features; k++) {
        size_t other = k + (size_t)pt_rng_below(&g->rng, features - k), f = g->order[other];
        g->order[other] = g->order[k];
        g->order[k] = f;
        double low, high;
        extremes(g->sample + f * g->forest->samples, at, n, &low, &high);
        if (!(low < high)) continue;
        double u = pt_rng_uniform(&g->rng),
               place = low * (1 - u) + high * u; /* high - low may be infinite */
        *feature = f;
        *cut = place >= low && place < high ? place : low;
        return true;
    }
    return false;
}

/* What is not above the cut to the front; returns how many. */
static size_t divide(const double *column, double cut, uint16_t *at, size_t n, uint16_t *right)
{
    size_t left = 0, above = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t place = at[i];
        bool over = column[place] > cut;
        at[left] = right[above] = place;
        left += !over;
        above += over;
    }
    if (above > 0) memcpy(at + left, right, above * sizeof *at);
    return left;
}

/* All places below the node have this path. */
static void end_at(const struct pt_forest *forest, size_t node, size_t level, double path,
                   double *paths)
{
    size_t below = forest->levels - level, first = (node << below) - ((size_t)1 << forest->levels);
    for (size_t i = 0; i < (size_t)1 << below; i++) paths[first + i] = path;
}

static void grow(struct growth *g, size_t tree)
{
    const struct pt_forest *forest = g->forest;
    size_t psi = forest->samples, places = (size_t)1 << forest->levels;
    double *cuts = forest->cut + tree * places, *paths = forest->path + tree * places;
    uint8_t *features = forest->feature + tree * places;
    for (size_t f = 0; f < forest->features; f++) g->order[f] = f;
    for (size_t i = 0; i < psi; i++) g->at[i] = (uint16_t)i;
    g->from[1] = 0;
    g->to[1] = (uint16_t)psi;
    cuts[0] = features[0] = 0;
    for (size_t level = 0, node = 1; level <= forest->levels; level++) {
        for (; node < (size_t)2 << level; node++) {
            size_t from = g->from[node], n = g->to[node] - from, f = 0;
            uint16_t *at = g->at + from;
            double cut = 0;
            bool ends = n < 2 || level == forest->levels || !choose(g, at, n, &f, &cut);
            if (ends && n > 0) end_at(forest, node, level, (double)level + g->mean_path[n], paths);
            if (level == forest->levels) continue;
            size_t left = ends ? 0 : divide(g->sample + f * psi, cut, at, n, g->right);
            cuts[node] = cut;
            features[node] = (uint8_t)f;
            g->from[2 * node] = (uint16_t)from;
            g->to[2 * node] = g->from[2 * node + 1] = (uint16_t)(from + left);
            g->to[2 * node + 1] = (uint16_t)(from + (ends ? left : n));
        }
    }
}

static size_t rows_there(const double *const *x, size_t features, size_t n, uint32_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool there = true;
        for (size_t f = 0; f < features; f++) there &= pt_there(x[f][i]);
        if (there && rows != NULL) rows[count] = (uint32_t)i;
        count += there;
    }
    return count;
}

void pt_forest_fit(struct pt_forest *forest, const struct pt_forest_plan *plan,
                   const double *const *x, size_t rows, double *room)
{
    struct growth g = { .forest = forest, .x = x };
    *forest = shape(plan, rows_there(x, plan->features, rows, NULL));
    lay_out(forest, &g, room);
    rows_there(x, plan->features, rows, g.rows);
    double harmonic = 0; /* H(k - 1) */
    for (size_t k = 0; k <= forest->samples; k++) {
        double d = (double)k;
        g.mean_path[k] = k < 2 ? 0 : 2 * (harmonic += 1 / (d - 1)) - 2 * (d - 1) / d;
    }
    forest->scale = g.mean_path[forest->samples];
    for (size_t tree = 0; tree < forest->trees && forest->samples > 1; tree++) {
        pt_rng_seed(&g.rng, plan->seed, tree);
        draw(&g);
        grow(&g, tree);
    }
}

/* ---- walking --------------------------------------------------------------------------------- */

/* Rows side by side, so that one does not wait for another's loads; a block of them stays in the
 * nearest cache while the trees pass by. */
enum { TOGETHER = 8, BLOCK = 2048 };

/* Adds the paths of one tree. x: [rows][features]; rows a multiple of TOGETHER. */
static void walk(const struct pt_forest *forest, size_t tree, const double *x, size_t rows,
                 double *sums)
{
    size_t places = (size_t)1 << forest->levels, stride = forest->features;
    const double *cut = forest->cut + tree * places, *path = forest->path + tree * places;
    const uint8_t *feature = forest->feature + tree * places;
    for (size_t i = 0; i < rows; i += TOGETHER) {
        const double *row = x + i * stride;
        size_t node[TOGETHER];
        for (size_t k = 0; k < TOGETHER; k++) node[k] = 1;
        for (size_t level = 0; level < forest->levels; level++)
            for (size_t k = 0; k < TOGETHER; k++)
                node[k] = 2 * node[k] + (row[k * stride + feature[node[k]]] > cut[node[k]]);
        for (size_t k = 0; k < TOGETHER; k++) sums[i + k] += path[node[k] - places];
    }
}

void pt_forest_path(const struct pt_forest *forest, const double *const *x, size_t rows,
                    double *out)
{
    double block[BLOCK], sums[BLOCK];
    uint32_t at[BLOCK];
    size_t features = forest->features, most = BLOCK / features / TOGETHER * TOGETHER;
    pt_fill_missing(out, rows);
    if (forest->samples < 2) return;
    for (size_t i = 0, n; i < rows;) {
        for (n = 0; n < most && i < rows; i++) {
            bool there = true;
            for (size_t f = 0; f < features; f++)
                there &= pt_there(block[n * features + f] = x[f][i]);
            at[n] = (uint32_t)i;
            n += there;
        }
        size_t up = (n + TOGETHER - 1) / TOGETHER * TOGETHER;
        for (size_t k = n * features; k < up * features; k++) block[k] = 0; /* rows of nobody */
        for (size_t k = 0; k < up; k++) sums[k] = 0;
        for (size_t tree = 0; tree < forest->trees; tree++) walk(forest, tree, block, up, sums);
        for (size_t k = 0; k < n; k++) out[at[k]] = sums[k] / (double)forest->trees;
    }
}

/* 2^-x for 0 <= x < 1000, to an ulp or two. exp2() of the C library has other last bits on a
 * processor with fused multiply-add. */
static double half_power(double x)
{
    const double ln2 = 0x1.62e42fefa39efp-1;
    int whole = (int)(x + 0.5);
    double t = ((double)whole - x) * ln2, sum = 1; /* |t| < 0.35: 14 terms of e^t */
    for (int k = 14; k > 0; k--) sum = 1 + sum * t / k;
    return ldexp(sum, -whole);
}

void pt_forest_score(const struct pt_forest *forest, const double *const *x, size_t rows,
                     double *out)
{
    pt_forest_path(forest, x, rows, out);
    for (size_t i = 0; i < rows; i++)
        if (pt_there(out[i])) out[i] = half_power(out[i] / forest->scale);
}
