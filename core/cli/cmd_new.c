/* cmd_new.c - a script to begin with, and its spec. Nothing that is there is touched. */
#include "cli/commands.h"

#include "flow/places.h"

#include "template_alert.h"
#include "template_alert_spec.h"
#include "template_anomaly.h"
#include "template_anomaly_spec.h"
#include "template_calculator.h"
#include "template_calculator_spec.h"
#include "template_regime.h"
#include "template_regime_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LEN_MAX 41 /* ^[a-z][a-z0-9_]{0,40}$ */

static const struct pt_cli_option options[] = {
    { "dir", "D",
      "folder of scripts: D/calculators, D/regimes, D/anomalies, D/alerts (default the last of "
      "[scripts] path)",
      false },
    { NULL, NULL, NULL, false },
};

struct template
{
    const char *kind, *folder;
    const unsigned char *script, *spec;
    size_t script_len, spec_len;
};

static const struct template templates[] = {
    { "calculator", "calculators", template_calculator, template_calculator_spec,
      sizeof template_calculator, sizeof template_calculator_spec },
    { "regime", "regimes", template_regime, template_regime_spec, sizeof template_regime,
      sizeof template_regime_spec },
    { "anomaly", "anomalies", template_anomaly, template_anomaly_spec, sizeof template_anomaly,
      sizeof template_anomaly_spec },
    { "alert", "alerts", template_alert, template_alert_spec, sizeof template_alert,
      sizeof template_alert_spec },
    { 0 },
};

static const struct template *find_template(const char *kind)
{
    const struct template *t = templates;
    while (t->kind && strcmp(t->kind, kind) != 0) t++;
    return t->kind ? t : NULL;
}

static bool is_name(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz";
    size_t len = strlen(name);
    return len >= 1 && len <= NAME_LEN_MAX && strchr(first, name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

/* A file of this name in one of the script folders would declare the same. */
static enum pt_code check_free(const struct pt_conf *conf, const char *name, struct pt_err *err)
{
    static const char *const folders[] = { ".",         "calculators", "regimes",
                                           "anomalies", "alerts",      NULL };
    char placed[PATH_MAX], file[PATH_MAX];
    const char *item;
    for (size_t i = 0; (item = pt_conf_item(conf, "scripts", "path", i)) != NULL; i++) {
        item = pt_place_scripts(item, placed);
        for (const char *const *folder = folders; *folder; folder++) {
            int n = snprintf(file, sizeof file, "%s/%s/%s.lua", item, *folder, name);
            if (n < (int)sizeof file && access(file, F_OK) == 0)
                return pt_fail(err, PT_EBUSY, "the name %s is taken by %s", name, file);
        }
    }
    return PT_OK;
}

/* The last folder of [scripts] path: the author's own come after the product's. */
static const char *default_folder(const struct pt_conf *conf, char placed[PATH_MAX])
{
    const char *item, *last = NULL;
    for (size_t i = 0; (item = pt_conf_item(conf, "scripts", "path", i)) != NULL; i++) {
        size_t len = strlen(item);
        if (len < 4 || strcmp(item + len - 4, ".lua") != 0) last = item;
    }
    return last == NULL ? NULL : pt_place_scripts(last, placed);
}

static enum pt_code make_folder(const char *path, struct pt_err *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return PT_OK;
    return pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
}

/* The template with the words NAME and FILE replaced. */
static void fill(const unsigned char *text, size_t len, const char *name, const char *file,
                 struct pt_buf *out)
{
    for (size_t i = 0; i < len;) {
        bool is_file = len - i >= 4 && memcmp(text + i, "FILE", 4) == 0;
        if (is_file || (len - i >= 4 && memcmp(text + i, "NAME", 4) == 0)) {
            pt_buf_puts(out, is_file ? file : name);
            i += 4;
        } else {
            pt_buf_putc(out, (char)text[i++]);
        }
    }
}

static enum pt_code write_new(const char *path, const struct pt_buf *text, struct pt_err *err)
{
    if (text->failed) return pt_fail(err, PT_ENOMEM, "out of memory");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return pt_fail(err, PT_EBUSY, "%s is there already and stays as it is", path);
    if (fd < 0) return pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
    ssize_t n = write(fd, text->data, text->len);
    bool good = n == (ssize_t)text->len;
    int failed = n < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && good) {
        good = false;
        failed = errno;
    }
    if (good) return PT_OK;
    unlink(path);
    return pt_fail(err, PT_EIO, "%s: %s", path, strerror(failed));
}

static enum pt_code make(const struct template *t, const char *name, const char *dir,
                         char script[PATH_MAX], char spec[PATH_MAX], struct pt_err *err)
{
    char folder[PATH_MAX];
    struct pt_buf text = { 0 }, spec_text = { 0 };
    if ((size_t)snprintf(folder, PATH_MAX, "%s/%s", dir, t->folder) >= PATH_MAX ||
        (size_t)snprintf(script, PATH_MAX, "%s/%s.lua", folder, name) >= PATH_MAX ||
        (size_t)snprintf(spec, PATH_MAX, "%s/%s_spec.lua", folder, name) >= PATH_MAX)
        return pt_fail(err, PT_ERANGE, "path too long: %s/%s", dir, t->folder);
    fill(t->script, t->script_len, name, script, &text);
    fill(t->spec, t->spec_len, name, spec, &spec_text);
    enum pt_code rc = make_folder(dir, err);
    if (rc == PT_OK) rc = make_folder(folder, err);
    if (rc == PT_OK) rc = write_new(script, &text, err);
    if (rc == PT_OK) {
        rc = write_new(spec, &spec_text, err);
        if (rc != PT_OK) unlink(script); /* made just now */
    }
    pt_buf_fini(&text);
    pt_buf_fini(&spec_text);
    return rc;
}

/* A command to be copied: the path in quotes when a shell would take it apart. */
static void print_command(const char *start, const char *path, const char *end)
{
    bool plain = path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "_-./")] == '\0';
    bool quotes = !plain && strchr(path, '\'') == NULL;
    printf("%s %s%s%s%s\n", start, quotes ? "'" : "", path, quotes ? "'" : "", end);
}

static int run(struct pt_cli *cli)
{
    const char *kind = pt_cli_arg(cli, 0), *name = pt_cli_arg(cli, 1);
    const char *dir = pt_cli_value(cli, "dir");
    char placed[PATH_MAX], script[PATH_MAX], spec[PATH_MAX];
    struct pt_err err = { 0 };
    const struct template *t = find_template(kind);
    if (t == NULL)
        return pt_cli_usage(cli,
                            "the kind \"%s\" is not known to this version; it knows "
                            "calculator, regime, anomaly and alert",
                            kind);
    if (!is_name(name))
        return pt_cli_usage(cli,
                            "\"%s\" is no name for a script: a-z first, then a-z, 0-9 and _, at "
                            "most %d long",
                            name, NAME_LEN_MAX);
    size_t len = strlen(name);
    if (len >= 5 && strcmp(name + len - 5, "_spec") == 0)
        return pt_cli_usage(cli,
                            "\"%s\" is no name for a script: files that end in _spec.lua are "
                            "specs and are never loaded as scripts",
                            name);
    if (dir == NULL) dir = default_folder(pt_cli_conf(cli), placed);
    if (dir == NULL || dir[0] == '\0')
        return pt_cli_usage(cli, "give --dir: [scripts] path names no folder");
    enum pt_code rc = check_free(pt_cli_conf(cli), name, &err);
    if (rc == PT_OK) rc = make(t, name, dir, script, spec, &err);
    if (rc != PT_OK) return pt_cli_fail(cli, &err);
    printf("made   %s\n       %s\n", script, spec);
    print_command("run    petrosa eval", script, " --pair BTCUSDT --period 1h");
    print_command("test   petrosa test", spec, "");
    return 0;
}

const struct pt_command pt_cmd_new = {
    .name = "new",
    .args = "calculator|regime|anomaly|alert NAME",
    .about = "a commented script to begin with, and its spec",
    .text = "Writes D/calculators/NAME.lua (or D/regimes, D/anomalies, D/alerts) and NAME_spec.lua "
            "beside it, ready to run. A file that is there already is never touched, and a name "
            "that another "
            "script's file has is refused.",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
