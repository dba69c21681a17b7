/* prng.h - random numbers that are the same in every run: splitmix64. */
#ifndef PT_TEST_PRNG_H
#define PT_TEST_PRNG_H

#include <stdint.h>

static inline uint64_t prng_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline unsigned prng_below(uint64_t *state, unsigned n)
{
    return (unsigned)(prng_next(state) % n);
}

#endif
