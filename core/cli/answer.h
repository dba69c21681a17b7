/* answer.h - what the daemon answers, as a command reads it.                   [layer: cli] */
#ifndef PT_ANSWER_H
#define PT_ANSWER_H

#include "base/buf.h"
#include "data/doc.h"

/* *answer: bson_destroy. PT_EIO: it is no JSON. */
enum pt_code pt_answer_read(const struct pt_buf *body, bson_t **answer, struct pt_err *err);

/* The value at a path, else fallback, else 0; texts are borrowed. */
const char *pt_answer_text(const bson_t *answer, const char *path, const char *fallback);
int64_t pt_answer_int(const bson_t *answer, const char *path);
/* " FILE:LINE: MESSAGE", or without the line where there is none; nothing without a message. */
void pt_answer_print_where(const bson_t *answer, const char *prefix);

#endif
