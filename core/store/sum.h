/* sum.h - the checksum of the store: xxh3 of 64 bits, as fast as the machine can. [layer: store] */
#ifndef PT_STORE_SUM_H
#define PT_STORE_SUM_H

#include <stdint.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h> /* picks the widest path at run time; the result is the same */
#else
#include <xxhash.h>
#endif

static inline uint64_t pt_sum(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

#endif
