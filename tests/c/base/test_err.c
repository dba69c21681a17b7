#include "base/err.h"
#include "suite.h"

#include <string.h>

static void test_says_what_and_where(void)
{
    struct pt_err err = { .code = PT_OK };
    int line = __LINE__ + 1;
    enum pt_code rc = pt_fail(&err, PT_ENOENT, "%s: gone", "a.csv");
    CU_ASSERT(rc == PT_ENOENT && err.code == PT_ENOENT);
    CU_ASSERT_EQUAL(err.line, line);
    CU_ASSERT_STRING_EQUAL(err.file, __FILE__);
    CU_ASSERT_STRING_EQUAL(err.text, "a.csv: gone");
    CU_ASSERT_EQUAL(pt_fail(NULL, PT_EBUSY, "%d", 1), PT_EBUSY);
}

static void test_puts_words_before_a_text(void)
{
    struct pt_err err;
    pt_fail(&err, PT_EIO, "disk gone");
    CU_ASSERT_EQUAL(pt_err_prefix(&err, "import %s: ", "a.csv"), PT_EIO);
    CU_ASSERT_STRING_EQUAL(err.text, "import a.csv: disk gone");
    pt_fail(&err, PT_EINVAL, "again: %s", err.text); /* its own text as an argument */
    CU_ASSERT_STRING_EQUAL(err.text, "again: import a.csv: disk gone");
}

static void test_stays_one_line_of_its_size(void)
{
    struct pt_err err;
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    pt_fail(&err, PT_EINVAL, "%s", long_text);
    CU_ASSERT_EQUAL(strlen(err.text), sizeof err.text - 1);
    pt_err_prefix(&err, "%s", long_text);
    CU_ASSERT_EQUAL(strlen(err.text), sizeof err.text - 1);
    memcpy(long_text + sizeof err.text - 3, "\xe2\x82\xac", 3); /* would be cut in two */
    pt_fail(&err, PT_EINVAL, "%s", long_text);
    CU_ASSERT_EQUAL(strlen(err.text), sizeof err.text - 3);
    pt_fail(&err, PT_EINVAL, "a\nb\r\tc\x1b[0m");
    CU_ASSERT_STRING_EQUAL(err.text, "a b  c [0m");
}

static void test_every_code_has_words(void)
{
#define X(name, text) CU_ASSERT_STRING_EQUAL(pt_code_text(name), text);
    PT_CODES(X)
#undef X
    CU_ASSERT_STRING_EQUAL(pt_code_text((enum pt_code)1000), "unknown error");
    struct pt_err err;
    pt_fail(&err, PT_ENOMEM, "%s", "");
    CU_ASSERT_STRING_EQUAL(err.text, "out of memory");
}

static CU_TestInfo tests[] = {
    { "says what and where", test_says_what_and_where },
    { "puts words before a text", test_puts_words_before_a_text },
    { "stays one line of its size", test_stays_one_line_of_its_size },
    { "every code has words", test_every_code_has_words },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("err", tests);
}
