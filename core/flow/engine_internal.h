/* engine_internal.h - what engine.c, eval.c and compute.c share.               [layer: flow] */
#ifndef PT_ENGINE_INTERNAL_H
#define PT_ENGINE_INTERNAL_H

#include "flow/cycle.h"
#include "flow/ingest.h"
#include "flow/settings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct pt_engine {
    const struct pt_conf *conf;
    enum pt_engine_mode mode;
    struct pt_store *store;
    struct pt_loop *loop;
    struct pt_pool *pool;
    struct pt_ingest *ingest; /* serve */
    struct pt_cycle *cycle;   /* serve */
    struct pt_settings settings;
    sigset_t old_mask;
    bool masked;
    int signal_fd;
    struct event *signals;

    atomic_bool closing, stopped;
    atomic_uint_fast64_t generation;
    atomic_uint_fast64_t cycles, units, results, failures;
    atomic_int_fast64_t last_cycle_us, cycle_wall_us;
    int64_t started_us;

    pthread_mutex_t lock; /* of what follows */
    struct pt_scripts *scripts;
    struct pt_err load_err;
    bool loaded;

    struct pt_round *volatile round; /* batch: the compute under way */
    volatile sig_atomic_t interrupted;
};

#endif
