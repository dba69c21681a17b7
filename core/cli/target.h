/* target.h - where a command writes: a file that gets its name when it is whole, or standard
 * output. [layer: cli] */
#ifndef PT_TARGET_H
#define PT_TARGET_H

#include "base/err.h"

#include <limits.h>
#include <stdio.h>

struct pt_target {
    const char *path;    /* NULL: standard output */
    const char *partial; /* written first, then renamed; NULL: a device or pipe, written straight */
    FILE *file;          /* after pt_target_open */
    char real[PATH_MAX], beside[PATH_MAX];
};

/* path NULL: standard output. A link is followed. needs_file: what a device or pipe will not do for
 * ("sqlite"), or NULL. Nothing is touched yet. */
enum pt_code pt_target_find(struct pt_target *target, const char *path, const char *needs_file,
                            struct pt_err *err);
/* Removes what an earlier run left. */
enum pt_code pt_target_clear(const struct pt_target *target, struct pt_err *err);
enum pt_code pt_target_open(struct pt_target *target, struct pt_err *err);
/* Closes and, when rc is PT_OK, gives the file its name; else nothing is left of it. Returns rc, or
 * what went wrong. */
enum pt_code pt_target_close(struct pt_target *target, enum pt_code rc, struct pt_err *err);

#endif
