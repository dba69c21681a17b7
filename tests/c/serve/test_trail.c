/* since, previous and stable label, against a plain reading of the same results. */
#include "suite.h"

#include "fake_engine.h"
#include "serve/trail.h"

#include <cjson/cJSON.h>

#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */
#define COLLECTION "analytics_BTCUSDT_regime"

static bson_t *result(int64_t as_of_us, const char *word)
{
    bson_t *doc = bson_new(), data;
    BSON_APPEND_DATE_TIME(doc, "as_of", as_of_us / 1000);
    BSON_APPEND_DOCUMENT_BEGIN(doc, "data", &data);
    if (word != NULL)
        BSON_APPEND_UTF8(&data, "regime", word);
    else
        BSON_APPEND_NULL(&data, "regime");
    bson_append_document_end(doc, &data);
    return doc;
}

/* One letter a bar: a, b, c: stored labels; '-': nothing stored; '0': stored without a label. */
static const char *word_of(char letter)
{
    static const char *const words[] = { "consolidation", "breakout_phase", "transitional" };
    return letter == '0' ? NULL : words[letter - 'a'];
}

static void store_letters(const char *letters)
{
    struct pt_write *write = NULL;
    struct pt_err err;
    if (pt_write_begin(fake.store, &write, &err) != PT_OK) abort();
    for (int64_t i = 0; letters[i] != '\0'; i++) {
        uint8_t key[16];
        if (letters[i] == '-') continue;
        bson_t *doc = result(T0 + i * PT_US_HOUR, word_of(letters[i]));
        pt_result_key(PT_US_HOUR, T0 + i * PT_US_HOUR, key);
        if (pt_write_doc(write, COLLECTION, key, sizeof key, doc, &err) != PT_OK) abort();
        bson_destroy(doc);
    }
    if (pt_write_commit(write, &err) != PT_OK) abort();
}

static struct pt_trail trail_at(int64_t bar, const char *word, bool stored)
{
    struct pt_trail trail = { .label = "regime", .since_us = PT_MISSING };
    struct pt_read *read = NULL;
    struct pt_err err;
    bson_t *doc = result(T0 + bar * PT_US_HOUR, word);
    CU_ASSERT_EQUAL_FATAL(pt_read_begin(fake.store, &read, &err), PT_OK);
    CU_ASSERT_EQUAL(pt_trail_read(read, COLLECTION, PT_US_HOUR, doc, stored, &trail, &err), PT_OK);
    pt_read_end(read);
    bson_destroy(doc);
    return trail;
}

/* The trail of the last letter is: since that bar (-1: null), letters of previous and stable ('-':
 * null). */
static void check(const char *letters, int64_t since, char previous, char stable)
{
    fake_start(NULL);
    store_letters(letters);
    int64_t last = (int64_t)strlen(letters) - 1;
    struct pt_trail trail = trail_at(last, word_of(letters[last]), true);
    CU_ASSERT_EQUAL(trail.since_us, since < 0 ? PT_MISSING : T0 + since * PT_US_HOUR);
    CU_ASSERT_STRING_EQUAL(trail.previous, previous == '-' ? "" : word_of(previous));
    CU_ASSERT_STRING_EQUAL(trail.stable, stable == '-' ? "" : word_of(stable));
    fake_stop();
}

static void test_runs_and_what_was_before_them(void)
{
    check("a", 0, '-', 'a'); /* alone: the current one */
    check("aaaa", 0, '-', 'a');
    check("aabb", 2, 'a', 'b');
    check("aab", 2, 'a', 'a');    /* b has not held for two bars yet */
    check("aabcb", 4, 'c', 'a');  /* flapping: the last that held */
    check("abcabc", 5, 'b', 'c'); /* none held: the current one */
    check("bbaacca", 6, 'c', 'c');
}

static void test_a_hole_ends_a_run(void)
{
    check("aa-a", 3, '-', 'a');
    check("bb-aa", 3, 'b', 'a');
    check("b-b-a", 4, 'b', 'a'); /* the two b are not in a row */
    check("ab-bb0b", 6, 'a', 'b');
    check("aa0a", 3, '-', 'a');
    check("aab0", -1, 'b', 'a'); /* the current one has no label */
    check("ab0", -1, 'b', '-');
}

static void test_the_last_24_bars_and_no_more(void)
{
    check("baaaaaaaaaaaaaaaaaaaaaaaa", 1, '-',
          'a'); /* 25 bars: the run is as old as the look, or older */
    check("baaaaaaaaaaaaaaaaaaaaaaa", 1, 'b', 'a'); /* 24 bars */
    check("bb--------------------------a", 28, '-', 'a');
}

static void test_a_result_that_is_not_stored_stands_on_those_before_it(void)
{
    fake_start(NULL);
    struct pt_trail trail = trail_at(3, "transitional", false);
    CU_ASSERT_EQUAL(trail.since_us, PT_MISSING); /* nothing is stored: nothing is known */
    CU_ASSERT_STRING_EQUAL(trail.previous, "");
    CU_ASSERT_STRING_EQUAL(trail.stable, "");
    store_letters("aac-bbbb");
    trail = trail_at(3, "transitional", false); /* later ones do not count */
    CU_ASSERT_EQUAL(trail.since_us, T0 + 2 * PT_US_HOUR);
    CU_ASSERT_STRING_EQUAL(trail.previous, "consolidation");
    CU_ASSERT_STRING_EQUAL(trail.stable, "transitional");
    fake_stop();
}

static void test_scripts_without_a_label_get_nothing(void)
{
    struct pt_buf out = { 0 };
    struct pt_json json;
    struct pt_trail trail;
    bson_t with = BSON_INITIALIZER, without = BSON_INITIALIZER;
    struct pt_script script = { .declaration = &without };
    BSON_APPEND_UTF8(&with, "label", "tide");
    pt_trail_init(&trail, &script);
    pt_json_init(&json, &out);
    pt_json_object(&json);
    pt_trail_json(&trail, &json);
    CU_ASSERT_EQUAL(pt_trail_digest(&trail, 77), 77);
    script.declaration = &with;
    pt_trail_init(&trail, &script);
    pt_trail_json(&trail, &json);
    uint64_t before = pt_trail_digest(&trail, 77);
    strcpy(trail.stable, "high");
    CU_ASSERT_NOT_EQUAL(pt_trail_digest(&trail, 77), before);
    pt_json_object_end(&json);
    pt_buf_putc(&out, '\0');
    CU_ASSERT_STRING_EQUAL(out.data,
                           "{\"since\":null,\"previous_tide\":null,\"stable_tide\":null}");
    pt_buf_fini(&out);
    bson_destroy(&with);
    bson_destroy(&without);
}

static CU_TestInfo tests[] = {
    { "runs and what was before them", test_runs_and_what_was_before_them },
    { "a hole ends a run", test_a_hole_ends_a_run },
    { "the last 24 bars and no more", test_the_last_24_bars_and_no_more },
    { "a result that is not stored stands on those before it",
      test_a_result_that_is_not_stored_stands_on_those_before_it },
    { "scripts without a label get nothing", test_scripts_without_a_label_get_nothing },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_trail", tests);
}
