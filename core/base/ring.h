/* ring.h - a bounded queue of byte messages between one producer and one consumer thread. [layer: base]
 * Lock-free; a full ring refuses (the producer decides what to do), nothing is ever overwritten.
 * The consumer sleeps on an eventfd that the producer rings only when the ring was empty. */
#ifndef PT_RING_H
#define PT_RING_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pt_ring;

/* bytes: capacity, rounded up to a power of two (at least 4096). */
enum pt_code pt_ring_new(size_t bytes, struct pt_ring **ring, struct pt_err *err);
void pt_ring_free(struct pt_ring *ring); /* accepts NULL */
int pt_ring_fd(const struct pt_ring *ring); /* readable while there may be something to read */

/* Producer: copies one message in. False when it does not fit now. tag: the producer's own number
 * (a sequence to acknowledge by). len <= capacity / 2, else false for ever. */
bool pt_ring_push(struct pt_ring *ring, uint64_t tag, const void *bytes, size_t len);
/* Producer: waits until there is room for len bytes or timeout_ms passed (< 0: for ever); true when
 * there is room. False at once for a len that never fits. */
bool pt_ring_wait_room(struct pt_ring *ring, size_t len, int timeout_ms);

/* Consumer: borrows the oldest message; valid until pt_ring_pop. False when empty. */
bool pt_ring_peek(struct pt_ring *ring, uint64_t *tag, const void **bytes, size_t *len);
void pt_ring_pop(struct pt_ring *ring);
/* Consumer: clears the eventfd. Call it before draining, and then peek until the ring is empty before
 * sleeping again: what is left in it does not ring. */
void pt_ring_drained(struct pt_ring *ring);
size_t pt_ring_used(const struct pt_ring *ring); /* bytes, for metrics */

#endif
