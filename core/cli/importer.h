/* importer.h - files into the store: one thread reads and decodes, the caller's thread stores.
 * [layer: cli] */
#ifndef PT_IMPORTER_H
#define PT_IMPORTER_H

#include "data/reader.h"
#include "store/store.h"

#include <stdio.h>

enum { PT_IMPORT_REASONS_MAX = 64 }; /* more than there are */

struct pt_import_series { /* one series a file brought rows of */
    struct pt_series_key key;
    uint64_t rows;
    struct pt_put_stats put;
    int64_t first_us, last_us;
};

struct pt_import_file {
    const char *path; /* borrowed */
    struct pt_read_stats read;
    struct pt_put_stats put; /* sums over its series; in the end of what was committed */
    uint64_t repeated; /* rows whose key came again in the same batch: the last one was taken */
    struct pt_import_series *series; /* owned, [nseries] */
    size_t nseries;
    struct {
        const char *reason; /* static */
        uint64_t count;
    } reasons[PT_IMPORT_REASONS_MAX];
    size_t nreasons;
    uint64_t gaps,
        missing; /* holes, and bars in them, of the stored candles over the file's span */
    int64_t elapsed_us;
    bool failed; /* could not be read (to its end); what came before is stored */
    struct pt_err err;
};

struct pt_import_opts {
    struct pt_read_hint hint;
    uint64_t commit_rows;
    FILE *rejects;         /* "path:line<TAB>reason<TAB>text" lines, or NULL */
    bool (*stopped)(void); /* asked between batches */
    /* After each batch: bytes of the file read, rows stored; after each commit committed is true.
     */
    void (*progress)(void *arg, const struct pt_import_file *file, bool committed);
    void *arg;
};

/* Imports one file; *file is filled (pt_import_file_fini). What cannot be read is file->failed and
 * PT_OK; the store's failures are returned. stopped() commits what was taken: PT_ECANCEL. */
enum pt_code pt_import_run(struct pt_store *store, const char *path,
                           const struct pt_import_opts *opts, struct pt_import_file *file,
                           struct pt_err *err);
void pt_import_file_fini(struct pt_import_file *file);

#endif
