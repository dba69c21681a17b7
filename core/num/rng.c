#include "num/rng.h"

#include <math.h>

/* splitmix64's output function (Steele, Lea & Flood 2014): a bijection that scatters close inputs.
 */
static uint64_t scatter(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void pt_rng_seed(struct pt_rng *rng, uint64_t seed, uint64_t stream)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    /* stream 0 is plain splitmix64 seeding; the others start at places of its cycle that look
     * random */
    uint64_t state = stream == 0 ? seed : seed ^ scatter(stream * golden);
    for (int i = 0; i < 4; i++) rng->s[i] = scatter(state += golden);
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t pt_rng_next(struct pt_rng *rng)
{
    uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double pt_rng_uniform(struct pt_rng *rng)
{
    return (double)(pt_rng_next(rng) >> 11) * 0x1p-53;
}

uint64_t pt_rng_below(struct pt_rng *rng, uint64_t bound)
{
    if (bound == 0) return 0;
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)pt_rng_next(rng) * bound;
    if ((uint64_t)product < bound) { /* only here a remainder could favour some results */
        uint64_t unfair = (0 - bound) % bound;
        while ((uint64_t)product < unfair) product = (wide)pt_rng_next(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

double pt_rng_normal(struct pt_rng *rng)
{
    for (;;) {
        double u = 2 * pt_rng_uniform(rng) - 1, v = 2 * pt_rng_uniform(rng) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1)
            return u * sqrt(-2 * log(s) / s); /* v is thrown away: no hidden state */
    }
}

void pt_rng_sample(struct pt_rng *rng, size_t k, size_t n, size_t *index)
{
    for (size_t i = 0; i < n; i++) index[i] = i;
    for (size_t i = 0; i < k; i++) { /* Fisher & Yates, the first k steps */
        size_t other = i + (size_t)pt_rng_below(rng, n - i), t = index[i];
        index[i] = index[other];
        index[other] = t;
    }
}
