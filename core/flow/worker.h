/* worker.h - one worker process: started, talked to, killed.                   [layer: flow]
 * Lives on one event loop; knows nothing of units. */
#ifndef PT_WORKER_H
#define PT_WORKER_H

#include "data/unit.h"

#include <sys/types.h>

struct event_base;
struct pt_worker;

/* How a worker ended, with what it was doing. */
struct pt_death {
    enum pt_phase phase;
    uint32_t script; /* by the status page; means something when phase is not IDLE */
    uint32_t line;   /* of that script, where a checked call stayed long; 0: not known */
    bool budget;     /* its own timer or our deadline ended it */
    bool outside;    /* a signal that neither it nor we are likely to have sent */
    bool asked;      /* it had been told to leave */
    char words[200]; /* "crashed (SIGSEGV)" */
};

/* How it ended over a script that it loaded and checked, in the words of the script's failure.
 * Which of the two budgets was run over is not known. */
void pt_death_load_words(const struct pt_death *death, int64_t load_us, int64_t call_us, char *out,
                         size_t room);

struct pt_worker_events {
    /* A whole, valid document; borrowed. Not called after pt_worker_kill. */
    void (*message)(void *arg, struct pt_worker *worker, const bson_t *doc);
    /* The process is gone and reaped; everything it had said was handed over before. Must free the
     * worker. */
    void (*gone)(void *arg, struct pt_worker *worker, const struct pt_death *death);
};

/* Starts PATH with its socket as fd 3 and its status page as fd 4, in a process group of its own.
 */
enum pt_code pt_worker_start(struct event_base *base, const char *path,
                             const struct pt_worker_events *events, void *arg,
                             struct pt_worker **worker, struct pt_err *err);
/* Kills it if it runs, waits for its end, without calling `gone`. Accepts NULL. */
void pt_worker_free(struct pt_worker *worker);

/* It yields to whoever answers people: on a busy machine it gets the rest. */
void pt_worker_give_way(struct pt_worker *worker);
/* Somebody waits for what it does: it comes first as soon as it wakes. */
void pt_worker_prompt(struct pt_worker *worker);

/* Sends without blocking; what does not fit the socket is kept and follows. PT_ENOMEM. A worker
 * that is already dead takes it too: its end is told by `gone`. */
enum pt_code pt_worker_send(struct pt_worker *worker, const bson_t *doc, struct pt_err *err);

/* Kills it when `after_us` have passed; 0 takes the deadline away. */
void pt_worker_deadline(struct pt_worker *worker, int64_t after_us);

/* Kills it; `words` say why in its death. */
void pt_worker_kill(struct pt_worker *worker, const char *words);

/* No more requests will come: it should end by itself, and is killed when it does not within 2 s.
 */
void pt_worker_leave(struct pt_worker *worker);

/* Waits, blocking, until it has ended or `until_us` (monotonic) has come. */
void pt_worker_wait(struct pt_worker *worker, int64_t until_us);

bool pt_worker_alive(
    const struct pt_worker *worker); /* neither killed nor leaving nor found dead */
pid_t pt_worker_pid(const struct pt_worker *worker);

#endif
