/* What a VM keeps of its calls: their number, and how much they hold. */
#include "bindings/memory_columns.h"
#include "bindings/script.h"
#include "suite.h"

#include <string.h>

#define BARS 24
#define END_US (INT64_C(1735689600) * PT_US_SEC)

static const char text[] =
    "local seen = 0\n"
    "return calculator { api = 1, name = 'calls', about = 'for a test',\n"
    " needs = { candles = { span = '1d' } }, outputs = { { 'n', count {} }, { 'close', 'quote' } "
    "},\n"
    " compute = function(w) seen = seen + 1 return { n = seen, close = w.close:get(w.n) } end }";

/* How often the VM was called, as the script counts. */
static int64_t count(struct pt_lua_script *script, struct pt_script_call *call)
{
    int64_t n = -1;
    double close = 0;
    bson_t *doc = pt_lua_script_run(script, call);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    CU_ASSERT(pt_doc_int(doc, "data.n", &n));
    CU_ASSERT(pt_doc_double(doc, "data.close", &close) && close == 7);
    bson_destroy(doc);
    return n;
}

static void test_a_vm_is_made_anew_before_the_numbers_of_its_calls_run_out(void)
{
    struct pt_arena arena = { 0 };
    struct pt_script_home home = { .arena = &arena, .memory_bytes = 64 << 20 };
    struct pt_lua_script script;
    struct pt_memory_columns bars = { 0 };
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(pt_memory_columns_init(&bars, "TESTUSDT", PT_US_HOUR, BARS, &err), PT_OK);
    for (int i = 0; i < BARS; i++) {
        bars.time_us[i] = END_US - (BARS - i) * PT_US_HOUR;
        bars.mem[PT_C_CLOSE][i] = 7;
    }
    bars.columns.from_us = bars.time_us[0];
    bars.columns.as_of_us = END_US;
    CU_ASSERT_EQUAL_FATAL(pt_lua_script_load(&script, &home, "calls.lua", text, strlen(text),
                                             "0123"),
                          PT_OK);
    struct pt_script_call call = { .symbol = "TESTUSDT",
                                   .period_us = PT_US_HOUR,
                                   .as_of_us = END_US,
                                   .now_us = END_US,
                                   .columns = &bars.columns };
    CU_ASSERT_EQUAL_FATAL(pt_params_read(&script.declaration, NULL, &call.params, &err), PT_OK);
    CU_ASSERT_EQUAL_FATAL(pt_lua_script_size(&script, &call), PT_OK);
    CU_ASSERT_EQUAL(count(&script, &call), 1);
    CU_ASSERT_EQUAL(count(&script, &call), 2);
    script.vm->state.epoch = INT32_MAX - 7;
    CU_ASSERT_EQUAL(count(&script, &call), 3);
    CU_ASSERT_EQUAL(script.restarts, 0);
    for (int64_t i = 0; i < 6 && script.restarts == 0; i++)
        CU_ASSERT_EQUAL(count(&script, &call), 4 + i);
    CU_ASSERT_EQUAL(script.restarts, 1);
    CU_ASSERT_EQUAL(count(&script, &call), 1);
    pt_lua_script_fini(&script);
    pt_memory_columns_fini(&bars);
    pt_arena_fini(&arena);
}

static void test_heap_and_arena_have_one_limit(void)
{
    struct pt_arena arena = { 0 };
    struct pt_lua_memory memory = { .limit = 1000, .arena = &arena, .under = pt_lua_memory_malloc };
    char *a = pt_lua_memory_alloc(&memory, NULL, 0, 600), *b;
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    memset(a, 'x', 600);
    CU_ASSERT_PTR_NULL(pt_lua_memory_alloc(&memory, NULL, 0, 401));
    CU_ASSERT_TRUE(memory.refused);
    CU_ASSERT_EQUAL(memory.heap, 600);
    memory.refused = false;
    CU_ASSERT_PTR_NOT_NULL(b = pt_lua_memory_alloc(&memory, NULL, 0, 400));
    pt_lua_memory_alloc(&memory, b, 400, 0);
    CU_ASSERT_PTR_NULL(pt_lua_memory_alloc(&memory, a, 600, 1001));
    CU_ASSERT_TRUE(memory.refused);
    memory.refused = false;
    a = pt_lua_memory_alloc(&memory, a, 600, 200);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT(a[0] == 'x' && a[199] == 'x');
    CU_ASSERT_EQUAL(memory.heap, 200);
    CU_ASSERT_PTR_NULL(pt_lua_memory_scratch(&memory, 801));
    CU_ASSERT_TRUE(memory.refused);
    memory.refused = false;
    CU_ASSERT_PTR_NOT_NULL(pt_lua_memory_scratch(&memory, 704));
    CU_ASSERT_PTR_NULL(pt_lua_memory_alloc(&memory, a, 200, 297));
    CU_ASSERT_TRUE(memory.refused);
    pt_arena_reset(&arena);
    a = pt_lua_memory_alloc(&memory, a, 200, 1000);
    CU_ASSERT_PTR_NOT_NULL(a);
    CU_ASSERT_PTR_NULL(pt_lua_memory_alloc(&memory, a, 1000, 0));
    CU_ASSERT_EQUAL(memory.heap, 0);
    pt_arena_fini(&arena);
}

int main(void)
{
    CU_TestInfo tests[] = { { "a VM is made anew before the numbers of its calls run out",
                              test_a_vm_is_made_anew_before_the_numbers_of_its_calls_run_out },
                            { "heap and arena have one limit", test_heap_and_arena_have_one_limit },
                            CU_TEST_INFO_NULL };
    return pt_suite_main("bindings.calls", tests);
}
