/* progress.c - see progress.h */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

void pt_progress_start(struct pt_progress *progress, const char *what, const char *unit,
                       uint64_t total, bool off)
{
    int64_t now = pt_mono_us();
    *progress = (struct pt_progress){ .what = what,
                                      .unit = unit,
                                      .total = total,
                                      .started_us = now,
                                      .shown_us = now,
                                      .terminal = isatty(STDERR_FILENO) == 1,
                                      .off = off };
}

static void print_rate(double rate, const char *unit)
{
    if (rate >= 1e6)
        fprintf(stderr, "%.1f M %s/s", rate / 1e6, unit);
    else if (rate >= 1e4)
        fprintf(stderr, "%.0f k %s/s", rate / 1e3, unit);
    else
        fprintf(stderr, "%.0f %s/s", rate, unit);
}

void pt_progress_show(struct pt_progress *progress, uint64_t done, uint64_t rate_of)
{
    int64_t now = pt_mono_us();
    if (progress->off || now - progress->shown_us < (progress->terminal ? 100000 : 5000000)) return;
    progress->shown_us = now;
    double seconds = (double)(now - progress->started_us) / 1e6;
    double share = progress->total == 0 ? 0 : (double)done / (double)progress->total;
    if (share > 1) share = 1;
    fprintf(stderr, progress->terminal ? "\r\033[K%s " : "%s ", progress->what);
    if (progress->total != 0) {
        if (progress->terminal) {
            int full = (int)(share * BAR_WIDTH);
            putc('[', stderr);
            for (int i = 0; i < BAR_WIDTH; i++) putc(i < full ? '#' : '.', stderr);
            fputs("] ", stderr);
        }
        fprintf(stderr, "%3.0f %%  ", share * 100);
    }
    print_rate((double)rate_of / seconds, progress->unit);
    if (share > 0 && share < 1) fprintf(stderr, "  %.0f s left", seconds * (1 - share) / share);
    if (!progress->terminal) putc('\n', stderr);
    fflush(stderr);
}

void pt_progress_end(struct pt_progress *progress)
{
    if (!progress->off && progress->terminal) fputs("\r\033[K", stderr);
}
