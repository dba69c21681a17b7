/* house.h - an engine with fake workers and a feed under the test's control. */
#ifndef PT_FLOW_HOUSE_H
#define PT_FLOW_HOUSE_H

#include "market.h"

#include "flow/engine.h"
#include "puppet.h"

#include <pthread.h>

#define H PT_US_HOUR

static struct pt_conf *conf;
static struct pt_engine *engine;
static struct puppet *puppet;
static pt_reread_fn reread; /* of the engine that serves; NULL: none */

static inline void begin(void)
{
    kit_begin();
    puppet = calloc(1, sizeof *puppet);
    CU_ASSERT_PTR_NOT_NULL_FATAL(puppet);
    conf = kit_conf();
    kit_script("a", "name alpha\nevery 1h 1d\n");
    kit_script("b", "name beta\nevery 1h\nneeds alpha\n");
}

static inline void end(void)
{
    pt_engine_free(engine);
    engine = NULL;
    pt_conf_free(conf);
    for (size_t i = 0; i < PUPPET_MESSAGES && puppet->messages[i]; i++) free(puppet->messages[i]);
    free(puppet);
    kit_end();
}

static inline void fill_store(void)
{
    struct pt_store *store = market_store("store", 0);
    market_write(store, "BTCUSDT", H, T0, 400, 0);
    market_write(store, "ETHUSDT", H, T0, 300, 0);
    market_write(store, "BNBUSDT", H, T0, 24, 0);
    pt_store_close(store);
}

static inline void deliver(char *message)
{
    size_t n = atomic_load(&puppet->ready);
    puppet->messages[n] = message;
    atomic_store(&puppet->ready, n + 1);
}

static inline void serve_conf(void)
{
    char path[PATH_MAX];
    kit_beside(path, "plugins");
    kit_set(conf, "plugins.path=%s", path);
    kit_set(conf, "feed.enabled=puppet");
    kit_set(conf, "feed puppet.strings=%p", (void *)puppet);
}

/* Runs a scenario on a thread of its own beside the engine, which the test's thread drives; true
 * when it was. */
static inline bool serve(void *(*scenario)(void *arg))
{
    pthread_t thread;
    void *good = NULL;
    OK(pt_engine_new(conf, PT_ENGINE_SERVE, NULL, &engine, &kit_err));
    if (reread) pt_engine_reread(engine, reread, NULL);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, scenario, NULL), 0);
    OK(pt_engine_run(engine, &kit_err));
    pthread_join(thread, &good);
    return good != NULL;
}

static inline void *stop_with(bool good)
{
    pt_engine_stop(engine);
    return good ? engine : NULL;
}

#endif
