#include "base/sched.h"

#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURN_NS 100000 /* the shortest there is */
#define GIVE_WAY 10    /* steps of nice, each a share of 1/1.25 */
#define NICE_MAX 19

/* As sched_setattr(2) has it; glibc knows it since 2.41. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* Whoever was started under another policy on purpose keeps it. turn_ns: 0 = what is usual. */
static void set(pid_t pid, int nice, uint64_t turn_ns)
{
    struct attributes wanted = {
        .size = sizeof wanted, .policy = SCHED_OTHER, .nice = nice, .runtime = turn_ns
    };
    if (sched_getscheduler(pid) == SCHED_OTHER) syscall(SYS_sched_setattr, pid, &wanted, 0);
}

void pt_sched_prompt(void)
{
    set(0, getpriority(PRIO_PROCESS, 0), TURN_NS);
}

void pt_sched_give_way(pid_t pid)
{
    int nice = getpriority(PRIO_PROCESS, 0) + GIVE_WAY;
    set(pid, nice < NICE_MAX ? nice : NICE_MAX, 0); /* a child has the turns of its parent */
}
