/* wide_body.h - one path: the loops and their table. Included by wide_*.c only.   [layer: num,
 * internal] */
#include "num/wide_order.h"
#include "num/wide_panel.h"
#include "num/wide_roll.h"
#include "num/wide_scan.h"
#include "num/wide_sum.h"
#include "num/wide_trend.h"
#include "num/wide_vec.h"

const struct pt_wide PT_WIDE_TABLE = {
    .name = PT_WIDE_NAME,
    .columns = columns,
    .scalar = scalar,
    .unary = unary,
    .roc = roc,
    .count = count,
    .sum = sum,
    .powers = powers,
    .cross = cross,
    .extremes = extremes,
    .box = box,
    .roll = roll,
    .cutler = cutler,
    .efficiency = efficiency,
    .scan = scan,
    .changes = changes,
    .strength = strength,
    .true_range = true_range,
    .movement = movement,
    .directional = directional,
    .squares = squares,
    .standard = standard,
    .picked = picked,
    .lags = lags,
    .outside = outside,
    .between = between,
    .compact = compact,
    .median = median,
};
