#include "base/sched.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NS 100000 /* the shortest there is */
#define GIVE_WAY 5     /* steps of nice, each a share of 1/1.25 */
#define RESET_ON_FORK 1

/* As sched_setattr(2) has it; glibc knows it since 2.41. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void pt_sched_prompt(pid_t thread)
{
    struct attributes wanted = { .size = sizeof wanted,
                                 .policy = SCHED_OTHER,
                                 .flags = RESET_ON_FORK,
                                 .nice = getpriority(PRIO_PROCESS, (id_t)thread),
                                 .runtime = TURN_NS };
    /* whoever was started under another policy on purpose keeps it */
    if (sched_getscheduler(thread) == SCHED_OTHER) syscall(SYS_sched_setattr, thread, &wanted, 0);
}

void pt_sched_give_way(pid_t pid)
{
    setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, 0) + GIVE_WAY);
}
