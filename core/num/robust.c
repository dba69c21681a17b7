#include "num/robust.h"

#include "num/vec.h"
#include "num/wide.h"

enum {
    SMALL = 24,  /* insertion sort below */
    CROWD = 256, /* values that are not gone through twice */
    SAMPLE = 48,
    AROUND = 7 /* places of the sample to each side */
};

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

static void insertion_sort(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double v = x[i];
        size_t k = i;
        for (; k > 0 && x[k - 1] > v; k--) x[k] = x[k - 1];
        x[k] = v;
    }
}

static void sift(double *x, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && x[child + 1] > x[child]) child++;
        if (x[root] >= x[child]) return;
        swap(&x[root], &x[child]);
    }
}

static void heap_sort(double *x, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) sift(x, i, n);
    for (size_t end = n; end-- > 1;) {
        swap(&x[0], &x[end]);
        sift(x, 0, end);
    }
}

/* Hoare's partition about the median of first, middle and last: x[0 .. at] <= x[at + 1 .. n - 1],
 * both not empty. n >= 3. */
static size_t split(double *x, size_t n)
{
    size_t mid = n / 2;
    if (x[mid] < x[0]) swap(&x[mid], &x[0]);
    if (x[n - 1] < x[mid]) swap(&x[n - 1], &x[mid]);
    if (x[mid] < x[0]) swap(&x[mid], &x[0]);
    double pivot = x[mid];
    size_t low = 0, high = n - 1;
    for (;;) {
        while (x[low] < pivot) low++;
        while (x[high] > pivot) high--;
        if (low >= high) break;
        swap(&x[low++], &x[high--]);
    }
    return high < n - 1 ? high : n - 2;
}

static unsigned depth_of(size_t n)
{
    unsigned depth = 4;
    for (; n > 0; n /= 2) depth += 2;
    return depth;
}

void pt_robust_sort(double *x, size_t n)
{
    struct {
        double *x;
        size_t n;
        unsigned depth;
    } later[64]; /* the longer half waits: at most one a bit of n */
    size_t waiting = 0;
    unsigned depth = depth_of(n);
    for (;;) {
        while (n > SMALL && depth > 0) {
            depth--;
            size_t left = split(x, n) + 1, right = n - left;
            bool keep_left = left < right;
            later[waiting].x = keep_left ? x + left : x;
            later[waiting].n = keep_left ? right : left;
            later[waiting++].depth = depth;
            x = keep_left ? x : x + left;
            n = keep_left ? left : right;
        }
        if (n > SMALL)
            heap_sort(x, n); /* bad pivots, or an input made against us: it costs no more */
        else
            insertion_sort(x, n);
        if (waiting == 0) return;
        waiting--;
        x = later[waiting].x;
        n = later[waiting].n;
        depth = later[waiting].depth;
    }
}

/* Puts the k-th smallest at x[k], none greater before it, none less after it. k < n. */
static void select_rank(double *x, size_t n, size_t k)
{
    for (unsigned depth = depth_of(n); n > SMALL && depth > 0; depth--) {
        size_t left = split(x, n) + 1;
        if (k < left) {
            n = left;
        } else {
            x += left;
            n -= left;
            k -= left;
        }
    }
    if (n > SMALL)
        heap_sort(x, n);
    else
        insertion_sort(x, n);
}

/* Of many values only those between two bounds can be the k-th or the one after it: leaves these in
 * front, in their order, and returns how many; *k becomes the place among them. The bounds are
 * places of a sorted sample about where the k-th should be (Floyd & Rivest 1975), and what lies
 * below and between them is counted before anything moves: where the sample has misled, all n
 * stay. */
static size_t narrow(double *x, size_t n, size_t *k)
{
    double sample[SAMPLE];
    for (size_t i = 0; i < SAMPLE; i++) sample[i] = x[i * n / SAMPLE];
    insertion_sort(sample, SAMPLE);
    size_t place = *k * SAMPLE / n, below, above;
    double low = place < AROUND ? -INFINITY : sample[place - AROUND];
    double high = place + AROUND < SAMPLE ? sample[place + AROUND] : INFINITY;
    pt_wide()->outside(x, n, low, high, &below, &above);
    if (*k < below || *k + 1 >= n - above) return n;
    *k -= below;
    return pt_wide()->between(x, n, low, high);
}

/* The k-th smallest of n > k values that are all there; *next: the one after it, where there is
 * one. Their order, and some of them, are lost. */
static double pick(double *x, size_t n, size_t k, double *next)
{
    for (size_t before = 0; n > CROWD && n != before;) {
        before = n;
        n = narrow(x, n, &k);
    }
    select_rank(x, n, k);
    if (k + 1 < n) *next = x[k + 1];
    for (size_t i = k + 2; i < n; i++) *next = x[i] < *next ? x[i] : *next;
    return x[k];
}

/* Quantile of n > 0 values that are all there. */
static double quantile_of(double *x, size_t n, double q)
{
    double rank = q * (double)(n - 1), next = 0;
    size_t k = (size_t)rank;
    double share = rank - (double)k, found = pick(x, n, k, &next);
    return share > 0 ? found + share * (next - found) : found;
}

static double median_of(double *x, size_t n)
{
    double next = 0, found = pick(x, n, (n - 1) / 2, &next);
    return n % 2 != 0 ? found : 0.5 * found + 0.5 * next;
}

double pt_robust_median(const double *x, size_t n, double *work)
{
    size_t m = pt_vec_compact(x, n, work);
    return m > 0 ? median_of(work, m) : NAN;
}

double pt_robust_mad(const double *x, size_t n, double *work, double *median)
{
    size_t m = pt_vec_compact(x, n, work);
    double middle = m > 0 ? median_of(work, m) : NAN;
    if (median != NULL) *median = middle;
    if (m == 0) return NAN;
    pt_vec_compact(x, n, work); /* they are not all there any more */
    for (size_t i = 0; i < m; i++) work[i] = fabs(work[i] - middle);
    return median_of(work, m);
}

double pt_robust_mean_deviation(const double *x, size_t n, double centre)
{
    double sum = 0, lost = 0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(x[i])) continue;
        double d = fabs(x[i] - centre), next = sum + d;
        lost += sum >= d ? (sum - next) + d : (d - next) + sum;
        sum = next;
        m++;
    }
    return m > 0 ? (sum + lost) / (double)m : NAN;
}

double pt_robust_quantile(const double *x, size_t n, double q, double *work)
{
    if (!(q >= 0 && q <= 1)) return NAN;
    size_t m = pt_vec_compact(x, n, work);
    return m > 0 ? quantile_of(work, m, q) : NAN;
}

double pt_robust_weighted_quantile(const double *x, const double *weight, size_t n, double q,
                                   double *work)
{
    double all = 0;
    size_t m = 0;
    if (!(q >= 0 && q <= 1)) return NAN;
    for (size_t i = 0; i < n; i++) {
        if (!pt_there(x[i]) || !pt_there(weight[i]) || !(weight[i] > 0)) continue;
        work[m++] = x[i];
        all += weight[i];
    }
    if (m == 0) return NAN;
    pt_robust_sort(work, m);
    /* the first of the values, in order, that has enough weight below and at it */
    size_t low = 0, high = m - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double below = 0;
        for (size_t i = 0; i < n; i++) {
            bool counts = pt_there(weight[i]) && weight[i] > 0 && x[i] <= work[middle];
            if (counts && pt_there(x[i])) below += weight[i];
        }
        if (below >= q * all)
            high = middle;
        else
            low = middle + 1;
    }
    return work[low];
}

double pt_robust_rank(const double *x, size_t n, double value)
{
    size_t m = 0, below = 0;
    if (!pt_there(value)) return NAN;
    for (size_t i = 0; i < n; i++) {
        bool there = pt_there(x[i]);
        m += there;
        below += there && x[i] <= value;
    }
    return m > 0 ? (double)below / (double)m : NAN;
}
