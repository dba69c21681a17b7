#include "suite.h"

#include "serve/cache.h"

#include <stdlib.h>
#include <string.h>

static struct pt_body *body_of(size_t len)
{
    struct pt_buf text = { 0 };
    for (size_t i = 0; i < len; i++) pt_buf_putc(&text, 'x');
    return pt_body_new(&text, PT_TYPE_JSON);
}

static struct pt_cache_entry *put(struct pt_cache *cache, const char *uri, size_t len)
{
    struct pt_body *body = body_of(len);
    struct pt_cache_entry *entry = pt_cache_put(cache, uri, false, body);
    pt_body_unref(body);
    return entry;
}

static void test_what_was_put_is_found(void)
{
    struct pt_cache cache;
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 1 << 20, NULL), PT_OK);
    struct pt_cache_entry *a = put(&cache, "/a", 10), *b = put(&cache, "/b", 20);
    CU_ASSERT_PTR_EQUAL(pt_cache_find(&cache, "/a", false), a);
    CU_ASSERT_PTR_EQUAL(pt_cache_find(&cache, "/b", false), b);
    CU_ASSERT_PTR_NULL(pt_cache_find(&cache, "/c", false));
    CU_ASSERT_PTR_NULL(pt_cache_find(&cache, "/a", true)); /* the form is part of the key */
    CU_ASSERT_EQUAL(a->body->len, 10);
    a = put(&cache, "/a", 30);
    CU_ASSERT_EQUAL(pt_cache_find(&cache, "/a", false)->body->len, 30);
    CU_ASSERT_EQUAL(cache.n, 2);
    pt_cache_drop(&cache, a);
    CU_ASSERT_PTR_NULL(pt_cache_find(&cache, "/a", false));
    pt_cache_fini(&cache);
}

static void test_the_least_recently_used_leave_first(void)
{
    struct pt_cache cache;
    char uri[16];
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 100000, NULL), PT_OK);
    put(&cache, "/kept", 1000);
    for (int i = 0; i < 500; i++) {
        snprintf(uri, sizeof uri, "/%d", i);
        CU_ASSERT_PTR_NOT_NULL(put(&cache, uri, 1000));
        CU_ASSERT_PTR_NOT_NULL(pt_cache_find(&cache, "/kept", false));
        CU_ASSERT_TRUE(cache.bytes <= 100000);
    }
    CU_ASSERT_PTR_NULL(pt_cache_find(&cache, "/0", false));
    CU_ASSERT_PTR_NOT_NULL(pt_cache_find(&cache, "/499", false));
    CU_ASSERT_TRUE(cache.n > 50);
    pt_cache_fini(&cache);
}

static void test_a_huge_reply_does_not_push_out_the_rest(void)
{
    struct pt_cache cache;
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 100000, NULL), PT_OK);
    put(&cache, "/a", 100);
    CU_ASSERT_PTR_NULL(put(&cache, "/huge", 50000));
    CU_ASSERT_PTR_NOT_NULL(pt_cache_find(&cache, "/a", false));
    pt_cache_fini(&cache);
}

static void test_no_room_means_nothing_is_kept(void)
{
    struct pt_cache cache;
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 0, NULL), PT_OK);
    CU_ASSERT_PTR_NULL(put(&cache, "/a", 10));
    CU_ASSERT_PTR_NULL(pt_cache_find(&cache, "/a", false));
    pt_cache_fini(&cache);
}

static void test_a_body_outlives_its_entry_while_it_is_sent(void)
{
    struct pt_cache cache;
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 1 << 20, NULL), PT_OK);
    struct pt_cache_entry *entry = put(&cache, "/a", 10);
    struct pt_body *sent = pt_body_ref(entry->body);
    pt_cache_drop(&cache, entry);
    CU_ASSERT_EQUAL(sent->refs, 1);
    CU_ASSERT_STRING_EQUAL(sent->data, "xxxxxxxxxx");
    pt_body_unref(sent);
    pt_cache_fini(&cache);
}

static void test_the_books_agree_with_a_slow_count(void)
{
    struct pt_cache cache;
    char uri[16];
    unsigned seed = 7;
    CU_ASSERT_EQUAL_FATAL(pt_cache_init(&cache, 200000, NULL), PT_OK);
    for (int i = 0; i < 5000; i++) {
        seed = seed * 1103515245u + 12345u;
        snprintf(uri, sizeof uri, "/%u", seed >> 16 & 255);
        struct pt_cache_entry *entry = pt_cache_find(&cache, uri, false);
        if (entry == NULL || (seed >> 24 & 3) == 0) {
            put(&cache, uri, seed >> 8 & 4095);
        } else if ((seed >> 24 & 3) == 1 && entry->body->gz == NULL) {
            entry->body->gz = malloc(100);
            entry->body->gz_len = 100;
            pt_cache_grew(&cache, entry);
        } else if ((seed >> 24 & 7) == 2) {
            pt_cache_drop(&cache, entry);
        }
        size_t n = 0, bytes = 0;
        for (entry = cache.newest; entry != NULL; entry = entry->older, n++) bytes += entry->bytes;
        CU_ASSERT_EQUAL(n, cache.n);
        CU_ASSERT_EQUAL(bytes, cache.bytes);
        CU_ASSERT_TRUE(cache.bytes <= cache.max_bytes);
    }
    pt_cache_fini(&cache);
}

static CU_TestInfo tests[] = {
    { "what was put is found", test_what_was_put_is_found },
    { "the least recently used leave first", test_the_least_recently_used_leave_first },
    { "a huge reply does not push out the rest", test_a_huge_reply_does_not_push_out_the_rest },
    { "no room means nothing is kept", test_no_room_means_nothing_is_kept },
    { "a body outlives its entry while it is sent",
      test_a_body_outlives_its_entry_while_it_is_sent },
    { "the books agree with a slow count", test_the_books_agree_with_a_slow_count },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_cache", tests);
}
