/* The ring is a byte array indexed by two counters that only grow: `tail` (bytes ever written) and
 * `head` (bytes ever given back). A record is a header of 16 bytes and its message, rounded up to
 * 16, and lies at counter modulo capacity. It is always contiguous: behind the capacity stand as
 * many spare bytes as the longest record has, so that the last record before the edge runs over it
 *
 *     |.......hhhmmmmm|mmm      |      the next record starts here: tail modulo capacity
 *      ^^^            ^capacity         (the bytes it skips at the front are the ones used behind)
 *
 * and no marker, no second part and no dead end exists.
 *
 * Sleeping: each side publishes its own counter and then reads the other's, both sequentially
 * consistent, so at least one of them sees the other's step (Dekker). Either the producer sees that
 * the consumer had taken everything and rings, or the consumer sees the new record before it
 * sleeps. */
#include "base/ring.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BYTES_MIN 4096u
#define ALIGN 16u
#define CACHE_LINE 64

struct record {
    uint64_t tag;
    uint64_t len;
};

struct pt_ring {
    char *data;
    size_t capacity; /* power of two */
    int ready_fd;    /* rung by the producer */
    int room_fd;     /* rung by the consumer when `wanted` bytes are free */
    alignas(CACHE_LINE) _Atomic uint64_t tail;
    alignas(CACHE_LINE) _Atomic uint64_t head;
    alignas(CACHE_LINE) _Atomic uint64_t wanted; /* 0: the producer does not wait */
};

static size_t record_bytes(size_t len)
{
    return (sizeof(struct record) + len + ALIGN - 1) / ALIGN * ALIGN;
}

enum pt_code pt_ring_new(size_t bytes, struct pt_ring **ring, struct pt_err *err)
{
    *ring = NULL;
    size_t capacity = BYTES_MIN;
    while (capacity < bytes && capacity <= SIZE_MAX / 4) capacity *= 2;
    if (capacity < bytes) return pt_fail(err, PT_ERANGE, "ring of %zu bytes: too large", bytes);

    struct pt_ring *self = aligned_alloc(CACHE_LINE, sizeof *self);
    if (self == NULL) return pt_fail(err, PT_ENOMEM, "ring: no memory");
    memset(self, 0, sizeof *self);
    self->capacity = capacity;
    self->ready_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    self->room_fd = self->ready_fd < 0 ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->room_fd < 0) {
        enum pt_code rc = pt_fail(err, PT_EIO, "ring: eventfd: %s", strerror(errno));
        pt_ring_free(self);
        return rc;
    }
    self->data = aligned_alloc(CACHE_LINE, capacity + record_bytes(capacity / 2) + CACHE_LINE -
                                               ALIGN); /* a multiple of the line */
    if (self->data == NULL) {
        pt_ring_free(self);
        return pt_fail(err, PT_ENOMEM, "ring of %zu bytes: no memory", capacity);
    }
    *ring = self;
    return PT_OK;
}

void pt_ring_free(struct pt_ring *ring)
{
    if (ring == NULL) return;
    if (ring->ready_fd >= 0) close(ring->ready_fd);
    if (ring->room_fd >= 0) close(ring->room_fd);
    free(ring->data);
    free(ring);
}

int pt_ring_fd(const struct pt_ring *ring)
{
    return ring->ready_fd;
}

/* An eventfd write fails only at 2^64 - 1 unread rings, and then it is readable anyway. */
static void ring_fd(int fd)
{
    const uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void clear_fd(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

static bool has_room(struct pt_ring *ring, size_t need)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t head = atomic_load(&ring->head);
    return ring->capacity - (size_t)(tail - head) >= need;
}

bool pt_ring_push(struct pt_ring *ring, uint64_t tag, const void *bytes, size_t len)
{
    if (len > ring->capacity / 2) return false;
    size_t need = record_bytes(len);
    if (!has_room(ring, need)) return false;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    char *at = ring->data + (tail & (ring->capacity - 1));
    struct record record = { tag, len };
    memcpy(at, &record, sizeof record);
    if (len > 0) memcpy(at + sizeof record, bytes, len);
    atomic_store(&ring->tail, tail + need);
    if (atomic_load(&ring->head) == tail) ring_fd(ring->ready_fd); /* it was empty */
    return true;
}

bool pt_ring_wait_room(struct pt_ring *ring, size_t len, int timeout_ms)
{
    if (len > ring->capacity / 2) return false;
    size_t need = record_bytes(len);
    int64_t until = timeout_ms < 0 ? INT64_MAX : pt_mono_us() + (int64_t)timeout_ms * 1000;
    bool room = has_room(ring, need);
    while (!room) {
        int64_t left_ms = -1;
        if (timeout_ms >= 0) {
            int64_t left_us = until - pt_mono_us();
            if (left_us <= 0) break;
            left_ms = (left_us + 999) / 1000;
        }
        atomic_store(&ring->wanted, need);
        room = has_room(ring, need); /* the consumer may have popped before it could see `wanted` */
        if (room) break;
        struct pollfd pfd = { .fd = ring->room_fd, .events = POLLIN };
        poll(&pfd, 1, (int)left_ms);
        clear_fd(ring->room_fd);
        room = has_room(ring, need);
    }
    atomic_store(&ring->wanted, 0);
    return room;
}

bool pt_ring_peek(struct pt_ring *ring, uint64_t *tag, const void **bytes, size_t *len)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (atomic_load(&ring->tail) == head) return false;
    const char *at = ring->data + (head & (ring->capacity - 1));
    struct record record;
    memcpy(&record, at, sizeof record);
    *tag = record.tag;
    *bytes = at + sizeof record;
    *len = (size_t)record.len;
    return true;
}

void pt_ring_pop(struct pt_ring *ring)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (atomic_load(&ring->tail) == head) return;
    struct record record;
    memcpy(&record, ring->data + (head & (ring->capacity - 1)), sizeof record);
    atomic_store(&ring->head, head + record_bytes((size_t)record.len));
    uint64_t wanted = atomic_load(&ring->wanted);
    if (wanted == 0) return;
    if (ring->capacity - pt_ring_used(ring) >= wanted) ring_fd(ring->room_fd);
}

void pt_ring_drained(struct pt_ring *ring)
{
    clear_fd(ring->ready_fd);
}

size_t pt_ring_used(const struct pt_ring *ring)
{
    /* head first: the other way round it could have passed the tail that was read */
    uint64_t head = atomic_load(&ring->head);
    uint64_t tail = atomic_load(&ring->tail);
    uint64_t used = tail - head;
    return used < ring->capacity ? (size_t)used : ring->capacity;
}
