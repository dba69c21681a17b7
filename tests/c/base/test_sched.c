#include "base/sched.h"

#include "suite.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* sched_getattr(2): what there is to read of a turn. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static struct attributes read_of(pid_t pid)
{
    struct attributes a = { 0 };
    CU_ASSERT_EQUAL(syscall(SYS_sched_getattr, pid, &a, sizeof a, 0), 0);
    return a;
}

/* Turns can be set since Linux 6.12. */
static bool kernel_has_turns(void)
{
    struct utsname name;
    int major = 0, minor = 0;
    uname(&name);
    return sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 12));
}

static void *become_prompt(void *arg)
{
    int before = getpriority(PRIO_PROCESS, 0);
    (void)arg;
    pt_sched_prompt(0);
    struct attributes a = read_of(0);
    CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, 0), before);
    CU_ASSERT_EQUAL(a.policy, SCHED_OTHER);
    if (kernel_has_turns()) CU_ASSERT_EQUAL(a.runtime, 100000);
    return NULL;
}

static void test_a_thread_becomes_prompt_by_itself(void)
{
    pthread_t thread;
    struct attributes before = read_of(0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, become_prompt, NULL), 0);
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(read_of(0).runtime, before.runtime);
}

/* A child of a prompt thread does not stay prompt. */
static void *start_child(void *arg)
{
    pid_t *child = arg;
    pt_sched_prompt(0);
    *child = fork();
    if (*child == 0)
        for (;;) pause();
    return NULL;
}

static void test_a_process_gives_way(void)
{
    pthread_t thread;
    pid_t child = -1;
    int own = getpriority(PRIO_PROCESS, 0), status;
    struct attributes usual = read_of(0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, start_child, &child), 0);
    pthread_join(thread, NULL);
    CU_ASSERT_FATAL(child > 0);
    pt_sched_give_way(child);
    int nice = own + 5 < 19 ? own + 5 : 19;
    CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, (id_t)child), nice);
    if (usual.policy == SCHED_OTHER) CU_ASSERT_EQUAL(read_of(child).runtime, usual.runtime);
    pt_sched_give_way(child); /* from where we are, not from where it is */
    CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, (id_t)child), nice);
    kill(child, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
}

static CU_TestInfo tests[] = { { "a thread becomes prompt by itself",
                                 test_a_thread_becomes_prompt_by_itself },
                               { "a process gives way", test_a_process_gives_way },
                               CU_TEST_INFO_NULL };

int main(void)
{
    return pt_suite_main("base.sched", tests);
}
