/* dump.h - rows as text: export CSV and JSON lines, and the CSV form of replies.  [layer: data]
 * import(export(x)) = x: times in us, exact digits, empty = missing, enum as its word, bool as 0/1, columns
 * wider than 1 as name_1 .. name_N. */
#ifndef PT_DUMP_H
#define PT_DUMP_H

#include "base/buf.h"
#include "data/frame.h"

void pt_dump_csv_header(const struct pt_kind *kind, struct pt_buf *out);
void pt_dump_csv(const struct pt_frame *frame, size_t from, size_t n, struct pt_buf *out);
void pt_dump_jsonl(const struct pt_frame *frame, size_t from, size_t n, struct pt_buf *out);

#endif
