#include "serve/figures.h"

#include "serve/route.h"

const int pt_statuses[PT_STATUSES] = { 200, 204, 304, 400, 401, 403, 404, 405,
                                       409, 413, 415, 422, 500, 501, 503, 0 };
/* the original's steps from 0.1 s on, and finer ones, because ours are mostly under a millisecond
 */
const double pt_duration_steps[PT_DURATION_STEPS] = { 0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1,
                                                      0.25,   0.5,    1.0,   2.5,   5.0,   10.0 };
const double pt_size_steps[PT_SIZE_STEPS] = { 1e2, 1e3, 1e4, 1e5, 1e6 };

size_t pt_figures_row(const struct pt_route *route)
{
    return route != NULL ? (size_t)(route - pt_routes) + 1 : 0;
}

static size_t step_of(const double *steps, size_t n, double v)
{
    size_t i = 0;
    while (i < n && v > steps[i]) i++;
    return i;
}

static size_t status_row(int status)
{
    size_t i = 0;
    while (pt_statuses[i] != 0 && pt_statuses[i] != status) i++;
    return i;
}

void pt_figures_count(struct pt_figures *figures, const struct pt_route *route,
                      enum pt_method method, int status, int64_t spent_ns, size_t bytes_in,
                      size_t bytes_out)
{
    struct pt_route_figures *row = &figures->route[pt_figures_row(route)][method];
    pt_figure_add(&row->status[status_row(status)], 1);
    pt_figure_add(
        &row->duration[step_of(pt_duration_steps, PT_DURATION_STEPS, (double)spent_ns / 1e9)], 1);
    pt_figure_add(&row->duration_ns, (uint64_t)spent_ns);
    pt_figure_add(&row->in[step_of(pt_size_steps, PT_SIZE_STEPS, (double)bytes_in)], 1);
    pt_figure_add(&row->in_bytes, bytes_in);
    pt_figure_add(&row->out[step_of(pt_size_steps, PT_SIZE_STEPS, (double)bytes_out)], 1);
    pt_figure_add(&row->out_bytes, bytes_out);
}
