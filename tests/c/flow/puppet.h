/* puppet.h - the strings of feed_puppet: a feed that delivers what a test, in the same process,
 * puts here. */
#ifndef PT_PUPPET_H
#define PT_PUPPET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PUPPET_MESSAGES 40000

struct puppet {
    char *messages[PUPPET_MESSAGES]; /* message i has the tag i + 1 */
    atomic_size_t ready;             /* so many may be delivered */
    atomic_uint_fast64_t pushed, acked, refused;
    atomic_bool opened, drained, closed, fail_open, hang; /* hang: in drain */
    void (*on_acked)(uint64_t tag);                       /* on the writer thread; may be NULL */
    const char *ask_symbol;                               /* asked with last_candle at open */
    int64_t ask_period_us, asked_us;
    int64_t number, span, size; /* options as they came in */
    bool flag;
    char text[64];
};

#endif
