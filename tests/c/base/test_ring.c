#include "base/ring.h"
#include "prng.h"
#include "suite.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY 4096u

static bool readable(const struct pt_ring *ring, int timeout_ms)
{
    struct pollfd pfd = { .fd = pt_ring_fd(ring), .events = POLLIN };
    return poll(&pfd, 1, timeout_ms) == 1;
}

/* Fills with bytes that depend on tag, so that a torn or shifted message shows. */
static size_t make(uint64_t tag, unsigned char *bytes, size_t most)
{
    uint64_t seed = tag;
    size_t len = prng_below(&seed, (unsigned)most + 1);
    memset(bytes, (int)(seed & 0xff), len);
    if (len > 8) memcpy(bytes + len - 8, &tag, 8);
    return len;
}

static bool take(struct pt_ring *ring, uint64_t tag, size_t most)
{
    static _Thread_local unsigned char expected[CAPACITY];
    size_t expected_len = make(tag, expected, most), len;
    uint64_t got;
    const void *bytes;
    if (!pt_ring_peek(ring, &got, &bytes, &len)) return false;
    bool good = got == tag && len == expected_len && memcmp(bytes, expected, len) == 0;
    pt_ring_pop(ring);
    return good;
}

static struct pt_ring *new_ring(size_t bytes)
{
    struct pt_ring *ring = NULL;
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(pt_ring_new(bytes, &ring, &err), PT_OK);
    return ring;
}

static void test_gives_messages_in_order(void)
{
    struct pt_ring *ring = new_ring(0);
    uint64_t tag;
    const void *bytes;
    size_t len;
    CU_ASSERT_FALSE(pt_ring_peek(ring, &tag, &bytes, &len));
    pt_ring_pop(ring); /* of an empty ring: nothing */
    CU_ASSERT_EQUAL(pt_ring_used(ring), 0);
    CU_ASSERT(pt_ring_push(ring, 7, "seven", 5));
    CU_ASSERT(pt_ring_push(ring, 8, NULL, 0));
    CU_ASSERT(pt_ring_push(ring, UINT64_MAX, "x", 1));
    CU_ASSERT(pt_ring_used(ring) > 6);
    CU_ASSERT_FATAL(pt_ring_peek(ring, &tag, &bytes, &len));
    CU_ASSERT(tag == 7 && len == 5 && memcmp(bytes, "seven", 5) == 0);
    CU_ASSERT(pt_ring_peek(ring, &tag, &bytes, &len) && tag == 7); /* until it is popped */
    pt_ring_pop(ring);
    CU_ASSERT(pt_ring_peek(ring, &tag, &bytes, &len) && tag == 8 && len == 0);
    pt_ring_pop(ring);
    CU_ASSERT(pt_ring_peek(ring, &tag, &bytes, &len) && tag == UINT64_MAX && len == 1);
    pt_ring_pop(ring);
    CU_ASSERT_FALSE(pt_ring_peek(ring, &tag, &bytes, &len));
    CU_ASSERT_EQUAL(pt_ring_used(ring), 0);
    pt_ring_free(ring);
    pt_ring_free(NULL);
}

static void test_refuses_when_full_and_loses_nothing(void)
{
    struct pt_ring *ring = new_ring(CAPACITY);
    unsigned char bytes[CAPACITY];
    uint64_t in = 0, out = 0, refused = 0, seed = 1;
    for (int round = 0; round < 20000; round++) { /* over the edge at every offset */
        for (unsigned burst = prng_below(&seed, 7); burst > 0; burst--) {
            if (pt_ring_push(ring, in, bytes, make(in, bytes, 700))) {
                in++;
            } else {
                refused++;
            }
        }
        for (unsigned i = prng_below(&seed, 7); i > 0 && out < in; i--)
            CU_ASSERT_FATAL(take(ring, out++, 700));
        CU_ASSERT_FATAL(pt_ring_used(ring) <= CAPACITY);
    }
    while (out < in) CU_ASSERT_FATAL(take(ring, out++, 700));
    CU_ASSERT(refused > 100 && in > 10000);
    CU_ASSERT_EQUAL(pt_ring_used(ring), 0);
    pt_ring_free(ring);
}

static void test_half_the_capacity_always_fits_an_empty_ring(void)
{
    struct pt_ring *ring = new_ring(CAPACITY);
    unsigned char bytes[CAPACITY];
    memset(bytes, 'h', sizeof bytes);
    for (size_t i = 0; i < 1000; i++) { /* wherever the last message ended */
        uint64_t tag;
        const void *got;
        size_t len;
        CU_ASSERT_FATAL(pt_ring_push(ring, i, bytes, CAPACITY / 2));
        CU_ASSERT_FATAL(pt_ring_peek(ring, &tag, &got, &len));
        CU_ASSERT_FATAL(len == CAPACITY / 2 && memcmp(got, bytes, len) == 0);
        pt_ring_pop(ring);
        CU_ASSERT_FATAL(pt_ring_push(ring, i, bytes, i % 64));
        pt_ring_pop(ring);
    }
    CU_ASSERT_FALSE(pt_ring_push(ring, 1, bytes, CAPACITY / 2 + 1));
    CU_ASSERT_FALSE(pt_ring_wait_room(ring, CAPACITY / 2 + 1, -1));
    CU_ASSERT_TRUE(pt_ring_wait_room(ring, CAPACITY / 2, 0));
    pt_ring_free(ring);
}

static void test_rounds_the_capacity_up(void)
{
    struct pt_ring *ring = new_ring(CAPACITY + 1);
    static unsigned char bytes[CAPACITY + 1];
    CU_ASSERT_TRUE(pt_ring_push(ring, 0, bytes, CAPACITY));
    CU_ASSERT_FALSE(pt_ring_push(ring, 0, bytes, CAPACITY + 1));
    pt_ring_free(ring);
    struct pt_err err = { .code = PT_OK };
    CU_ASSERT_EQUAL(pt_ring_new(SIZE_MAX, &ring, &err), PT_ERANGE);
    CU_ASSERT(err.code == PT_ERANGE && ring == NULL);
}

static void test_rings_only_when_it_was_empty(void)
{
    struct pt_ring *ring = new_ring(CAPACITY);
    CU_ASSERT_FALSE(readable(ring, 0));
    pt_ring_push(ring, 1, "a", 1);
    CU_ASSERT_TRUE(readable(ring, 0));
    pt_ring_drained(ring);
    CU_ASSERT_FALSE(readable(ring, 0));
    pt_ring_push(ring, 2, "b", 1); /* not empty: the consumer is at work already */
    CU_ASSERT_FALSE(readable(ring, 0));
    pt_ring_pop(ring);
    pt_ring_push(ring, 3, "c", 1);
    CU_ASSERT_FALSE(readable(ring, 0));
    pt_ring_pop(ring);
    pt_ring_pop(ring);
    pt_ring_push(ring, 4, "d", 1);
    CU_ASSERT_TRUE(readable(ring, 0));
    pt_ring_free(ring);
}

static void test_waiting_for_room_ends(void)
{
    struct pt_ring *ring = new_ring(CAPACITY);
    unsigned char bytes[1000] = { 0 };
    while (pt_ring_push(ring, 0, bytes, sizeof bytes)) {
    }
    CU_ASSERT_FALSE(pt_ring_wait_room(ring, sizeof bytes, 0));
    CU_ASSERT_FALSE(pt_ring_wait_room(ring, sizeof bytes, 20));
    pt_ring_pop(ring);
    CU_ASSERT_TRUE(pt_ring_wait_room(ring, sizeof bytes, 20));
    CU_ASSERT_TRUE(pt_ring_push(ring, 0, bytes, sizeof bytes));
    pt_ring_free(ring);
}

/* ---- Two threads ---- */

#define MESSAGES UINT64_C(200000)
#define LONGEST 300u
#define PATIENCE_MS 20000 /* a lost wake-up shows as a failure, not as a test that hangs */

struct sender {
    struct pt_ring *ring;
    bool gave_up;
};

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    unsigned char bytes[LONGEST];
    for (uint64_t tag = 0; tag < MESSAGES; tag++) {
        size_t len = make(tag, bytes, LONGEST);
        while (!pt_ring_push(sender->ring, tag, bytes, len)) {
            if (!pt_ring_wait_room(sender->ring, len, PATIENCE_MS)) {
                sender->gave_up = true;
                return NULL;
            }
        }
    }
    return NULL;
}

static void test_two_threads_lose_nothing(void)
{
    struct sender sender = { .ring = new_ring(CAPACITY) };
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_all, &sender), 0);
    uint64_t next = 0;
    bool good = true;
    while (good && next < MESSAGES && readable(sender.ring, PATIENCE_MS)) {
        uint64_t tag;
        const void *bytes;
        size_t len;
        pt_ring_drained(sender.ring);
        while (good && pt_ring_peek(sender.ring, &tag, &bytes, &len))
            good = take(sender.ring, next++, LONGEST);
    }
    CU_ASSERT_TRUE(good);
    CU_ASSERT_EQUAL(next, MESSAGES);
    pthread_join(thread, NULL); /* after a failure it gives up by itself */
    CU_ASSERT_FALSE(sender.gave_up);
    CU_ASSERT_EQUAL(pt_ring_used(sender.ring), 0);
    pt_ring_free(sender.ring);
}

static CU_TestInfo tests[] = {
    { "gives messages in order", test_gives_messages_in_order },
    { "refuses when full and loses nothing", test_refuses_when_full_and_loses_nothing },
    { "half the capacity always fits an empty ring",
      test_half_the_capacity_always_fits_an_empty_ring },
    { "rounds the capacity up", test_rounds_the_capacity_up },
    { "rings only when it was empty", test_rings_only_when_it_was_empty },
    { "waiting for room ends", test_waiting_for_room_ends },
    { "two threads lose nothing", test_two_threads_lose_nothing },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("ring", tests);
}
