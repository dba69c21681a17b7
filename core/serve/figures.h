/* figures.h - what an HTTP thread counts of its requests, for /metrics.         [layer: serve]
 * Read by any thread, written by one only, so a count is a relaxed load and store, never a locked
 * instruction. */
#ifndef PT_FIGURES_H
#define PT_FIGURES_H

#include "serve/request.h"

#include <stdatomic.h>

#define PT_ROUTES_MAX 40 /* rows of the route table and one for everything else */

enum { PT_STATUSES = 16, PT_DURATION_STEPS = 12, PT_SIZE_STEPS = 5 };
extern const int pt_statuses[PT_STATUSES];                /* the last, 0, stands for any other */
extern const double pt_duration_steps[PT_DURATION_STEPS]; /* seconds */
extern const double pt_size_steps[PT_SIZE_STEPS];         /* bytes */

struct pt_route_figures {
    atomic_uint_fast64_t status[PT_STATUSES];
    atomic_uint_fast64_t duration[PT_DURATION_STEPS + 1], duration_ns;
    atomic_uint_fast64_t in[PT_SIZE_STEPS + 1], in_bytes;
    atomic_uint_fast64_t out[PT_SIZE_STEPS + 1], out_bytes;
};

struct pt_figures {
    struct pt_route_figures route[PT_ROUTES_MAX][PT_METHODS];
    atomic_uint_fast64_t cache_hits, cache_same,
        cache_misses; /* answered as kept; after a look at the inputs; made */
};

/* Row of a route (NULL: everything else) in pt_figures.route. */
size_t pt_figures_row(const struct pt_route *route);

/* One answered request. */
void pt_figures_count(struct pt_figures *figures, const struct pt_route *route,
                      enum pt_method method, int status, int64_t spent_ns, size_t bytes_in,
                      size_t bytes_out);

static inline void pt_figure_add(atomic_uint_fast64_t *figure, uint64_t n)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

#endif
