/* pool_internal.h - what pool.c, hand.c, load.c, shadow.c and warm.c share.    [layer: flow] */
#ifndef PT_POOL_INTERNAL_H
#define PT_POOL_INTERNAL_H

#include "flow/job.h"
#include "flow/loop.h"
#include "flow/registry.h"
#include "flow/shadow.h"
#include "flow/strikes.h"
#include "flow/worker.h"

#define PT_RECENT 8 /* different units that were asked for lately */

/* Units a worker has: the one it runs and the next, so that it never waits for us between two. */
#define PT_HAND_DEPTH 2

/* One generation of scripts and the workers that loaded it. Lives until its last worker is gone. */
struct pt_set {
    unsigned refs; /* its hands, and the pool while it is active or loading */
    struct pt_registry registry;
    struct pt_scripts *scripts; /* a ref; NULL until the first worker answered */
    struct pt_pool_limits limits;
    struct pt_shadow shadow;
    pt_loaded_fn fn;
    pt_tried_fn tried; /* instead of fn: it is only tried, and never goes live */
    void *arg;
    struct pt_conf *conf; /* a ref */
    unsigned tries;       /* of its first worker, without result */

    struct pt_job *warm[PT_RECENT];  /* what its express worker is asked before it is live */
    size_t warmed;                   /* of them it was asked */
    struct pt_scripts *warm_scripts; /* a ref; NULL until then */
    int64_t warm_until_us;
};

/* A worker as the pool sees it. */
struct pt_hand {
    struct pt_hand *next;
    struct pt_pool *pool;
    struct pt_set *set;
    struct pt_worker *worker;
    bool express;  /* takes urgent units only */
    bool loaded;   /* it has answered to load */
    bool ready;    /* and takes the pool's units */
    size_t *index; /* candidates of its load request */
    size_t index_len;
    struct pt_job *jobs[PT_HAND_DEPTH]; /* in the order sent; [0] is under way */
    unsigned depth;
};

struct pt_queue {
    struct pt_job *first, *last;
};

struct pt_pool {
    struct event_base *base;
    char *worker, *store;
    struct pt_pool_opts opts;
    struct pt_pool_limits limits; /* of the next set */
    struct pt_hand *hands;
    struct pt_set *active, *loading;
    struct pt_strikes strikes;
    struct pt_queue urgent, normal;
    struct pt_job *recent[PT_RECENT]; /* urgent ones that were answered, the newest first */
    uint64_t generation, next_id;
    unsigned start_failures; /* in a row */
    struct pt_err start_err; /* of the last one */
    struct pt_timer again;   /* starts missing workers after a failure */
    bool waiting;            /* the timer runs */
    struct pt_timer express; /* until the loading set goes live without its express worker */
    bool closing;
    atomic_uint workers, busy;
    atomic_size_t queued;
    atomic_uint_fast64_t units, deaths, retries, quarantines;
};

/* pool.c */
void pt_pool_maintain(struct pt_pool *pool); /* starts what is missing, sends what waits */
void pt_pool_dispatch(struct pt_pool *pool); /* sends what waits */
void pt_pool_start_failed(struct pt_pool *pool, const struct pt_err *err);
void pt_pool_wait(struct pt_pool *pool, struct pt_job *job,
                  bool first); /* puts it into its queue */
void pt_pool_finish(struct pt_pool *pool, struct pt_job *job, const struct pt_err *err);

/* hand.c */
enum pt_role {
    PT_ROLE_FIRST,   /* goes first; checks what has not passed before */
    PT_ROLE_MANY,    /* one of the others */
    PT_ROLE_EXPRESS, /* takes urgent units only, and gives way to nobody */
};
enum pt_code pt_hand_start(struct pt_pool *pool, struct pt_set *set, enum pt_role role,
                           struct pt_err *err);
/* Sends what is next of the job; it is the hand's then, unless there was nothing to send
 * (job->sent_len 0) or it failed. */
enum pt_code pt_hand_send(struct pt_hand *hand, struct pt_job *job, struct pt_err *err);
struct pt_job *
pt_hand_take(struct pt_hand *hand); /* the one under way, which is no longer its own */
void pt_hand_ready(struct pt_hand *hand);
void pt_hand_leave_if_old(struct pt_hand *hand);
void pt_hand_unlink(struct pt_hand *hand);
void pt_hand_free(struct pt_hand *hand);
/* How a worker ended, in the words of a script's failure. */
void pt_death_words(const struct pt_death *death, int64_t budget_us, char *out, size_t room);

/* load.c */
void pt_set_unref(struct pt_set *set);
/* A worker answered to its load request. */
void pt_load_answered(struct pt_hand *hand, const bson_t *doc);
/* The express worker of the loading set takes long; arg: the pool. */
void pt_load_express_late(void *arg);
/* A worker ended before it had answered. */
void pt_load_died(struct pt_hand *hand, const struct pt_death *death);
/* The worker that goes first answered the last of the shadow's units, or one that cannot be. */
void pt_load_shadowed(struct pt_hand *hand, const struct pt_err *err);
/* Another worker goes first, with what the candidates are now; those of the set leave. */
void pt_load_again(struct pt_pool *pool);
/* A script of the live set has ended its worker PT_STRIKES_OUT times. */
void pt_load_quarantine(struct pt_pool *pool, struct pt_set *set, const char *hash);
/* The loading set is the active one now. */
void pt_load_live(struct pt_pool *pool, struct pt_set *set);

/* shadow.c */
/* What the shadow is to run, on a snapshot of its own. *any: there is something. */
enum pt_code pt_shadow_plan(struct pt_pool *pool, struct pt_set *set, bool *any,
                            struct pt_err *err);
void pt_shadow_next(struct pt_hand *hand); /* sends the next unit; ends in pt_load_shadowed */
void pt_shadow_answered(struct pt_hand *hand, const bson_t *doc);
void pt_shadow_died(struct pt_hand *hand, struct pt_job *job, const struct pt_death *death);
void pt_shadow_fini(struct pt_shadow *shadow);

/* warm.c */
/* Takes a job that was answered: keeps it for the next express worker if it did no harm, else frees
 * it. */
void pt_warm_keep(struct pt_pool *pool, struct pt_job *job);
/* The express worker of the loading set is asked what was kept; ends in pt_load_live. */
void pt_warm_begin(struct pt_hand *hand);
void pt_warm_answered(struct pt_hand *hand);
void pt_warm_died(struct pt_hand *hand);
void pt_warm_fini(struct pt_job *jobs[PT_RECENT]);

/* blame.c */
enum pt_blame {
    PT_BLAME_NOBODY, /* it failed before, too, or nothing it stands on has changed */
    PT_BLAME_SCRIPT, /* a candidate is failed */
    PT_BLAME_CONFIG, /* err says which section */
};
/* Finds who answers for what failed in the shadow of the set. */
enum pt_blame pt_shadow_blame(struct pt_pool *pool, struct pt_set *set,
                              const struct pt_failure *failure, struct pt_err *err);
/* New, or another version than the one that is live. */
bool pt_shadow_other_text(const struct pt_scripts *live, const struct pt_script *script);

#endif
