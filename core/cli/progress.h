/* progress.h - how far a long job is: a bar on a terminal, plain lines elsewhere.  [layer: cli] */
#ifndef PT_PROGRESS_H
#define PT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct pt_progress {
    const char *what, *unit; /* borrowed: "import", "rows" */
    uint64_t total;          /* 0 = unknown */
    int64_t started_us, shown_us;
    bool terminal, off;
};

/* Writes to stderr. off: shows nothing (--quiet). Plain lines come every 5 s, a bar is redrawn 10
 * times a second. */
void pt_progress_start(struct pt_progress *progress, const char *what, const char *unit,
                       uint64_t total, bool off);
/* done of total; rate_of: the count whose rate is shown (rows), often the same as done. */
void pt_progress_show(struct pt_progress *progress, uint64_t done, uint64_t rate_of);
void pt_progress_end(struct pt_progress *progress); /* clears the bar */

#endif
