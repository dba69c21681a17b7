/* rng.h - random numbers that come out the same everywhere.                    [layer: num]
 * xoshiro256** (Blackman & Vigna 2018), seeded by splitmix64. Not for secrets. State is the
 * caller's. */
#ifndef PT_RNG_H
#define PT_RNG_H

#include <stddef.h>
#include <stdint.h>

struct pt_rng {
    uint64_t s[4];
};

/* Any seed will do. stream: an index (tree, draw, bar): independent sequences of one seed, in any
 * order. */
void pt_rng_seed(struct pt_rng *rng, uint64_t seed, uint64_t stream);
uint64_t pt_rng_next(struct pt_rng *rng);
/* [0, 1), 53 bits. */
double pt_rng_uniform(struct pt_rng *rng);
/* 0 .. bound - 1, without bias (Lemire 2019); 0 when bound is 0. */
uint64_t pt_rng_below(struct pt_rng *rng, uint64_t bound);
/* Mean 0, deviation 1: Marsaglia's polar method, log from libm. */
double pt_rng_normal(struct pt_rng *rng);
/* Puts k of 0 .. n-1, chosen without repetition, into the first k of index: [n], filled by this
 * call. k <= n. */
void pt_rng_sample(struct pt_rng *rng, size_t k, size_t n, size_t *index);

#endif
