/* lanes.h - the inner loops of reading a chunk, in as many lanes as the machine has. [layer: store]
 * All paths give the same bits: integers, and quotients that are correctly rounded. */
#ifndef PT_STORE_LANES_H
#define PT_STORE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_lanes {
    const char *name;
    /* n values of `width` bytes (1, 2, 4) at any alignment: out = base + delta; with `missing` the
     * greatest delta gives PT_MISSING. */
    void (*ints)(const uint8_t *in, size_t n, unsigned width, uint64_t base, bool missing,
                 int64_t *out);
    /* out = (base + delta) / power, correctly rounded; with `missing` the greatest delta gives NaN.
     * |base| <= PT_LANES_BASE_MAX; power: 10^0 .. 10^18. */
    void (*doubles)(const uint8_t *in, size_t n, unsigned width, int64_t base, bool missing,
                    double power, double *out);
    /* The same for n int64 at any alignment; false, and out is rubbish, when one is
     * PT_LANES_BASE_MAX or more from 0 (so when one is missing). */
    bool (*whole)(const uint8_t *in, size_t n, double power, double *out);
};

#define PT_LANES_BASE_MAX (INT64_C(1) << 51)

/* Path number i, 0 = the one every machine has; NULL when this machine lacks it or i is past the
 * end. */
const struct pt_lanes *pt_lanes_path(unsigned i);
#define PT_LANES_PATHS 3
/* The widest path of this machine. */
const struct pt_lanes *pt_lanes(void);

#endif
