/* backup.c - a compacted copy of the store while it is in use.                 [layer: store] */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pt_code io_failed(struct pt_err *err, const char *path)
{
    int why = errno;
    enum pt_code code = why == ENOSPC || why == EDQUOT || why == EFBIG ? PT_EFULL
                        : why == EEXIST                                ? PT_EBUSY
                                                                       : PT_EIO;
    return pt_fail(err, code, "backup to %s: %s", path, strerror(why));
}

static enum pt_code sync_folder(const char *path, struct pt_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return io_failed(err, path);
    enum pt_code rc = fsync(fd) == 0 ? PT_OK : io_failed(err, path);
    close(fd);
    return rc;
}

/* The copy gets its name when it is whole, so that a broken one is never taken for a backup. */
static enum pt_code copy_file(struct pt_store *store, const char *part, const char *path,
                              struct pt_err *err)
{
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) return io_failed(err, part);
    enum pt_code rc = PT_OK;
    int mc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
    if (mc != 0) rc = pt_lmdb_fail(err, mc, "backup to %s", path);
    if (rc == PT_OK && fsync(fd) != 0) rc = io_failed(err, path);
    close(fd);
    if (rc == PT_OK && link(part, path) != 0) rc = io_failed(err, path); /* never over another */
    unlink(part);
    return rc;
}

static bool is_file_name(const char *path)
{
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".mdb") == 0;
}

enum pt_code pt_store_backup(struct pt_store *store, const char *path, struct pt_err *err)
{
    struct stat st;
    bool folder = !is_file_name(path);
    size_t len = strlen(path) + 32;
    char *file = malloc(len), *part = malloc(len);
    enum pt_code rc = PT_OK;
    if (!file || !part) {
        rc = pt_fail(err, PT_ENOMEM, "backup to %s", path);
    } else if (lstat(path, &st) == 0) {
        rc = pt_fail(err, PT_EBUSY, "backup to %s: it exists already", path);
    } else {
        snprintf(file, len, "%s%s", path, folder ? "/data.mdb" : "");
        snprintf(part, len, "%s.part", file);
        if (folder && mkdir(path, 0750) != 0) rc = io_failed(err, path);
        if (rc == PT_OK) {
            rc = copy_file(store, part, file, err);
            if (folder && rc == PT_OK) rc = sync_folder(path, err);
            if (folder && rc != PT_OK) rmdir(path);
        }
    }
    free(file);
    free(part);
    return rc;
}
