#include "data/doc.h"

#include "suite.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *json_of(const bson_t *doc, bool plain)
{
    static char text[65536];
    struct pt_buf out = { .data = NULL };
    struct pt_json json;
    pt_json_init(&json, &out);
    if (plain)
        pt_doc_json_plain(doc, &json);
    else
        pt_doc_json(doc, &json);
    CU_ASSERT_FATAL(!out.failed && out.len < sizeof text);
    memcpy(text, out.data, out.len + 1);
    pt_buf_fini(&out);
    return text;
}

static void test_values_are_found_by_path_and_type(void)
{
    bson_t *doc = BCON_NEW("a", "{", "b", "{", "text", "x", "n", BCON_INT32(7), "}", "list", "[",
                           BCON_INT64(5), "]", "}", "big", BCON_INT64(INT64_MAX), "real",
                           BCON_DOUBLE(1.5), "yes", BCON_BOOL(true), "none", BCON_NULL);
    const char *text = NULL;
    int64_t n = 0;
    double x = 0;
    bool yes = false;
    bson_t child;
    CU_ASSERT(pt_doc_text(doc, "a.b.text", &text) && strcmp(text, "x") == 0);
    CU_ASSERT(pt_doc_int(doc, "a.b.n", &n) && n == 7);
    CU_ASSERT(pt_doc_int(doc, "big", &n) && n == INT64_MAX);
    CU_ASSERT(pt_doc_double(doc, "real", &x) && x == 1.5);
    CU_ASSERT(pt_doc_bool(doc, "yes", &yes) && yes);
    CU_ASSERT(pt_doc_child(doc, "a.b", &child) && bson_count_keys(&child) == 2);
    CU_ASSERT(pt_doc_child(doc, "a.list", &child) && pt_doc_int(&child, "0", &n) && n == 5);
    CU_ASSERT(!pt_doc_int(doc, "real", &n) && !pt_doc_double(doc, "big", &x) &&
              !pt_doc_bool(doc, "a", &yes));
    CU_ASSERT(!pt_doc_text(doc, "a.b.none", &text) && !pt_doc_text(doc, "none", &text) &&
              !pt_doc_child(doc, "big", &child));
    CU_ASSERT(!pt_doc_text(doc, "a.b.text.c", &text));
    bson_destroy(doc);
}

static void test_json_has_the_types_of_the_api(void)
{
    bson_t *doc =
        BCON_NEW("d", BCON_DOUBLE(0.1), "z", BCON_DOUBLE(-0.0), "nan", BCON_DOUBLE((double)NAN),
                 "i", BCON_INT32(-3), "l", BCON_INT64(INT64_C(9007199254740993)), "t",
                 BCON_DATE_TIME(INT64_C(1735689600123)), "u",
                 BCON_DATE_TIME(INT64_C(1735689600000)), "n", BCON_NULL, "b", BCON_BOOL(false), "s",
                 "a\"b", "o", "{", "x", "[", BCON_DOUBLE(1e21), BCON_INT32(2), "{", "}", "]", "}",
                 "bin", BCON_BIN(BSON_SUBTYPE_BINARY, (const uint8_t *)"\1", 1));
    CU_ASSERT_STRING_EQUAL(json_of(doc, false),
                           "{\"d\":\"0.1\",\"z\":\"0\",\"nan\":null,\"i\":-3,\"l\":"
                           "9007199254740993,\"t\":\"2025-01-01T00:00:00.123Z\","
                           "\"u\":\"2025-01-01T00:00:00Z\",\"n\":null,\"b\":false,\"s\":\"a\\\"b\","
                           "\"o\":{\"x\":[\"1000000000000000000000\",2,{}]},\"bin\":null}");
    CU_ASSERT_EQUAL(strncmp(json_of(doc, true), "{\"d\":0.1,\"z\":", 13), 0);
    bson_destroy(doc);
}

static void test_a_document_deeper_than_the_writer_ends_in_null(void)
{
    bson_t *doc = bson_new();
    for (int i = 0; i < 90; i++) {
        bson_t *outer = bson_new();
        bson_append_document(outer, "a", 1, doc);
        bson_destroy(doc);
        doc = outer;
    }
    const char *text = json_of(doc, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"a\":null}"));
    size_t open = 0, close = 0;
    for (const char *p = text; *p; p++) open += *p == '{', close += *p == '}';
    CU_ASSERT(open == close && open > 40);
    bson_destroy(doc);
}

/* ---- wire ---- */

struct message {
    int fd;
    const void *bytes;
    size_t len, step; /* step: bytes a send */
};

static void *send_bytes(void *arg)
{
    const struct message *message = arg;
    for (size_t at = 0; at < message->len;) {
        size_t n = message->len - at < message->step ? message->len - at : message->step;
        ssize_t sent = send(message->fd, (const char *)message->bytes + at, n, MSG_NOSIGNAL);
        if (sent < 0) break;
        at += (size_t)sent;
    }
    shutdown(message->fd, SHUT_WR);
    return NULL;
}

/* What the receiver says to these bytes, the stream closed behind them. */
static enum pt_code receive(const void *bytes, size_t len, size_t step, uint32_t max, bson_t **doc)
{
    int fds[2];
    pthread_t thread;
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct message message = { fds[0], bytes, len, step };
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_bytes, &message), 0);
    enum pt_code rc = pt_wire_recv(fds[1], max, doc, &err);
    close(fds[1]);
    pthread_join(thread, NULL);
    close(fds[0]);
    return rc;
}

static void test_documents_cross_a_stream_whole(void)
{
    int fds[2];
    struct pt_err err;
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (int i = 0; i < 50; i++) {
        bson_t *doc = BCON_NEW("n", BCON_INT32(i), "text", "abc"), *back = NULL;
        CU_ASSERT_EQUAL(pt_wire_send(fds[0], doc, &err), PT_OK);
        CU_ASSERT_EQUAL_FATAL(pt_wire_recv(fds[1], 1000, &back, &err), PT_OK);
        CU_ASSERT(bson_equal(doc, back));
        bson_destroy(doc);
        bson_destroy(back);
    }
    close(fds[1]);
    bson_t *doc = BCON_NEW("n", BCON_INT32(1));
    CU_ASSERT_EQUAL(pt_wire_send(fds[0], doc, &err), PT_EIO); /* and no SIGPIPE */
    bson_destroy(doc);
    close(fds[0]);
}

static void test_big_documents_come_in_pieces(void)
{
    char *text = malloc(3000000);
    memset(text, 'x', 2999999);
    text[2999999] = '\0';
    bson_t *doc = BCON_NEW("text", text), *back = NULL;
    CU_ASSERT_EQUAL_FATAL(receive(bson_get_data(doc), doc->len, 70001, 64u << 20, &back), PT_OK);
    CU_ASSERT(bson_equal(doc, back));
    bson_destroy(back);
    CU_ASSERT_EQUAL(receive(bson_get_data(doc), doc->len, 70001, 1u << 20, &back), PT_ERANGE);
    CU_ASSERT_PTR_NULL(back);
    bson_destroy(doc);
    free(text);
}

static void test_an_end_is_told_from_a_tear_and_from_rubbish(void)
{
    bson_t *doc = BCON_NEW("n", BCON_INT32(1), "s", "text"), *back;
    uint8_t bytes[64];
    CU_ASSERT_EQUAL(receive("", 0, 1, 1000, &back), PT_ENOENT);
    for (size_t len = 1; len < doc->len; len++) {
        CU_ASSERT_EQUAL(receive(bson_get_data(doc), len, 3, 1000, &back), PT_EDAMAGE);
        CU_ASSERT_PTR_NULL(back);
    }
    CU_ASSERT_EQUAL(receive("\4\0\0\0", 4, 4, 1000, &back), PT_EDAMAGE);
    CU_ASSERT_EQUAL(receive("\377\377\377\377", 4, 4, UINT32_MAX, &back), PT_EDAMAGE);
    CU_ASSERT_EQUAL(receive("HTTP/1.1 400", 12, 12, 64u << 20, &back), PT_ERANGE);
    for (size_t at = 4; at < doc->len;
         at++) { /* any byte may be wrong: a document comes out, or damage */
        memcpy(bytes, bson_get_data(doc), doc->len);
        bytes[at] ^= 0x81;
        enum pt_code rc = receive(bytes, doc->len, 64, 1000, &back);
        CU_ASSERT(rc == PT_EDAMAGE || rc == PT_OK);
        if (rc == PT_OK) {
            json_of(back, false);
            bson_destroy(back);
        }
    }
    memcpy(bytes, bson_get_data(doc), doc->len);
    bytes[doc->len - 1] = 1; /* not closed */
    CU_ASSERT_EQUAL(receive(bytes, doc->len, 64, 1000, &back), PT_EDAMAGE);
    bson_destroy(doc);
}

static CU_TestInfo tests[] = {
    { "values are found by path and type", test_values_are_found_by_path_and_type },
    { "JSON has the types of the API", test_json_has_the_types_of_the_api },
    { "a document deeper than the writer ends in null",
      test_a_document_deeper_than_the_writer_ends_in_null },
    { "documents cross a stream whole", test_documents_cross_a_stream_whole },
    { "big documents come in pieces", test_big_documents_come_in_pieces },
    { "an end is told from a tear and from rubbish",
      test_an_end_is_told_from_a_tear_and_from_rubbish },
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return pt_suite_main("doc", tests);
}
