/* target.c - see target.h */
#include "cli/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A link is followed, a device or pipe is written to: renaming would put a file in its place. */
enum pt_code pt_target_find(struct pt_target *target, const char *path, const char *needs_file,
                            struct pt_err *err)
{
    struct stat st;
    *target = (struct pt_target){ .path = path };
    if (path == NULL) return PT_OK;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return pt_fail(err, PT_EINVAL, "%s is a folder", path);
        if (!S_ISREG(st.st_mode))
            return needs_file
                       ? pt_fail(err, PT_EINVAL, "%s is no file; %s needs one", path, needs_file)
                       : PT_OK;
        if (realpath(path, target->real) == NULL)
            return pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
        target->path = target->real;
    }
    if ((size_t)snprintf(target->beside, sizeof target->beside, "%s.partial", target->path) >=
        sizeof target->beside)
        return pt_fail(err, PT_EINVAL, "--output: the path is too long");
    target->partial = target->beside;
    return PT_OK;
}

enum pt_code pt_target_clear(const struct pt_target *target, struct pt_err *err)
{
    if (target->partial != NULL && remove(target->partial) != 0 && errno != ENOENT)
        return pt_fail(err, PT_EIO, "%s: %s", target->partial, strerror(errno));
    return PT_OK;
}

enum pt_code pt_target_open(struct pt_target *target, struct pt_err *err)
{
    const char *path = target->partial != NULL ? target->partial : target->path;
    enum pt_code rc = pt_target_clear(target, err);
    if (rc != PT_OK) return rc;
    target->file = path == NULL ? stdout : fopen(path, "w");
    return target->file != NULL ? PT_OK : pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
}

enum pt_code pt_target_close(struct pt_target *target, enum pt_code rc, struct pt_err *err)
{
    const char *path = target->path, *partial = target->partial;
    if (path == NULL) return rc;
    if (target->file != NULL && fclose(target->file) != 0 && rc == PT_OK)
        rc = pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
    if (partial == NULL) return rc;
    if (rc == PT_OK && rename(partial, path) != 0)
        rc = pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
    if (rc != PT_OK) remove(partial);
    return rc;
}
