/* answer.c - what the daemon answers, as a command reads it. */
#include "cli/answer.h"

#include <inttypes.h>
#include <stdio.h>

enum pt_code pt_answer_read(const struct pt_buf *body, bson_t **answer, struct pt_err *err)
{
    bson_error_t why;
    *answer = bson_new_from_json((const uint8_t *)body->data, (ssize_t)body->len, &why);
    if (*answer != NULL) return PT_OK;
    return pt_fail(err, PT_EIO, "the daemon's answer is no JSON: %.200s", why.message);
}

const char *pt_answer_text(const bson_t *answer, const char *path, const char *fallback)
{
    const char *text;
    return pt_doc_text(answer, path, &text) ? text : fallback;
}

int64_t pt_answer_int(const bson_t *answer, const char *path)
{
    int64_t v = 0;
    pt_doc_int(answer, path, &v);
    return v;
}

void pt_answer_print_where(const bson_t *answer, const char *prefix)
{
    const char *message = pt_answer_text(answer, "message", "");
    int64_t line = pt_answer_int(answer, "line");
    if (message[0] == '\0') return;
    printf("%s%s:", prefix, pt_answer_text(answer, "file", "?"));
    if (line > 0) printf("%" PRId64 ":", line);
    printf(" %s", message);
}
