#include "base/buf.h"
#include "suite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_grows_and_stays_terminated(void)
{
    struct pt_buf buf = { 0 };
    char expected[3001];
    for (int i = 0; i < 1000; i++) {
        pt_buf_puts(&buf, "ab");
        pt_buf_putc(&buf, 'c');
        memcpy(expected + 3 * i, "abc", 4);
        CU_ASSERT_FATAL(!buf.failed && buf.cap > buf.len);
        CU_ASSERT_EQUAL_FATAL(buf.data[buf.len], '\0');
    }
    CU_ASSERT_EQUAL(buf.len, 3000);
    CU_ASSERT_STRING_EQUAL(buf.data, expected);
    pt_buf_fini(&buf);
    CU_ASSERT(buf.data == NULL && buf.len == 0 && buf.cap == 0);
}

static void test_keeps_zero_bytes(void)
{
    struct pt_buf buf = { 0 };
    pt_buf_add(&buf, "a\0b", 3);
    pt_buf_add(&buf, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(buf.len, 3);
    CU_ASSERT_EQUAL(memcmp(buf.data, "a\0b", 4), 0);
    pt_buf_fini(&buf);
}

static void test_prints_at_every_length(void)
{
    for (int width = 0; width < 300; width++) { /* around every boundary of the capacity */
        struct pt_buf buf = { 0 };
        pt_buf_puts(&buf, "head ");
        pt_buf_printf(&buf, "%*d|", width, 7);
        size_t len = (size_t)(width > 1 ? width : 1);
        CU_ASSERT_EQUAL_FATAL(buf.len, 5 + len + 1);
        CU_ASSERT_EQUAL_FATAL(strlen(buf.data), buf.len);
        CU_ASSERT_STRING_EQUAL_FATAL(buf.data + buf.len - 2, "7|");
        pt_buf_fini(&buf);
    }
}

static void test_clear_keeps_the_memory(void)
{
    struct pt_buf buf = { 0 };
    pt_buf_puts(&buf, "something");
    char *data = buf.data;
    pt_buf_clear(&buf);
    CU_ASSERT(buf.len == 0 && buf.data == data && buf.data[0] == '\0');
    pt_buf_puts(&buf, "x");
    CU_ASSERT_STRING_EQUAL(buf.data, "x");
    pt_buf_fini(&buf);
    pt_buf_clear(&buf);
    CU_ASSERT_PTR_NULL(buf.data);
}

static void test_take_hands_over(void)
{
    struct pt_buf buf = { 0 };
    size_t len = 99;
    pt_buf_puts(&buf, "mine");
    char *text = pt_buf_take(&buf, &len);
    CU_ASSERT_STRING_EQUAL(text, "mine");
    CU_ASSERT(len == 4 && buf.data == NULL && buf.len == 0);
    free(text);
    text = pt_buf_take(&buf, &len);
    CU_ASSERT_FATAL(text != NULL);
    CU_ASSERT(text[0] == '\0' && len == 0);
    free(text);
}

static void test_remembers_a_failure(void)
{
    struct pt_buf buf = { 0 };
    size_t len = 99;
    pt_buf_puts(&buf, "kept");
    CU_ASSERT_FALSE(pt_buf_reserve(&buf, SIZE_MAX));
    CU_ASSERT(buf.failed);
    pt_buf_puts(&buf, "lost");
    pt_buf_putc(&buf, '!');
    pt_buf_printf(&buf, "%d", 1);
    CU_ASSERT_STRING_EQUAL(buf.data, "kept");
    CU_ASSERT_FALSE(pt_buf_reserve(&buf, 0));
    CU_ASSERT_PTR_NULL(pt_buf_take(&buf, &len));
    CU_ASSERT(len == 0 && !buf.failed && buf.data == NULL);
}

static CU_TestInfo tests[] = {
    { "grows and stays terminated", test_grows_and_stays_terminated },
    { "keeps zero bytes", test_keeps_zero_bytes },
    { "prints at every length", test_prints_at_every_length },
    { "clear keeps the memory", test_clear_keeps_the_memory },
    { "take hands over", test_take_hands_over },
    { "remembers a failure", test_remembers_a_failure },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("buf", tests);
}
