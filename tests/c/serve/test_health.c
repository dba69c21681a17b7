#include "suite.h"

#include "fake_engine.h"
#include "serve/health.h"

#define NOW INT64_C(1731628800000000)

static struct pt_health health;
static struct pt_engine_stats good;

static const struct pt_health_part *part(const char *name)
{
    for (size_t i = 0; i < PT_HEALTH_PARTS; i++) {
        if (strcmp(health.part[i].name, name) == 0) return &health.part[i];
    }
    return NULL;
}

static void reset(void)
{
    good = (struct pt_engine_stats){ .store_ok = true, .pool = { .workers = 2 }, .nfeeds = 1 };
    good.feeds[0] =
        (struct pt_engine_feed){ .name = "sim", .open = true, .last_message_us = NOW - PT_US_SEC };
}

/* Without the script that did not load. */
static struct pt_scripts *loaded(void)
{
    struct pt_scripts *scripts = fake_scripts(1);
    for (size_t i = 0; i < scripts->n; i++) scripts->v[i].status = PT_SCRIPT_LIVE;
    return scripts;
}

static void test_all_well_is_healthy(void)
{
    struct pt_scripts *scripts = loaded();
    reset();
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_HEALTHY);
    CU_ASSERT_EQUAL(part("mirrors")->state, PT_NOT_CONFIGURED);
    CU_ASSERT_EQUAL(part("auditor")->state, PT_NOT_CONFIGURED);
    pt_scripts_unref(scripts);
}

static void test_no_feed_is_no_fault(void)
{
    struct pt_scripts *scripts = loaded();
    reset();
    good.nfeeds = 0;
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_HEALTHY);
    CU_ASSERT_STRING_EQUAL(pt_health_text(part("feed")->state), "not_configured");
    pt_scripts_unref(scripts);
}

static void test_what_works_with_a_fault_is_degraded(void)
{
    struct pt_scripts *scripts = loaded();
    reset();
    good.feeds[0].open = false;
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_DEGRADED);
    CU_ASSERT_PTR_NOT_NULL(strstr(part("feed")->detail, "sim"));
    reset();
    good.feeds[0].last_message_us = NOW - 10 * PT_US_MIN;
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(part("feed")->state, PT_DEGRADED);
    CU_ASSERT_PTR_NOT_NULL(strstr(part("feed")->detail, "600 s"));
    pt_scripts_unref(scripts);
    reset();
    scripts = fake_scripts(1); /* one did not load */
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_DEGRADED);
    CU_ASSERT_PTR_NOT_NULL(strstr(part("scripts")->detail, "broken"));
    pt_scripts_unref(scripts);
    pt_health_judge(&good, NULL, NOW, &health);
    CU_ASSERT_EQUAL(part("scripts")->state, PT_DEGRADED);
}

static void test_what_cannot_work_is_unhealthy(void)
{
    struct pt_scripts *scripts = loaded();
    reset();
    good.store_ok = false;
    strcpy(good.store_error, "disk full");
    good.feeds[0].open = false; /* the worst counts */
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_UNHEALTHY);
    CU_ASSERT_STRING_EQUAL(part("store")->detail, "disk full");
    reset();
    good.pool.workers = 0;
    pt_health_judge(&good, scripts, NOW, &health);
    CU_ASSERT_EQUAL(health.state, PT_UNHEALTHY);
    pt_scripts_unref(scripts);
}

static CU_TestInfo tests[] = {
    { "all well is healthy", test_all_well_is_healthy },
    { "no feed is no fault", test_no_feed_is_no_fault },
    { "what works with a fault is degraded", test_what_works_with_a_fault_is_degraded },
    { "what cannot work is unhealthy", test_what_cannot_work_is_unhealthy },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_health", tests);
}
