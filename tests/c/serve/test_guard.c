#include "suite.h"

#include "serve/guard.h"
#include "serve/request.h"

#include <string.h>

struct line {
    const char *name, *value;
};

static enum pt_code guard(const struct line *lines, bool http_1_1, bool reads_body, bool *close)
{
    struct pt_heads heads = { 0 };
    for (; lines->name != NULL; lines++) {
        enum pt_code rc = pt_guard_header(&heads, lines->name, lines->value, NULL);
        if (rc != PT_OK) return rc;
    }
    return pt_guard_heads(&heads, http_1_1, reads_body, close, NULL);
}

#define HOST                                                                                       \
    {                                                                                              \
        "Host", "localhost"                                                                        \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static void test_requests_that_two_readers_would_cut_differently_are_refused(void)
{
    static const struct line bad[][5] = {
        { HOST, { "Content-Length", "3" }, { "content-length", "4" }, END },
        { HOST, { "Content-Length", "3" }, { "Content-Length", "3" }, END },
        { HOST, { "Content-Length ", "3" }, END },
        { HOST, { "Content-Length", "+5" }, END },
        { HOST, { "Content-Length", "" }, END },
        { HOST, { "Content-Length", "5 5" }, END },
        { HOST, { "Transfer-Encoding", "identity, chunked" }, END },
        { HOST, { "Transfer-Encoding", "gzip" }, END },
        { HOST, { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" }, END },
        { HOST, { "Transfer-Encoding", "chunked" }, { "Content-Length", "3" }, END },
        { HOST, HOST, END },
        { END },
        { HOST, { "X\x01Y", "1" }, END },
        { HOST, { "X\xc3\xa4", "1" }, END },
        { HOST, { "", "1" }, END },
    };
    bool close;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(guard(bad[i], true, true, &close), PT_EINVAL);
    }
    static const struct line old[] = { HOST, { "Transfer-Encoding", "chunked" }, END };
    CU_ASSERT_EQUAL(guard(old, false, true, &close), PT_EINVAL);
}

static void test_plain_requests_pass(void)
{
    static const struct line plain[] = {
        HOST, { "Accept", "*/*" }, { "X-Y_z!#$%&'*+.^`|~", "" }, END
    };
    static const struct line body[] = { HOST, { "Content-Length", "3" }, END };
    static const struct line chunked[] = { HOST, { "Transfer-Encoding", "Chunked" }, END };
    static const struct line zero[] = { HOST, { "Content-Length", "000" }, END };
    static const struct line bare[] = { END };
    bool close = true;
    CU_ASSERT_EQUAL(guard(plain, true, false, &close), PT_OK);
    CU_ASSERT_FALSE(close);
    CU_ASSERT_EQUAL(guard(body, true, true, &close), PT_OK);
    CU_ASSERT_FALSE(close);
    CU_ASSERT_EQUAL(guard(chunked, true, true, &close), PT_OK);
    CU_ASSERT_EQUAL(guard(zero, true, false, &close), PT_OK);
    CU_ASSERT_FALSE(close);
    CU_ASSERT_EQUAL(guard(bare, false, false, &close), PT_OK);
}

static void test_a_body_that_was_not_read_ends_the_connection(void)
{
    static const struct line body[] = { HOST, { "Content-Length", "30" }, END };
    static const struct line chunked[] = { HOST, { "Transfer-Encoding", "chunked" }, END };
    bool close = false;
    CU_ASSERT_EQUAL(guard(body, true, false, &close), PT_OK);
    CU_ASSERT_TRUE(close);
    close = false;
    CU_ASSERT_EQUAL(guard(chunked, true, false, &close), PT_OK);
    CU_ASSERT_TRUE(close);
}

static void test_addresses_are_visible_ascii(void)
{
    CU_ASSERT_EQUAL(pt_guard_uri("/a?b=%20c", NULL), PT_OK);
    CU_ASSERT_EQUAL(pt_guard_uri("/a b", NULL), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_guard_uri("/a\tb", NULL), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_guard_uri("/\xc3\xa4", NULL), PT_EINVAL);
    CU_ASSERT_EQUAL(pt_guard_uri("/\x7f", NULL), PT_EINVAL);
}

static void test_secrets_are_the_same_only_when_all_is(void)
{
    CU_ASSERT_TRUE(pt_guard_same("secret", "secret"));
    CU_ASSERT_FALSE(pt_guard_same("secret", "secreT"));
    CU_ASSERT_FALSE(pt_guard_same("secret", "Xecret"));
    CU_ASSERT_FALSE(pt_guard_same("secret", "secretsecret"));
    CU_ASSERT_FALSE(pt_guard_same("secret", "secre"));
    CU_ASSERT_FALSE(pt_guard_same("secret", ""));
}

static void test_gzip_is_sent_only_to_those_who_take_it(void)
{
    static const char *const yes[] = {
        "gzip",   "deflate, gzip", "GZIP;q=0.5", "*", "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "x-gzip", "gzip ; q=1"
    };
    static const char *const no[] = { "",        "identity", "br",  "gzip;q=0", "gzip;q=0.000, *",
                                      "gzipped", "*;q=0",    " , ," };
    CU_ASSERT_FALSE(pt_accepts_gzip(NULL));
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) CU_ASSERT_TRUE(pt_accepts_gzip(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) CU_ASSERT_FALSE(pt_accepts_gzip(no[i]));
}

static void test_csv_is_sent_only_to_those_who_prefer_it(void)
{
    static const char *const yes[] = { "text/csv", "text/csv, */*",
                                       "TEXT/CSV;q=0.9, application/json;q=0.5",
                                       "text/csv;header=present", "application/json, text/csv" };
    static const char *const no[] = { "",
                                      "*/*",
                                      "application/json",
                                      "text/*",
                                      "application/json, text/csv;q=0.5",
                                      "text/csv;q=0",
                                      "text/html, application/xhtml+xml, */*;q=0.8" };
    CU_ASSERT_FALSE(pt_accepts_csv(NULL));
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) CU_ASSERT_TRUE(pt_accepts_csv(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) CU_ASSERT_FALSE(pt_accepts_csv(no[i]));
}

static void test_tags_match_weakly(void)
{
    const char *tag = "W/\"00ff\"";
    static const char *const yes[] = { "W/\"00ff\"",        "\"00ff\"",        "*",
                                       "\"a\", W/\"00ff\"", "\"a\",\"00ff\" ", " W/\"00ff\" " };
    static const char *const no[] = {
        "", "\"00fe\"", "00ff", "\"00ff", "\"00ff\"x", "\"a\", \"b\""
    };
    CU_ASSERT_FALSE(pt_etag_matches(NULL, tag));
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        CU_ASSERT_TRUE(pt_etag_matches(yes[i], tag));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        CU_ASSERT_FALSE(pt_etag_matches(no[i], tag));
}

static CU_TestInfo tests[] = {
    { "requests that two readers would cut differently are refused",
      test_requests_that_two_readers_would_cut_differently_are_refused },
    { "plain requests pass", test_plain_requests_pass },
    { "a body that was not read ends the connection",
      test_a_body_that_was_not_read_ends_the_connection },
    { "addresses are visible ASCII", test_addresses_are_visible_ascii },
    { "secrets are the same only when all is", test_secrets_are_the_same_only_when_all_is },
    { "gzip is sent only to those who take it", test_gzip_is_sent_only_to_those_who_take_it },
    { "CSV is sent only to those who prefer it", test_csv_is_sent_only_to_those_who_prefer_it },
    { "tags match weakly", test_tags_match_weakly },
    CU_TEST_INFO_NULL
};

int main(void)
{
    return pt_suite_main("test_guard", tests);
}
