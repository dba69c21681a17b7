/* sources.c - the texts of the script folders, read and hashed, nothing run.   [layer: flow] */
#include "flow/places.h"
#include "flow/scripts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define SCRIPT_BYTES_MAX (1 << 20)

const char *const pt_script_folders[] = { "calculators", "regimes", "anomalies",
                                          "alerts",      "lib",     NULL };

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && memcmp(text + n - m, end, m) == 0;
}

/* A script's own spec stands beside it and is no script. */
bool pt_source_is_script(const char *name)
{
    return name[0] != '.' && ends_with(name, ".lua") && !ends_with(name, "_spec.lua");
}

bool pt_source_requires(const struct pt_source *source)
{
    return !source->lib && memmem(source->text, source->len, "require", strlen("require")) != NULL;
}

/* A library belongs to every version of a script that may use it: with another library the same
 * text gives other numbers. Which it uses is not known before it runs, so all count. */
void pt_source_hash(struct pt_source *source, const struct pt_sources *libs)
{
    XXH128_canonical_t canonical;
    char chain[sizeof canonical + PT_HASH_TEXT_MAX + NAME_MAX];
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(source->text, source->len));
    for (size_t i = 0; pt_source_requires(source) && i < libs->n; i++) {
        const struct pt_source *lib = &libs->v[i];
        const char *slash = strrchr(lib->file, '/');
        if (!lib->lib) continue;
        memset(chain, 0, sizeof chain);
        memcpy(chain, &canonical, sizeof canonical);
        snprintf(chain + sizeof canonical, sizeof chain - sizeof canonical, "%s %s", lib->hash,
                 slash ? slash + 1 : lib->file);
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(chain, sizeof chain));
    }
    for (size_t i = 0; i < sizeof canonical.digest; i++)
        snprintf(source->hash + 2 * i, 3, "%02x", canonical.digest[i]);
}

static enum pt_code read_text(const char *file, char **text, size_t *len, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    struct stat st;
    struct pt_buf buf = { 0 };
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a fifo must not hold us up */
    if (fd < 0 && errno == ENOENT && lstat(file, &st) == 0 && S_ISLNK(st.st_mode)) {
        rc = pt_fail(err, PT_EINVAL, "script %s: is a link to nothing", file);
        goto out;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        rc = pt_fail(err, errno == ENOENT ? PT_ENOENT : PT_EIO, "script %s: %s", file,
                     strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = pt_fail(err, PT_EINVAL, "script %s: is no regular file", file);
        goto out;
    }
    /* one byte more shows its end without another piece of memory */
    size_t room = st.st_size < SCRIPT_BYTES_MAX ? (size_t)st.st_size + 1 : SCRIPT_BYTES_MAX;
    for (;;) {
        if (!pt_buf_reserve(&buf, room)) {
            rc = pt_fail(err, PT_ENOMEM, "script %s", file);
            goto out;
        }
        ssize_t n = read(fd, buf.data + buf.len, room);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            rc = pt_fail(err, PT_EIO, "script %s: %s", file, strerror(errno));
            goto out;
        }
        if (n == 0) break;
        buf.len += (size_t)n;
        buf.data[buf.len] = '\0';
        room = room > (size_t)n ? room - (size_t)n : SCRIPT_BYTES_MAX; /* it has grown meanwhile */
        if (buf.len > SCRIPT_BYTES_MAX) {
            rc = pt_fail(err, PT_ERANGE, "script %s: more than %d bytes", file, SCRIPT_BYTES_MAX);
            goto out;
        }
    }
    *text = pt_buf_take(&buf, len);
out:
    pt_buf_fini(&buf);
    if (fd >= 0) close(fd);
    return rc;
}

/* Which of the first `n` is this file? However many of the folders lead to it, it is taken once. */
static struct pt_source *known(const struct pt_sources *sources, size_t n, const char *file)
{
    char path[PATH_MAX];
    if (n == 0 || !realpath(file, path)) return NULL;
    for (size_t i = 0; i < n; i++)
        if (sources->v[i].real && strcmp(path, sources->v[i].real) == 0) return &sources->v[i];
    return NULL;
}

/* tolerant: a file that cannot be read is added with its fault. */
static enum pt_code add(struct pt_sources *sources, const char *file, bool lib, unsigned rank,
                        bool tolerant, struct pt_err *err)
{
    char *text = NULL, *fault = NULL;
    size_t len = 0;
    enum pt_code rc = read_text(file, &text, &len, err);
    if (rc != PT_OK && (!tolerant || rc == PT_ENOENT || rc == PT_ENOMEM)) return rc;
    if (rc != PT_OK) {
        fault = strdup(err->text);
        text = fault ? strdup("") : NULL;
    }
    char *name = strdup(file);
    struct pt_source *grown = realloc(sources->v, (sources->n + 1) * sizeof *grown);
    if (grown) sources->v = grown;
    if (!text || !name || !grown) {
        free(text);
        free(fault);
        free(name);
        return pt_fail(err, PT_ENOMEM, "script %s", file);
    }
    struct pt_source *source = &sources->v[sources->n++];
    *source = (struct pt_source){ .file = name,
                                  .real = realpath(file, NULL),
                                  .text = text,
                                  .len = len,
                                  .fault = fault,
                                  .lib = lib,
                                  .rank = rank };
    pt_source_hash(source, sources);
    return PT_OK;
}

static enum pt_code read_folder(struct pt_sources *sources, const char *dir, bool lib,
                                unsigned rank, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    size_t before = sources->n;
    DIR *handle = opendir(dir);
    if (!handle) return pt_fail(err, PT_EIO, "script folder %s: %s", dir, strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(handle);
        if (!entry) {
            if (errno != 0) rc = pt_fail(err, PT_EIO, "script folder %s: %s", dir, strerror(errno));
            break;
        }
        if (!pt_source_is_script(entry->d_name)) continue;
        char file[PATH_MAX];
        if ((size_t)snprintf(file, sizeof file, "%s/%s", dir, entry->d_name) >= sizeof file) {
            rc = pt_fail(err, PT_ERANGE, "path too long: %s/%s", dir, entry->d_name);
            break;
        }
        if (known(sources, before, file)) continue;
        rc = add(sources, file, lib, rank, true, err);
        /* an editor that saves by renaming may take the file away between the listing and the
         * reading */
        if (rc == PT_ENOENT) rc = PT_OK;
        if (rc != PT_OK) break;
    }
    closedir(handle);
    return rc;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum pt_code read_root(struct pt_sources *sources, const char *root, unsigned rank,
                              struct pt_err *err)
{
    size_t before = sources->n;
    bool any = false;
    for (const char *const *folder = pt_script_folders; *folder; folder++) {
        char dir[PATH_MAX];
        if ((size_t)snprintf(dir, sizeof dir, "%s/%s", root, *folder) >= sizeof dir)
            return pt_fail(err, PT_ERANGE, "path too long: %s/%s", root, *folder);
        if (!is_folder(dir)) continue;
        any = true;
        enum pt_code rc = read_folder(sources, dir, strcmp(*folder, "lib") == 0, rank, err);
        if (rc != PT_OK) return rc;
    }
    /* a plain folder of scripts needs no folders in it: a first script, or examples */
    if (is_folder(root)) {
        enum pt_code rc = read_folder(sources, root, false, rank, err);
        if (rc != PT_OK) return rc;
    }
    if (any || sources->n > before) return PT_OK;
    return pt_fail(
        err, PT_ENOENT,
        "[scripts] path: %s %s; it should hold scripts (NAME.lua), or calculators/, regimes/, "
        "anomalies/, alerts/ or lib/ with scripts",
        root, is_folder(root) ? "has no script in it" : "is no folder");
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const struct pt_source *)a)->file, ((const struct pt_source *)b)->file);
}

enum pt_code pt_sources_read(const struct pt_conf *conf, struct pt_sources *sources,
                             struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    *sources = (struct pt_sources){ 0 };
    if (!pt_conf_item(conf, "scripts", "path", 0))
        return pt_fail(err, PT_EINVAL, "[scripts] path is empty: name at least one folder");
    for (unsigned i = 0; rc == PT_OK; i++) {
        char installed[PATH_MAX];
        const char *item = pt_conf_item(conf, "scripts", "path", i);
        if (!item) break;
        item = pt_place_scripts(item, installed);
        if (ends_with(item, ".lua") && !is_folder(item))
            rc =
                known(sources, sources->n, item) ? PT_OK : add(sources, item, false, i, false, err);
        else
            rc = read_root(sources, item, i, err);
    }
    if (rc != PT_OK) pt_sources_fini(sources);
    if (sources->n > 1) qsort(sources->v, sources->n, sizeof *sources->v, by_file);
    /* once more, now that all libraries are there */
    for (size_t i = 0; i < sources->n; i++)
        if (pt_source_requires(&sources->v[i])) pt_source_hash(&sources->v[i], sources);
    return rc;
}

enum pt_code pt_sources_add(struct pt_sources *sources, const char *file, struct pt_err *err)
{
    struct pt_source *source = known(sources, sources->n, file);
    if (!source) {
        enum pt_code rc = add(sources, file, false, 0, false, err);
        if (rc != PT_OK) return rc;
        source = &sources->v[sources->n - 1];
        source->outside = true;
    }
    source->extra = true;
    if (strcmp(source->file, file) == 0) return PT_OK;
    char *name = strdup(file); /* it goes by the name the person gave it */
    if (!name) return pt_fail(err, PT_ENOMEM, "script %s", file);
    free(source->file);
    source->file = name;
    return PT_OK;
}

enum pt_code pt_sources_add_root(struct pt_sources *sources, const char *root, bool only_libs,
                                 struct pt_err *err)
{
    char dir[PATH_MAX];
    if (!only_libs) return read_root(sources, root, 0, err);
    if ((size_t)snprintf(dir, sizeof dir, "%s/lib", root) >= sizeof dir)
        return pt_fail(err, PT_ERANGE, "path too long: %s/lib", root);
    return is_folder(dir) ? read_folder(sources, dir, true, 0, err) : PT_OK;
}

bool pt_source_copy(const struct pt_source *source, struct pt_source *copy)
{
    *copy = *source;
    copy->real = NULL;
    copy->file = strdup(source->file);
    copy->text = malloc(source->len + 1);
    copy->fault = source->fault ? strdup(source->fault) : NULL;
    if (copy->file && copy->text && !copy->fault == !source->fault) {
        memcpy(copy->text, source->text, source->len + 1);
        return true;
    }
    pt_source_fini(copy);
    return false;
}

void pt_source_fini(struct pt_source *source)
{
    free(source->file);
    free(source->real);
    free(source->text);
    free(source->fault);
    *source = (struct pt_source){ 0 };
}

void pt_sources_fini(struct pt_sources *sources)
{
    for (size_t i = 0; i < sources->n; i++) pt_source_fini(&sources->v[i]);
    free(sources->v);
    *sources = (struct pt_sources){ 0 };
}
