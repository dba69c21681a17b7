/* writer.h - a writer thread over a scratch store, and a feed under the test's control. */
#ifndef PT_FLOW_WRITER_H
#define PT_FLOW_WRITER_H

#include "market.h"

#include "flow/ingest.h"
#include "puppet.h"

#include <event2/event.h>

static struct pt_loop *loop;
static struct pt_store *store;
static struct pt_ingest *ingest;
static struct puppet *puppet;
static int64_t interval_us, end_us;
static unsigned commits_told;

static inline void on_committed(void *arg)
{
    (void)arg;
    commits_told++;
}

static inline void begin(uint64_t max_bytes)
{
    kit_begin();
    puppet = calloc(1, sizeof *puppet);
    CU_ASSERT_PTR_NOT_NULL_FATAL(puppet);
    store = market_store("store", max_bytes);
    OK(pt_loop_new(&loop, &kit_err));
    commits_told = 0;
    interval_us = 5000;
    end_us = 30 * PT_US_SEC;
}

/* rules: borrowed for the call. */
static inline void start(size_t commit_rows, size_t ring_bytes, const struct pt_retention *rules,
                         size_t nrules)
{
    struct pt_retention *copy = nrules > 0 ? malloc(nrules * sizeof *copy) : NULL;
    if (copy) memcpy(copy, rules, nrules * sizeof *copy);
    const struct pt_ingest_opts opts = { .loop = loop,
                                         .store = store,
                                         .commit_interval_us = interval_us,
                                         .retry_us = 20000,
                                         .retention_every_us = 10000,
                                         .end_us = end_us,
                                         .commit_rows = commit_rows,
                                         .ring_bytes = ring_bytes,
                                         .rules = copy,
                                         .nrules = nrules,
                                         .committed = on_committed };
    OK(pt_ingest_new(&opts, &ingest, &kit_err));
}

/* Loaded, with one option for a text; not opened. */
static inline struct pt_feed *load_feed(const char *text)
{
    struct pt_conf *conf = NULL;
    struct pt_feed *loaded = NULL;
    struct pt_buf mistakes = { 0 };
    char path[PATH_MAX];
    OK(pt_conf_new(&conf, &kit_err));
    kit_beside(path, "plugins");
    kit_set(conf, "plugins.path=%s", path);
    kit_set(conf, "feed puppet.strings=%p", (void *)puppet);
    kit_set(conf, "feed puppet.text=%s", text);
    CU_ASSERT_EQUAL_FATAL(pt_feed_load(conf, "puppet", &loaded, &mistakes), PT_OK);
    pt_buf_fini(&mistakes);
    pt_conf_free(conf);
    return loaded;
}

static inline enum pt_code feed(void)
{
    return pt_ingest_feed(ingest, load_feed("first"), &kit_err);
}

static inline void end(void)
{
    pt_ingest_free(ingest);
    pt_loop_free(loop);
    pt_store_close(store);
    for (size_t i = 0; i < PUPPET_MESSAGES && puppet->messages[i]; i++) free(puppet->messages[i]);
    free(puppet);
    ingest = NULL;
    kit_end();
}

static inline void deliver(char *message)
{
    size_t n = atomic_load(&puppet->ready);
    puppet->messages[n] = message;
    atomic_store(&puppet->ready, n + 1);
}

/* Runs the loop until the condition holds; 30 s are for ever. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        int64_t give_up_us = pt_mono_us() + 30 * PT_US_SEC;                                        \
        while (!(condition) && pt_mono_us() < give_up_us) {                                        \
            event_base_loop(pt_loop_base(loop), EVLOOP_NONBLOCK);                                  \
            usleep(300);                                                                           \
        }                                                                                          \
        CU_ASSERT_FATAL(condition);                                                                \
    } while (0)

static inline struct pt_engine_stats stats(void)
{
    struct pt_engine_stats out = { 0 };
    pt_ingest_stats(ingest, &out);
    return out;
}

#endif
