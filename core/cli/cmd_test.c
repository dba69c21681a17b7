/* cmd_test.c - the scripts' own specs, run by busted with the worker's own bindings. */
#include "cli/commands.h"

#include "flow/places.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 16
#define FOLDERS_OPEN 16

/* What nftw finds, for it hands nothing through: one command runs in a process. */
static struct {
    char **v; /* owned */
    size_t n, cap;
    bool failed;
} specs;

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static void add_spec(const char *path)
{
    for (size_t i = 0; i < specs.n; i++)
        if (strcmp(specs.v[i], path) == 0) return;
    if (specs.n == specs.cap) {
        size_t cap = specs.cap > 0 ? 2 * specs.cap : 16;
        char **grown = realloc(specs.v, cap * sizeof *grown);
        if (grown == NULL) {
            specs.failed = true;
            return;
        }
        specs.v = grown;
        specs.cap = cap;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        specs.failed = true;
    else
        specs.v[specs.n++] = copy;
}

static int on_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    const char *name = path + at->base;
    if (type == FTW_F && name[0] != '.' && ends_with(name, "_spec.lua")) add_spec(path);
    return at->level > DEPTH_MAX;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Specs in and below a folder; a spec itself; of a script the spec beside it. */
static enum pt_code find_specs(const char *path, struct pt_err *err)
{
    struct stat st;
    char spec[PATH_MAX];
    if (stat(path, &st) != 0) return pt_fail(err, PT_ENOENT, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if (nftw(path, on_entry, FOLDERS_OPEN, 0) != 0)
            return pt_fail(err, PT_EIO, "%s: cannot be read, or is too deep", path);
        return PT_OK;
    }
    if (!ends_with(path, ".lua")) return pt_fail(err, PT_EINVAL, "%s is no Lua file", path);
    if (ends_with(path, "_spec.lua")) {
        add_spec(path);
        return PT_OK;
    }
    if ((size_t)snprintf(spec, sizeof spec, "%.*s_spec.lua", (int)strlen(path) - 4, path) >=
        sizeof spec)
        return pt_fail(err, PT_ERANGE, "path too long: %s", path);
    if (access(spec, R_OK) != 0)
        return pt_fail(err, PT_ENOENT, "%s has no spec: looked for %s", path, spec);
    add_spec(spec);
    return PT_OK;
}

/* The folders of [scripts] path as a list, absolute: `petrosa.load` finds libraries in them. Also
 * looks for specs there when none were named. */
static enum pt_code take_folders(struct pt_cli *cli, struct pt_buf *list, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    const char *item;
    for (size_t i = 0;
         rc == PT_OK && (item = pt_conf_item(pt_cli_conf(cli), "scripts", "path", i)) != NULL;
         i++) {
        char placed[PATH_MAX], whole[PATH_MAX];
        item = pt_place_scripts(item, placed);
        if (realpath(item, whole) == NULL)
            return pt_fail(err, PT_ENOENT, "[scripts] path: %s: %s", item, strerror(errno));
        pt_buf_printf(list, "%s%s", list->len > 0 ? "," : "", whole);
        if (pt_cli_nargs(cli) == 0 && !(ends_with(item, ".lua") && access(item, X_OK) != 0))
            rc = find_specs(item, err);
    }
    return rc == PT_OK && list->failed ? pt_fail(err, PT_ENOMEM, "out of memory") : rc;
}

static enum pt_code set_environment(const char *folders, struct pt_err *err)
{
    char module[PATH_MAX];
    struct pt_buf path = { 0 };
    enum pt_code rc = pt_place_lua(module, err);
    if (rc != PT_OK) return rc;
    const char *before = getenv("LUA_CPATH");
    pt_buf_printf(&path, "%s/?.so;%s", module, before != NULL ? before : ";;");
    if (path.failed || setenv("LUA_CPATH", path.data, 1) != 0 ||
        setenv("PETROSA_SCRIPTS_PATH", folders, 1) != 0)
        rc = pt_fail(err, PT_ENOMEM, "environment");
    pt_buf_fini(&path);
    return rc;
}

static void put_quoted(struct pt_buf *out, const char *text)
{
    pt_buf_putc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\' || *text == '\n') pt_buf_putc(out, '\\');
        pt_buf_putc(out, *text);
    }
    pt_buf_puts(out, "',");
}

/* Becomes busted; comes back only when that fails. Not through its own program, which may run under
 * another Lua and hands paths with blanks to a shell. */
static enum pt_code become_busted(struct pt_err *err)
{
    struct pt_buf code = { 0 };
    pt_buf_puts(&code, "arg={[0]='busted','--ignore-lua','--pattern=_spec%.lua$','--',");
    for (size_t i = 0; i < specs.n; i++) put_quoted(&code, specs.v[i]);
    pt_buf_puts(&code,
                "} local there,run=pcall(require,'busted.runner') if not there then "
                "io.stderr:write('petrosa test: busted is not installed for LuaJIT: specs need it "
                "(Debian and Ubuntu: apt-get install lua-busted)\\n') os.exit(1) end "
                "run({standalone=false})");
    if (code.failed) return pt_fail(err, PT_ENOMEM, "out of memory");
    fflush(stdout);
    execlp("luajit", "luajit", "-e", code.data, (char *)NULL);
    int failed = errno;
    pt_buf_fini(&code);
    if (failed == ENOENT)
        return pt_fail(err, PT_ENOENT,
                       "luajit is not installed: specs need it (Debian and Ubuntu: apt-get install "
                       "luajit)");
    return pt_fail(err, PT_EIO, "luajit: %s", strerror(failed));
}

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    struct pt_buf folders = { 0 };
    enum pt_code rc = take_folders(cli, &folders, &err);
    for (size_t i = 0; rc == PT_OK && i < pt_cli_nargs(cli); i++)
        rc = find_specs(pt_cli_arg(cli, i), &err);
    if (rc == PT_OK && specs.failed) rc = pt_fail(&err, PT_ENOMEM, "out of memory");
    if (rc == PT_OK && specs.n == 0)
        rc = pt_fail(&err, PT_ENOENT,
                     "no NAME_spec.lua in %s; `petrosa new` makes a script with one",
                     pt_cli_nargs(cli) > 0 ? pt_cli_arg(cli, 0) : folders.data);
    if (rc == PT_OK) rc = set_environment(folders.data, &err);
    if (rc == PT_OK) {
        qsort(specs.v, specs.n, sizeof *specs.v, by_path);
        rc = become_busted(&err);
    }
    for (size_t i = 0; i < specs.n; i++) free(specs.v[i]);
    free(specs.v);
    pt_buf_fini(&folders);
    return pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_test = {
    .name = "test",
    .args = "[PATH...]",
    .about = "the scripts' own specs, under busted",
    .text = "PATH is a spec, a script (the spec beside it is run) or a folder with specs below it; "
            "default the folders of [scripts] path. A spec is called NAME_spec.lua, stands beside "
            "its script and begins with require \"petrosa\". The exit code is busted's.",
    .min_args = 0,
    .max_args = SIZE_MAX,
    .run = run,
};
