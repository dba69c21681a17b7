/* worker.c - one worker process: started, talked to, killed.                   [layer: flow]
 *
 * Three descriptors tie us to it: our end of a socketpair, a memfd page on which it writes what it
 * is doing, and a pidfd that becomes readable when it has ended. Only the pidfd decides that a
 * worker is gone; a closed or garbled socket merely has it killed, so there is one way out. */
#include "flow/worker.h"

#include "base/clock.h"
#include "base/sched.h"
#include "flow/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_BYTES 4096
#define READ_BYTES 65536
#define LEAVE_US 2000000
#define BSON_LEN_MIN 5

extern char **environ;

struct pt_worker {
    const struct pt_worker_events *events;
    void *arg;
    pid_t pid;
    int fd, pidfd;
    struct pt_worker_status *status; /* shared with it */
    struct event *readable, *writable, *ended;
    struct pt_timer deadline;
    struct pt_buf in, out;
    size_t out_at; /* sent bytes of `out` */
    bool killed, leaving, late, closed;
    char why[160]; /* killed: for what */
};

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* ---- start --------------------------------------------------------------------------------- */

/* A descriptor that is not in the way of the child's 0 to 4. */
static int lift(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    close(fd);
    return high;
}

/* What a worker's environment always says, each in place of what ours says of it:
 * - one BLAS thread: the library otherwise starts a pool of them before main();
 * - the C library's log, exp, pow and sin without fused multiply-add. It picks variants by the
 * machine, and they differ in the last bit; so every x86-64 machine computes the same. */
static char *const fixed[] = { (char[]){ "OPENBLAS_NUM_THREADS=1" },
                               (char[]){ "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4" } };
enum { FIXED = sizeof fixed / sizeof fixed[0] };

static bool is_fixed(const char *variable)
{
    for (size_t i = 0; i < FIXED; i++)
        if (strncmp(variable, fixed[i], strcspn(fixed[i], "=") + 1) == 0) return true;
    return false;
}

static char **child_environment(void)
{
    size_t n = 0, k = 0;
    while (environ[n]) n++;
    char **copy = calloc(n + FIXED + 1, sizeof *copy);
    if (!copy) return NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_fixed(environ[i])) copy[k++] = environ[i];
    memcpy(copy + k, fixed, sizeof fixed);
    return copy;
}

static enum pt_code spawn(struct pt_worker *worker, const char *path, int socket, int page,
                          struct pt_err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    char *argv[] = { (char *)(size_t) "petrosa-worker", NULL };
    char **env = child_environment();
    if (!env) return pt_fail(err, PT_ENOMEM, "worker");
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    int rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    /* our output is our own: a reply to a person may be on it */
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&actions, socket, PT_WORKER_SOCKET_FD);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&actions, page, PT_WORKER_STATUS_FD);
    /* a group of its own: Ctrl-C is for us, who then end the workers in order */
    if (rc == 0) rc = posix_spawnattr_setpgroup(&attr, 0);
    if (rc == 0) rc = posix_spawnattr_setsigmask(&attr, &none);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(&attr, &all);
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF);
    if (rc == 0) rc = posix_spawn(&worker->pid, path, &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    free(env);
    if (rc != 0) {
        worker->pid = 0;
        return pt_fail(err, PT_EIO, "cannot start %s: %s", path, strerror(rc));
    }
    return PT_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_ended(evutil_socket_t fd, short what, void *arg);
static void on_deadline(void *arg);

static enum pt_code watch(struct pt_worker *worker, struct event_base *base, struct pt_err *err)
{
    worker->pidfd = pidfd_open(worker->pid, 0);
    if (worker->pidfd < 0) return pt_fail(err, PT_EIO, "pidfd_open: %s", strerror(errno));
    worker->readable = event_new(base, worker->fd, EV_READ | EV_PERSIST, on_readable, worker);
    worker->writable = event_new(base, worker->fd, EV_WRITE, on_writable, worker);
    worker->ended = event_new(base, worker->pidfd, EV_READ, on_ended, worker);
    if (!worker->readable || !worker->writable || !worker->ended ||
        event_add(worker->readable, NULL) != 0 || event_add(worker->ended, NULL) != 0)
        return pt_fail(err, PT_ENOMEM, "worker");
    return pt_timer_init(&worker->deadline, base, on_deadline, worker, err);
}

enum pt_code pt_worker_start(struct event_base *base, const char *path,
                             const struct pt_worker_events *events, void *arg,
                             struct pt_worker **out, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    int pair[2] = { -1, -1 }, page = -1;
    *out = NULL;
    struct pt_worker *worker = calloc(1, sizeof *worker);
    if (!worker) return pt_fail(err, PT_ENOMEM, "worker");
    worker->events = events;
    worker->arg = arg;
    worker->fd = worker->pidfd = -1;
    worker->status = MAP_FAILED;

    page = memfd_create("petrosa-status", MFD_CLOEXEC);
    if (page >= 0) page = lift(page);
    if (page >= 0 && ftruncate(page, STATUS_BYTES) == 0)
        worker->status = mmap(NULL, STATUS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (worker->status == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        (pair[1] = lift(pair[1])) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
        rc = pt_fail(err, PT_EIO, "cannot set up a worker: %s", strerror(errno));
        goto out;
    }
    worker->fd = pair[0];
    pair[0] = -1;
    rc = spawn(worker, path, pair[1], page, err);
    if (rc == PT_OK) rc = watch(worker, base, err);
out:
    close_fd(&pair[0]);
    close_fd(&pair[1]);
    close_fd(&page);
    if (rc == PT_OK)
        *out = worker;
    else
        pt_worker_free(worker);
    return rc;
}

void pt_worker_free(struct pt_worker *worker)
{
    if (!worker) return;
    if (worker->readable) event_free(worker->readable);
    if (worker->writable) event_free(worker->writable);
    if (worker->ended) event_free(worker->ended);
    pt_timer_fini(&worker->deadline);
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    close_fd(&worker->fd);
    close_fd(&worker->pidfd);
    if (worker->status != MAP_FAILED) munmap(worker->status, STATUS_BYTES);
    pt_buf_fini(&worker->in);
    pt_buf_fini(&worker->out);
    free(worker);
}

void pt_worker_give_way(struct pt_worker *worker)
{
    pt_sched_give_way(worker->pid);
}

void pt_worker_prompt(struct pt_worker *worker)
{
    pt_sched_prompt(worker->pid);
}

/* ---- talk ---------------------------------------------------------------------------------- */

/* The next document of the stream: 1 there is one, 0 not yet, -1 rubbish. */
static int next_document(const char *bytes, size_t len, bson_t *doc, size_t *used)
{
    if (len < BSON_LEN_MIN) return 0;
    uint32_t size;
    memcpy(&size, bytes, sizeof size);
    size = BSON_UINT32_FROM_LE(size);
    if (size < BSON_LEN_MIN || size > PT_WIRE_MAX) return -1;
    if (len < size) return 0;
    *used = size;
    return bson_init_static(doc, (const uint8_t *)bytes, size) &&
                   bson_validate(doc, BSON_VALIDATE_NONE, NULL)
               ? 1
               : -1;
}

static void take_messages(struct pt_worker *worker)
{
    size_t at = 0, used = 0;
    bson_t doc;
    int found = 0;
    while (!worker->killed &&
           (found = next_document(worker->in.data + at, worker->in.len - at, &doc, &used)) == 1) {
        worker->events->message(worker->arg, worker, &doc);
        at += used;
    }
    if (found < 0) pt_worker_kill(worker, "answered with bytes that are no document");
    if (at == worker->in.len) {
        pt_buf_clear(&worker->in);
    } else if (at > 0) {
        memmove(worker->in.data, worker->in.data + at, worker->in.len - at);
        worker->in.len -= at;
    }
}

/* Reads what there is, or until nothing is left; false at the end of the stream. */
static bool drain(struct pt_worker *worker, bool all)
{
    for (;;) {
        if (!pt_buf_reserve(&worker->in, READ_BYTES)) {
            pt_worker_kill(worker, "gave an answer that there is no memory for");
            return false;
        }
        ssize_t n = recv(worker->fd, worker->in.data + worker->in.len, READ_BYTES, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
        if (n <= 0) return false;
        worker->in.len += (size_t)n;
        take_messages(worker);
        if (worker->killed || (n < READ_BYTES && !all)) return true;
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_worker *worker = arg;
    if (drain(worker, false)) return;
    event_del(worker->readable); /* or it would ring for ever */
    if (worker->killed) return;
    /* usually it has just ended, and its own end says more than our kill: give it the time */
    worker->closed = true;
    pt_timer_start(&worker->deadline, LEAVE_US);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_worker *worker = arg;
    while (worker->out_at < worker->out.len) {
        ssize_t n = send(worker->fd, worker->out.data + worker->out_at,
                         worker->out.len - worker->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (event_add(worker->writable, NULL) != 0)
                pt_worker_kill(worker, "could not be written to: no memory");
            return;
        }
        if (n < 0) break; /* it is dead or dying: `gone` will say so */
        worker->out_at += (size_t)n;
    }
    pt_buf_clear(&worker->out);
    worker->out_at = 0;
}

enum pt_code pt_worker_send(struct pt_worker *worker, const bson_t *doc, struct pt_err *err)
{
    size_t before = worker->out.len;
    pt_buf_add(&worker->out, bson_get_data(doc), doc->len);
    if (worker->out.failed) {
        worker->out.len = before;
        worker->out.failed = false;
        return pt_fail(err, PT_ENOMEM, "a request of %u bytes", doc->len);
    }
    if (before == 0) on_writable(worker->fd, EV_WRITE, worker);
    return PT_OK;
}

/* ---- end ----------------------------------------------------------------------------------- */

void pt_worker_kill(struct pt_worker *worker, const char *words)
{
    if (worker->killed) return;
    worker->killed = true;
    snprintf(worker->why, sizeof worker->why, "%s", words);
    kill(worker->pid, SIGKILL); /* not reaped yet, so the pid is still its own */
}

static void on_deadline(void *arg)
{
    struct pt_worker *worker = arg;
    worker->late = !worker->leaving && !worker->closed;
    pt_worker_kill(worker, worker->leaving  ? "did not leave when asked to"
                           : worker->closed ? "closed its socket and lived on"
                                            : "did not answer in time");
}

void pt_worker_deadline(struct pt_worker *worker, int64_t after_us)
{
    if (worker->closed || worker->leaving) return; /* it has a deadline of another kind */
    if (after_us > 0)
        pt_timer_start(&worker->deadline, after_us);
    else
        pt_timer_stop(&worker->deadline);
}

void pt_worker_leave(struct pt_worker *worker)
{
    if (worker->leaving || worker->killed) return;
    worker->leaving = true;
    shutdown(worker->fd, SHUT_WR);
    pt_timer_start(&worker->deadline, LEAVE_US);
}

void pt_worker_wait(struct pt_worker *worker, int64_t until_us)
{
    struct pollfd fd = { .fd = worker->pidfd, .events = POLLIN };
    int64_t left_us = until_us - pt_mono_us();
    while (left_us > 0 && poll(&fd, 1, (int)(left_us / 1000 + 1)) < 0 && errno == EINTR)
        left_us = until_us - pt_mono_us();
}

bool pt_worker_alive(const struct pt_worker *worker)
{
    return !worker->killed && !worker->leaving;
}

pid_t pt_worker_pid(const struct pt_worker *worker)
{
    return worker->pid;
}

static void describe_signal(int signal, struct pt_death *death)
{
    const char *name = sigabbrev_np(signal);
    const char *words = "was ended by";
    switch (signal) {
    case SIGPROF:
    case SIGALRM:
        death->budget = true;
        snprintf(death->words, sizeof death->words, "ran over its time budget");
        return;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP: words = "crashed"; break;
    case SIGSYS: words = "tried a system call that is not allowed"; break;
    case SIGKILL:
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
    case SIGQUIT:
        death->outside = true;
        words = "was ended from outside";
        break;
    default: break;
    }
    snprintf(death->words, sizeof death->words, "%s (SIG%s)", words, name ? name : "?");
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct pt_worker *worker = arg;
    bool killed = worker->killed;
    struct pt_death death = { .phase = PT_PHASE_IDLE, .asked = worker->leaving };
    /* what it had said before it died still counts, but it gets nothing new to do */
    if (!killed) {
        worker->leaving = true;
        drain(worker, true);
    }
    siginfo_t info = { 0 };
    while (waitid(P_PID, (id_t)worker->pid, &info, WEXITED) < 0 && errno == EINTR) continue;
    worker->pid = 0;
    if (worker->status->phase == PT_PHASE_LOAD || worker->status->phase == PT_PHASE_RUN) {
        death.phase = (enum pt_phase)worker->status->phase;
        death.script = worker->status->script;
        death.line = worker->status->line;
    }
    death.budget = worker->late;
    if (killed)
        snprintf(death.words, sizeof death.words, "%s", worker->why);
    else if (info.si_code == CLD_EXITED)
        snprintf(death.words, sizeof death.words, "ended with exit code %d", info.si_status);
    else
        describe_signal(info.si_status, &death);
    worker->events->gone(worker->arg, worker, &death);
}

void pt_death_load_words(const struct pt_death *death, int64_t load_us, int64_t call_us, char *out,
                         size_t room)
{
    if (death->budget)
        snprintf(out, room,
                 "ran over its time budget and was ended: loading may take %" PRId64
                 " ms, a call %" PRId64 " ms",
                 load_us / 1000, call_us / 1000);
    else
        snprintf(out, room, "its worker %s", death->words);
}
