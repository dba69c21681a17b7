/* inputs.h - what the results of a unit rest on, as one number.                [layer: flow] */
#ifndef PT_INPUTS_H
#define PT_INPUTS_H

#include "flow/pool.h"
#include "store/store.h"

/* A digest of the unit, of the scripts that it runs (versions, parameters in force and asked) and
 * of the series that these may look at, up to close_us, the as_of that it would have (PT_MISSING:
 * no bar is closed). As long as the digest stays, the unit gives the same but for computed_at,
 * unless something of it failed (struct pt_unit_result). 0: cannot be told, or not worth it (order
 * books change faster than anybody asks). Any thread. */
uint64_t pt_unit_inputs(struct pt_read *read, struct pt_scripts *scripts,
                        const struct pt_unit *unit, int64_t close_us);

#endif
