/* places.c - where worker, plugins, scripts and module lie.                      [layer: flow] */
#include "flow/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folder of the running program, without the slash; false when it cannot be told. */
static bool program_folder(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n <= 0) return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash) return false;
    *slash = '\0';
    return true;
}

static bool join(char out[PATH_MAX], const char *folder, const char *rest)
{
    return (size_t)snprintf(out, PATH_MAX, "%s/%s", folder, rest) < PATH_MAX;
}

static bool is_default(const char *section, const char *key, const char *value)
{
    for (const struct pt_conf_key *k = pt_conf_keys; k->section; k++)
        if (strcmp(k->section, section) == 0 && strcmp(k->key, key) == 0)
            return strcmp(k->fallback, value) == 0;
    return false;
}

enum pt_code pt_place_worker(const struct pt_conf *conf, char out[PATH_MAX], struct pt_err *err)
{
    char folder[PATH_MAX];
    const char *path = pt_conf_text(conf, "workers", "path");
    if (path[0]) {
        if (access(path, X_OK) != 0)
            return pt_fail(err, PT_ENOENT, "[workers] path: %s: %s", path, strerror(errno));
        if (!realpath(path, out))
            return pt_fail(err, PT_ENOENT, "[workers] path: %s: %s", path, strerror(errno));
        return PT_OK;
    }
    if (!program_folder(folder))
        return pt_fail(err, PT_ENOENT, "cannot tell where this program lies: set [workers] path");
    if (join(out, folder, "petrosa-worker") && access(out, X_OK) == 0) return PT_OK;
    if (join(out, folder, "../libexec/petrosa/petrosa-worker") && access(out, X_OK) == 0)
        return PT_OK;
    return pt_fail(err, PT_ENOENT,
                   "no petrosa-worker in %s nor in ../libexec/petrosa beside it: install it or set "
                   "[workers] path",
                   folder);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum pt_code pt_place_plugins(const struct pt_conf *conf, char out[PATH_MAX], struct pt_err *err)
{
    char folder[PATH_MAX] = "";
    const char *path = pt_conf_text(conf, "plugins", "path");
    if (is_default("plugins", "path", path) && program_folder(folder)) {
        if (join(out, folder, "plugins") && is_folder(out)) return PT_OK;
        if (join(out, folder, "../lib/petrosa/plugins") && is_folder(out)) return PT_OK;
    }
    if ((size_t)snprintf(out, PATH_MAX, "%s", path) < PATH_MAX && is_folder(out)) return PT_OK;
    if (folder[0])
        return pt_fail(err, PT_ENOENT,
                       "no plugin folder: looked for %s/plugins, %s/../lib/petrosa/plugins and %s",
                       folder, folder, path);
    return pt_fail(err, PT_ENOENT, "no plugin folder: [plugins] path is %s", path);
}

enum pt_code pt_place_plugin(const struct pt_conf *conf, const char *name, char out[PATH_MAX],
                             struct pt_err *err)
{
    char folder[PATH_MAX], file[NAME_MAX];
    enum pt_code rc = pt_place_plugins(conf, folder, err);
    if (rc != PT_OK) return rc;
    if ((size_t)snprintf(file, sizeof file, "%s.so", name) < sizeof file &&
        join(out, folder, file) && access(out, R_OK) == 0)
        return PT_OK;
    return pt_fail(err, PT_ENOENT, "no plugin %s in %s", file, folder);
}

enum pt_code pt_place_lua(char out[PATH_MAX], struct pt_err *err)
{
    static const char *const folders[] = { "lua", "../lib/petrosa/lua", NULL };
    char folder[PATH_MAX], file[PATH_MAX];
    if (!program_folder(folder))
        return pt_fail(err, PT_ENOENT, "cannot tell where this program lies");
    for (const char *const *at = folders; *at; at++)
        if (join(out, folder, *at) && join(file, out, "petrosa.so") && access(file, R_OK) == 0)
            return PT_OK;
    return pt_fail(err, PT_ENOENT,
                   "no petrosa.so in %s/lua nor in %s/../lib/petrosa/lua: build or install it",
                   folder, folder);
}

/* "scripts" or what lies in it, by that name. */
static bool names_shipped(const char *item)
{
    return strncmp(item, "scripts", 7) == 0 && (item[7] == '\0' || item[7] == '/');
}

const char *pt_place_scripts(const char *item, char out[PATH_MAX])
{
    char folder[PATH_MAX];
    const char *name = "scripts";
    if (!is_default("scripts", "path", item)) {
        if (!names_shipped(item) || access(item, F_OK) == 0) return item;
        name = item;
    }
    if (!program_folder(folder)) return item;
    if (join(out, folder, name) && access(out, F_OK) == 0) return out;
    if ((size_t)snprintf(out, PATH_MAX, "%s/../share/petrosa/%s", folder, name) < PATH_MAX &&
        access(out, F_OK) == 0)
        return out;
    return item;
}
