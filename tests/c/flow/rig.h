/* rig.h - a pool of fake workers, and units for it. */
#ifndef PT_FLOW_RIG_H
#define PT_FLOW_RIG_H

#include "kit.h"

static struct pt_loop *loop;
static struct pt_pool *pool;
static struct pt_conf *conf;
static struct pt_store *rig_store; /* what the pool may look into; NULL: nothing */
static bool rig_checks;            /* scripts are checked once */
static bool rig_express;           /* with a worker for what is urgent; the others give way */
static const char *rig_worker;     /* instead of the fake worker beside this program */
static struct pt_scripts *scripts; /* the newest snapshot, a ref */
static struct pt_err load_err;
static unsigned loads;

static inline void on_loaded(void *arg, struct pt_scripts *loaded, const struct pt_err *err)
{
    (void)arg;
    loads++;
    pt_scripts_unref(scripts);
    scripts = loaded ? pt_scripts_ref(loaded) : NULL;
    if (err) load_err = *err;
    pt_loop_stop(loop);
}

static inline void open_pool(unsigned count, int64_t budget_us)
{
    static char worker[PATH_MAX], store[PATH_MAX];
    kit_beside(worker, "fake_worker");
    kit_path(store, "store");
    const struct pt_pool_opts opts = { .worker = rig_worker ? rig_worker : worker,
                                       .store = store,
                                       .limits = { .benchmark = "BTCUSDT",
                                                   .count = count,
                                                   .call_budget_us = budget_us,
                                                   .load_budget_us = budget_us,
                                                   .memory_bytes = 1 << 26 },
                                       .check = rig_checks,
                                       .express = rig_express,
                                       .give_way = rig_express,
                                       .handle = rig_store };
    conf = kit_conf();
    OK(pt_loop_new(&loop, &kit_err));
    OK(pt_pool_new(pt_loop_base(loop), &opts, &pool, &kit_err));
}

static inline void load(void)
{
    struct pt_sources sources = { 0 };
    OK(pt_sources_read(conf, &sources, &kit_err));
    OK(pt_pool_load(pool, conf, &sources, on_loaded, NULL, &kit_err));
    CU_ASSERT_EQUAL(sources.n, 0); /* taken */
    OK(pt_loop_run(loop, &kit_err));
}

static inline void close_pool(void)
{
    pt_pool_free(pool);
    pt_scripts_unref(scripts);
    pt_loop_free(loop);
    pt_conf_free(conf);
    scripts = NULL;
    pool = NULL;
    loads = 0;
    kit_end();
}

/* ---- one unit and its results -----------------------------------------------------------------
 */

#define NAMES_MAX 8
static unsigned answers;
static size_t answered;
static bson_t *docs[NAMES_MAX];
static char order[NAMES_MAX][PT_SCRIPT_NAME_MAX];
static struct pt_err unit_err;

static inline void on_unit(void *arg, const struct pt_unit_result *results, size_t n,
                           const struct pt_err *err)
{
    answers++;
    unit_err = (struct pt_err){ .code = PT_OK };
    if (err) unit_err = *err;
    for (size_t i = 0; i < answered; i++) bson_destroy(docs[i]);
    answered = n;
    for (size_t i = 0; i < n; i++) {
        docs[i] = bson_copy(results[i].doc);
        snprintf(order[i], sizeof order[i], "%s", results[i].name);
    }
    if (arg) pt_loop_stop(arg);
}

static inline void forget(void)
{
    for (size_t i = 0; i < answered; i++) bson_destroy(docs[i]);
    answered = answers = 0;
}

static inline enum pt_code submit(const char *const *names, size_t n, const bson_t *const *params)
{
    struct pt_unit unit = { .symbol = "BTCUSDT",
                            .period_us = PT_US_HOUR,
                            .as_of_us = T0,
                            .n = n,
                            .names = names,
                            .params = params };
    return pt_pool_submit(pool, &unit, on_unit, loop, &kit_err);
}

static inline void run_unit(const char *const *names, size_t n)
{
    OK(submit(names, n, NULL));
    OK(pt_loop_run(loop, &kit_err));
}

static inline const char *text_of(size_t i, const char *path)
{
    const char *text = "";
    CU_ASSERT_FATAL(i < answered);
    pt_doc_text(docs[i], path, &text);
    return text;
}

static inline void expect_ok(size_t i)
{
    double value = 0;
    CU_ASSERT_STRING_EQUAL(text_of(i, "status"), "ok");
    CU_ASSERT(pt_doc_double(docs[i], "data.value", &value));
    CU_ASSERT_EQUAL(value, (double)(T0 / 1000) + (double)'B');
}

static inline void expect_error(size_t i, const char *words)
{
    bson_iter_t iter, data;
    CU_ASSERT_STRING_EQUAL(text_of(i, "status"), "error");
    CU_ASSERT_STRING_EQUAL(text_of(i, "symbol"), "BTCUSDT");
    CU_ASSERT_STRING_EQUAL(text_of(i, "timeframe"), "1h");
    CU_ASSERT_STRING_EQUAL(text_of(i, "metric"), order[i]);
    if (!strstr(text_of(i, "metadata.error.message"), words))
        printf("\n  '%s' does not say '%s'\n", text_of(i, "metadata.error.message"), words);
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of(i, "metadata.error.message"), words));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of(i, "metadata.error.file"), ".lua"));
    CU_ASSERT_STRING_EQUAL(text_of(i, "metadata.reasons.value"), "script_failed");
    CU_ASSERT(bson_iter_init(&iter, docs[i]) &&
              bson_iter_find_descendant(&iter, "data.value", &data) && BSON_ITER_HOLDS_NULL(&data));
    CU_ASSERT(bson_iter_init_find(&iter, docs[i], "as_of") && BSON_ITER_HOLDS_DATE_TIME(&iter));
    CU_ASSERT_EQUAL(bson_iter_date_time(&iter), T0 / 1000);
}

static const char *const abc[] = { "alpha", "beta", "gamma" };

static inline void three_scripts(const char *beta)
{
    kit_begin();
    kit_script("a", "name alpha\nrun value\n");
    kit_script("b", "name beta\n%s\n", beta);
    kit_script("c", "name gamma\nrun value\n");
}

#endif
