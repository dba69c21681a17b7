/* suite.h - the main() of a CUnit program: one suite, exit 1 when a test failed.
 * A test that cannot run here calls pt_skip("why") and returns; skips are counted and printed. */
#ifndef PT_SUITE_H
#define PT_SUITE_H

#include <CUnit/Basic.h>
#include <stdio.h>

static unsigned pt_skipped;

static inline void pt_skip(const char *why)
{
    pt_skipped++;
    printf("skipped: %s ", why);
}

static inline int pt_suite_main(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = { { (char *)(size_t)name, NULL, NULL, NULL, NULL, tests },
                              CU_SUITE_INFO_NULL };
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_tests_failed();
    unsigned run = CU_get_number_of_tests_run();
    /* read by tests/summary: a skipped test counts as skipped, not as passed */
    printf("\n@tests %s passed=%u failed=%u skipped=%u\n", name, run - failed - pt_skipped, failed, pt_skipped);
    CU_cleanup_registry();
    return failed != 0 || run == 0;
}

#endif
