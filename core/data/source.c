/* source.c - the bytes of a file: plain, gzip, zip.                            [layer: data] */
#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#define BLOCK_BYTES (256u << 10)
#define LOCAL_HEADER 30 /* bytes of a zip member's header before its name */

enum packing { PLAIN, GZIP, ZIP, ZIP_TORN };

struct pt_source {
    int fd;
    enum packing packing;
    uint64_t bytes_in, bytes_total, inflated, max_inflated;
    bool ended; /* the file has no more bytes */

    unsigned char *block; /* bytes read and not yet taken: [at, end) */
    size_t at, end;

    z_stream inflate;
    bool inflating; /* `inflate` is initialised */
    bool member;    /* inside a packed member */

    zip_t *zip;
    zip_file_t *file;
    zip_int64_t entry, entries;
    uint64_t entry_packed, entry_size, entry_read;
    const char *part; /* of libzip */
};

static enum pt_code read_file(struct pt_source *source, void *out, size_t cap, size_t *n,
                              struct pt_err *err)
{
    ssize_t got = 0;
    while (!source->ended) {
        got = read(source->fd, out, cap);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return pt_fail(err, PT_EIO, "read: %s", strerror(errno));
        source->ended = got == 0;
        break;
    }
    *n = (size_t)got;
    return PT_OK;
}

static enum pt_code fill(struct pt_source *source, struct pt_err *err)
{
    source->at = source->end = 0;
    return read_file(source, source->block, BLOCK_BYTES, &source->end, err);
}

static enum pt_code zlib_failed(struct pt_source *source, int zc, struct pt_err *err)
{
    if (zc == Z_MEM_ERROR) return pt_fail(err, PT_ENOMEM, "inflate");
    return pt_fail(err, PT_EDAMAGE, "damaged after %llu inflated bytes: %s",
                   (unsigned long long)source->inflated,
                   source->inflate.msg ? source->inflate.msg : "unexpected end");
}

/* ---- zip ---- */

static bool is_csv(const char *name)
{
    size_t len = strlen(name);
    return len > 4 && strcasecmp(name + len - 4, ".csv") == 0;
}

static enum pt_code zip_next(struct pt_source *source, struct pt_err *err)
{
    if (source->file) {
        source->bytes_in += source->entry_packed;
        zip_fclose(source->file);
        source->file = NULL;
    }
    source->part = NULL;
    for (; source->entry < source->entries; source->entry++) {
        zip_stat_t stat;
        if (zip_stat_index(source->zip, (zip_uint64_t)source->entry, 0, &stat) != 0 ||
            !(stat.valid & ZIP_STAT_NAME))
            return pt_fail(err, PT_EDAMAGE, "zip member %lld: %s", (long long)source->entry + 1,
                           zip_strerror(source->zip));
        if (!is_csv(stat.name)) continue;
        source->file = zip_fopen_index(source->zip, (zip_uint64_t)source->entry, 0);
        if (!source->file)
            return pt_fail(err, PT_EDAMAGE, "zip member %s: %s", stat.name,
                           zip_strerror(source->zip));
        source->entry++;
        source->part = stat.name;
        source->entry_packed = stat.valid & ZIP_STAT_COMP_SIZE ? stat.comp_size : 0;
        source->entry_size = stat.valid & ZIP_STAT_SIZE ? stat.size : 0;
        source->entry_read = 0;
        return PT_OK;
    }
    return PT_OK;
}

static enum pt_code zip_read(struct pt_source *source, char *out, size_t cap, size_t *n,
                             struct pt_err *err)
{
    zip_int64_t got = zip_fread(source->file, out, cap);
    if (got < 0)
        return pt_fail(err, PT_EDAMAGE, "zip member %s: %s", source->part,
                       zip_file_strerror(source->file));
    source->entry_read += (uint64_t)got;
    *n = (size_t)got;
    return PT_OK;
}

/* A zip whose directory is gone was cut while it was copied. Its first member is still readable. */
static enum pt_code torn_start(struct pt_source *source, struct pt_err *err)
{
    if (source->end < LOCAL_HEADER)
        return pt_fail(err, PT_EDAMAGE, "zip is cut in its first header");
    const unsigned char *head = source->block;
    size_t skip = LOCAL_HEADER + ((size_t)head[26] | (size_t)head[27] << 8) +
                  ((size_t)head[28] | (size_t)head[29] << 8);
    if (skip > source->end) return pt_fail(err, PT_EDAMAGE, "zip is cut in its first header");
    if (head[8] != Z_DEFLATED || head[9] != 0)
        return pt_fail(err, PT_EDAMAGE, "zip without directory, and not deflated");
    source->at = skip;
    return PT_OK;
}

/* ---- gzip ---- */

/* Behind a member: another one, padding of zeros, or the end. */
static enum pt_code gzip_more(struct pt_source *source, bool *more, struct pt_err *err)
{
    *more = false;
    for (;;) {
        while (source->at < source->end && source->block[source->at] == 0) source->at++;
        if (source->at < source->end) break;
        enum pt_code rc = fill(source, err);
        if (rc != PT_OK) return rc;
        if (source->ended) return PT_OK;
    }
    if (source->block[source->at] != 0x1f)
        return pt_fail(err, PT_EDAMAGE, "bytes behind the end of the gzip data");
    *more = true;
    return PT_OK;
}

static enum pt_code inflate_read(struct pt_source *source, char *out, size_t cap, size_t *n,
                                 struct pt_err *err)
{
    z_stream *z = &source->inflate;
    enum pt_code rc;
    z->next_out = (unsigned char *)out;
    z->avail_out = (unsigned)(cap < INT_MAX ? cap : INT_MAX);
    unsigned room = z->avail_out;

    while (z->avail_out == room) {
        if (!source->member) {
            bool more;
            if (source->packing == ZIP_TORN)
                return pt_fail(err, PT_EDAMAGE, "zip is cut behind its first member");
            if ((rc = gzip_more(source, &more, err)) != PT_OK) return rc;
            if (!more) break;
            if (inflateReset(z) != Z_OK) return zlib_failed(source, Z_STREAM_ERROR, err);
            source->member = true;
        }
        if (source->at == source->end) {
            if ((rc = fill(source, err)) != PT_OK) return rc;
            if (source->ended)
                return pt_fail(err, PT_EDAMAGE, "cut off inside its compressed data");
        }
        z->next_in = source->block + source->at;
        z->avail_in = (unsigned)(source->end - source->at);
        int zc = inflate(z, Z_NO_FLUSH);
        size_t taken = source->end - source->at - z->avail_in;
        source->at += taken;
        source->bytes_in += taken;
        if (zc == Z_STREAM_END) {
            source->member = false;
        } else if (zc != Z_OK && zc != Z_BUF_ERROR) {
            if (z->avail_out < room)
                break; /* hand out what is good; the next call meets it again */
            return zlib_failed(source, zc, err);
        }
    }
    *n = room - z->avail_out;
    return PT_OK;
}

/* ---- all ---- */

enum pt_code pt_source_read(struct pt_source *source, char *out, size_t cap, size_t *n,
                            struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *n = 0;
    switch (source->packing) {
    case PLAIN:
        if (source->at == source->end) {
            rc = read_file(source, out, cap, n, err);
        } else { /* what was read to tell the packing */
            *n = source->end - source->at < cap ? source->end - source->at : cap;
            memcpy(out, source->block + source->at, *n);
            source->at += *n;
        }
        source->bytes_in += *n;
        return rc;
    case ZIP:
        if (source->file) rc = zip_read(source, out, cap, n, err);
        break;
    default: rc = inflate_read(source, out, cap, n, err); break;
    }
    if (rc != PT_OK) return rc;
    if (*n > source->max_inflated - source->inflated) {
        *n = 0;
        return pt_fail(err, PT_ERANGE, "inflates to more than %llu bytes",
                       (unsigned long long)source->max_inflated);
    }
    source->inflated += *n;
    return PT_OK;
}

enum pt_code pt_source_next(struct pt_source *source, const char **name, struct pt_err *err)
{
    enum pt_code rc = source->packing == ZIP ? zip_next(source, err) : PT_OK;
    *name = source->packing == ZIP ? source->part : NULL;
    return rc;
}

const char *pt_source_part(const struct pt_source *source)
{
    return source->part;
}

void pt_source_progress(const struct pt_source *source, uint64_t *bytes_in, uint64_t *bytes_total)
{
    *bytes_in = source->bytes_in;
    *bytes_total = source->bytes_total;
    if (source->file && source->entry_size > 0) {
        double part = (double)source->entry_read / (double)source->entry_size;
        *bytes_in += (uint64_t)((double)source->entry_packed * (part < 1 ? part : 1));
    }
}

static enum pt_code open_zip(struct pt_source *source, const char *path, struct pt_err *err)
{
    int code = 0;
    source->zip = zip_open(path, ZIP_RDONLY, &code);
    if (!source->zip) {
        source->packing = ZIP_TORN;
        if (inflateInit2(&source->inflate, -MAX_WBITS) != Z_OK)
            return pt_fail(err, PT_ENOMEM, "inflate");
        source->inflating = source->member = true;
        return torn_start(source, err);
    }
    source->entries = zip_get_num_entries(source->zip, 0);
    enum pt_code rc = zip_next(source, err);
    if (rc == PT_OK && !source->part)
        rc = pt_fail(err, PT_EINVAL, "not market data: no .csv in the archive");
    return rc;
}

enum pt_code pt_source_open(const char *path, uint64_t max_inflated, struct pt_source **out,
                            struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    struct stat stat;
    struct pt_source *source = calloc(1, sizeof *source);
    if (!source) return pt_fail(err, PT_ENOMEM, "%s", path);
    source->fd = -1;
    source->max_inflated = max_inflated;
    source->block = malloc(BLOCK_BYTES);
    if (!source->block) {
        rc = pt_fail(err, PT_ENOMEM, "%s", path);
        goto out;
    }

    source->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &stat) != 0) {
        rc = pt_fail(err, errno == ENOENT ? PT_ENOENT : PT_EIO, "open: %s", strerror(errno));
        goto out;
    }
    if (S_ISDIR(stat.st_mode)) {
        rc = pt_fail(err, PT_EINVAL, "is a folder, not a file");
        goto out;
    }
    if (S_ISREG(stat.st_mode)) source->bytes_total = (uint64_t)stat.st_size;
    if ((rc = fill(source, err)) != PT_OK) goto out;

    const unsigned char *head = source->block;
    if (source->end >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
        source->packing = GZIP;
        if (inflateInit2(&source->inflate, MAX_WBITS + 16) != Z_OK) {
            rc = pt_fail(err, PT_ENOMEM, "inflate");
            goto out;
        }
        source->inflating = source->member = true;
    } else if (source->end >= 4 && memcmp(head, "PK\3\4", 4) == 0) {
        source->packing = ZIP;
        rc = open_zip(source, path, err);
    }
out:
    if (rc != PT_OK) {
        pt_source_close(source);
        source = NULL;
    }
    *out = source;
    return rc;
}

void pt_source_close(struct pt_source *source)
{
    if (!source) return;
    if (source->file) zip_fclose(source->file);
    if (source->zip) zip_discard(source->zip);
    if (source->inflating) inflateEnd(&source->inflate);
    if (source->fd >= 0) close(source->fd);
    free(source->block);
    free(source);
}
