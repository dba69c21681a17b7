/* plugin.c - loading the shared objects at the edge.                           [layer: flow] */
#include "flow/plugins.h"

#include "base/timefmt.h"
#include "flow/places.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void mistake(struct pt_buf *mistakes, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void mistake(struct pt_buf *mistakes, const char *name, const char *fmt, ...)
{
    char words[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    pt_buf_printf(mistakes, "%s[feed %s] %s", mistakes->len > 0 ? "; " : "", name, words);
}

/* ---- options ------------------------------------------------------------------------------- */

static const char *type_words(enum pt_option_type type)
{
    switch (type) {
    case PT_OPT_INT: return "a whole number";
    case PT_OPT_BOOL: return "yes or no";
    case PT_OPT_SPAN: return "a span such as 30s";
    case PT_OPT_SIZE: return "a size such as 64MiB";
    default: return "a text";
    }
}

static bool parse_int(const char *text, int64_t *v)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *v = n;
    return end != text && !*end && errno == 0 && strspn(text, "+-0123456789") == strlen(text);
}

static bool parse_bool(const char *text, bool *v)
{
    static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false",
                                                                                   "off", "0" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        *v = strcmp(text, yes[i]) == 0;
        if (*v || strcmp(text, no[i]) == 0) return true;
    }
    return false;
}

static bool parse(enum pt_option_type type, const char *text, int64_t *number, bool *flag)
{
    size_t len = strlen(text);
    switch (type) {
    case PT_OPT_INT: return parse_int(text, number);
    case PT_OPT_BOOL: return parse_bool(text, flag);
    case PT_OPT_SPAN: return pt_span_parse(text, len, number) == PT_OK;
    case PT_OPT_SIZE: return pt_size_parse(text, len, number) == PT_OK;
    default: return true;
    }
}

static void print_number(enum pt_option_type type, int64_t v, char out[32])
{
    if (type == PT_OPT_SPAN && v > 0)
        pt_span_print(v, out);
    else
        snprintf(out, 32, "%" PRId64, v);
}

static void fill(struct pt_feed *feed, const struct pt_option *option, const char *text,
                 struct pt_buf *mistakes)
{
    int64_t number = 0;
    bool flag = false;
    char *field = (char *)feed->self + option->offset;
    if (!parse(option->type, text, &number, &flag)) {
        mistake(mistakes, feed->name, "%s = %.60s: is not %s", option->name, text,
                type_words(option->type));
        return;
    }
    bool bounded = option->type != PT_OPT_TEXT && option->type != PT_OPT_BOOL &&
                   (option->min != 0 || option->max != 0);
    if (bounded && (number < option->min || number > option->max)) {
        char low[32], high[32];
        print_number(option->type, option->min, low);
        print_number(option->type, option->max, high);
        mistake(mistakes, feed->name, "%s = %.60s: must be from %s to %s", option->name, text, low,
                high);
        return;
    }
    if (option->type == PT_OPT_TEXT) {
        char *copy = strdup(text);
        if (!copy) {
            mistakes->failed = true;
            return;
        }
        feed->texts[feed->ntexts++] = copy;
        memcpy(field, &copy, sizeof copy);
    } else if (option->type == PT_OPT_BOOL) {
        memcpy(field, &flag, sizeof flag);
    } else {
        memcpy(field, &number, sizeof number);
    }
}

static const struct pt_option *find_option(const struct pt_feed_plugin *plugin, const char *key)
{
    const struct pt_option *option = plugin->options;
    while (option->name && strcmp(option->name, key) != 0) option++;
    return option->name ? option : NULL;
}

struct unknown {
    const struct pt_feed *feed;
    struct pt_buf *mistakes;
};

static bool look_unknown(void *arg, const char *kind, const char *name, const char *key,
                         const char *value, const char *source)
{
    const struct unknown *unknown = arg;
    (void)kind;
    (void)value;
    if (strcmp(name, unknown->feed->name) != 0 || find_option(unknown->feed->plugin, key))
        return true;
    struct pt_buf names = { 0 };
    for (const struct pt_option *o = unknown->feed->plugin->options; o->name; o++)
        pt_buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", o->name);
    mistake(unknown->mistakes, name, "%s (%s): unknown option; it has: %s", key, source,
            names.data ? names.data : "none");
    pt_buf_fini(&names);
    return true;
}

static void fill_all(const struct pt_conf *conf, struct pt_feed *feed, struct pt_buf *mistakes)
{
    struct unknown unknown = { feed, mistakes };
    size_t n = 0;
    for (const struct pt_option *option = feed->plugin->options; option->name; option++) n++;
    feed->self = calloc(1, feed->plugin->size);
    feed->texts = calloc(n + 1, sizeof *feed->texts);
    if (!feed->self || !feed->texts) {
        mistakes->failed = true;
        return;
    }
    for (const struct pt_option *option = feed->plugin->options; option->name; option++) {
        const char *text = pt_conf_named(conf, "feed", feed->name, option->name);
        if (!text) text = option->fallback;
        if (text)
            fill(feed, option, text, mistakes);
        else
            mistake(mistakes, feed->name, "%s is required: %s", option->name, option->help);
    }
    pt_conf_each_named(conf, "feed", look_unknown, &unknown);
}

/* ---- shared objects ------------------------------------------------------------------------ */

/* Opens the file and checks what it exports. NULL: *words say why. */
static const struct pt_feed_plugin *open_plugin(const char *path, const char *name, void **handle,
                                                char *words, size_t room)
{
    char symbol[96];
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*handle) {
        const char *why = dlerror();
        snprintf(words, room, "cannot be loaded: %s", why ? why : path);
        return NULL;
    }
    snprintf(symbol, sizeof symbol, "pt_feed_%s", name);
    const struct pt_feed_plugin *plugin = dlsym(*handle, symbol);
    if (!plugin)
        snprintf(words, room, "%s does not export %s", path, symbol);
    else if (plugin->api != PT_PLUGIN_API)
        snprintf(words, room, "%s is built for plugin api %d, this program has %d: build it anew",
                 path, plugin->api, PT_PLUGIN_API);
    else if (!plugin->open || !plugin->drain || !plugin->close || !plugin->options ||
             plugin->size == 0)
        snprintf(words, room, "%s lacks a callback, its options or its size", path);
    else
        return plugin;
    dlclose(*handle);
    *handle = NULL;
    return NULL;
}

/* A name becomes part of a path. */
static bool good_name(const char *name)
{
    return name[0] && strlen(name) < 48 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

enum pt_code pt_feed_load(const struct pt_conf *conf, const char *name, struct pt_feed **out,
                          struct pt_buf *mistakes)
{
    char path[PATH_MAX], file[64], words[400];
    struct pt_err err;
    size_t before = mistakes->len;
    *out = NULL;
    if (!good_name(name)) {
        mistake(mistakes, name, "is no name of a feed (a-z 0-9 _)");
        return PT_EINVAL;
    }
    struct pt_feed *feed = calloc(1, sizeof *feed);
    if (!feed) {
        mistakes->failed = true;
        return PT_ENOMEM;
    }
    snprintf(feed->name, sizeof feed->name, "%s", name);
    snprintf(file, sizeof file, "feed_%s", name);
    if (pt_place_plugin(conf, file, path, &err) != PT_OK) {
        mistake(mistakes, name, "%s", err.text);
    } else {
        feed->plugin = open_plugin(path, name, &feed->handle, words, sizeof words);
        if (feed->plugin)
            fill_all(conf, feed, mistakes);
        else
            mistake(mistakes, name, "%s", words);
    }
    if (mistakes->failed || mistakes->len > before) {
        pt_feed_free(feed);
        return PT_EINVAL;
    }
    *out = feed;
    return PT_OK;
}

void pt_feed_free(struct pt_feed *feed)
{
    if (!feed) return;
    for (size_t i = 0; i < feed->ntexts; i++) free(feed->texts[i]);
    free(feed->texts);
    free(feed->self);
    if (feed->handle) dlclose(feed->handle);
    free(feed);
}

/* ---- petrosa options ----------------------------------------------------------------------- */

static const char *const type_names[] = { [PT_OPT_TEXT] = "text",
                                          [PT_OPT_INT] = "int",
                                          [PT_OPT_BOOL] = "bool",
                                          [PT_OPT_SPAN] = "span",
                                          [PT_OPT_SIZE] = "size" };

static void print_options(const struct pt_feed_plugin *plugin, struct pt_buf *out)
{
    pt_buf_printf(out, "[feed %s]  %s\n", plugin->name, plugin->about);
    for (const struct pt_option *option = plugin->options; option->name; option++) {
        pt_buf_printf(out, "  %-16s %-5s ", option->name, type_names[option->type]);
        if (option->fallback)
            pt_buf_printf(out, "default %-12s ",
                          option->fallback[0] ? option->fallback : "(empty)");
        else
            pt_buf_printf(out, "%-20s ", "required");
        if (option->min != 0 || option->max != 0) {
            char low[32], high[32];
            print_number(option->type, option->min, low);
            print_number(option->type, option->max, high);
            pt_buf_printf(out, "%s..%s ", low, high);
        }
        if (option->unit && option->unit[0]) pt_buf_printf(out, "%s ", option->unit);
        pt_buf_printf(out, " %s\n", option->help);
    }
}

static int is_plugin(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > strlen("feed_.so") && strncmp(entry->d_name, "feed_", 5) == 0 &&
           strcmp(entry->d_name + len - 3, ".so") == 0;
}

enum pt_code pt_plugins_print(const struct pt_conf *conf, struct pt_buf *out, struct pt_err *err)
{
    char folder[PATH_MAX], name[NAME_MAX], path[PATH_MAX], words[400];
    struct dirent **entries = NULL;
    enum pt_code rc = pt_place_plugins(conf, folder, err);
    if (rc != PT_OK) return rc;
    int n = scandir(folder, &entries, is_plugin, alphasort);
    if (n < 0) return pt_fail(err, PT_EIO, "plugin folder %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        void *handle = NULL;
        snprintf(name, sizeof name, "%.*s", (int)strlen(entries[i]->d_name) - 8,
                 entries[i]->d_name + 5);
        const struct pt_feed_plugin *plugin = NULL;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) <
                sizeof path &&
            good_name(name))
            plugin = open_plugin(path, name, &handle, words, sizeof words);
        else
            snprintf(words, sizeof words, "is no name of a feed");
        if (plugin)
            print_options(plugin, out);
        else
            pt_buf_printf(out, "[feed %s]  %s\n", name, words);
        if (handle) dlclose(handle);
        if (i + 1 < n) pt_buf_putc(out, '\n');
        free(entries[i]);
    }
    free(entries);
    if (n == 0) pt_buf_printf(out, "no plugins in %s\n", folder);
    return out->failed ? pt_fail(err, PT_ENOMEM, "options") : PT_OK;
}
