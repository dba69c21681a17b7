/* cli.c - parses the command line by the tables, reads the configuration, runs. */
#include "cli/cli.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "data/schema.h"
#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_FILE "/etc/petrosa/petrosa.conf"

struct given {
    const struct pt_cli_option *option;
    const char *value; /* NULL for a flag */
};

struct pt_cli {
    const struct pt_command *command;
    struct pt_conf *conf;
    struct given *given; /* [ngiven] */
    size_t ngiven;
    const char **args; /* [nargs] */
    size_t nargs;
    char **environ_vars;
    char **set; /* [nset], owned: what pt_cli_conf_set was given */
    size_t nset;
};

const struct pt_cli_option pt_common_options[] = {
    { "config", "FILE",
      "configuration file (default etc/petrosa/petrosa.conf of the install, else " CONF_FILE
      "; env PETROSA_CONFIG)",
      false },
    { "data", "DIR", "folder of the store (env PETROSA_DATA; the same as --set store.path=DIR)",
      false },
    { "set", "SECTION.KEY=VALUE", "sets one configuration key; may be repeated", true },
    { "verbose", NULL, "-v: log more (debug)", false },
    { "quiet", NULL, "no progress, no log below errors", false },
    { NULL, NULL, NULL, false },
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    if (stopped) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stopped = 1;
}

void pt_cli_catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool pt_cli_stopped(void)
{
    return stopped != 0;
}

const struct pt_command *pt_cli_command(const struct pt_cli *cli)
{
    return cli->command;
}

const struct pt_conf *pt_cli_conf(const struct pt_cli *cli)
{
    return cli->conf;
}

enum pt_code pt_cli_conf_set(struct pt_cli *cli, const char *assignment, struct pt_err *err)
{
    char **grown = realloc(cli->set, (cli->nset + 1) * sizeof *grown);
    if (grown == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    cli->set = grown;
    enum pt_code rc = pt_conf_set(cli->conf, assignment, err);
    if (rc != PT_OK) return rc;
    cli->set[cli->nset] = strdup(assignment);
    if (cli->set[cli->nset] == NULL) return pt_fail(err, PT_ENOMEM, "out of memory");
    cli->nset++;
    return PT_OK;
}

static const struct pt_cli_option *find_option(const struct pt_cli_option *options,
                                               const char *name, size_t len)
{
    for (; options != NULL && options->name != NULL; options++)
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0) return options;
    return NULL;
}

/* An option that is asked for but not declared is a mistake in our own code. */
static const struct pt_cli_option *declared(const struct pt_cli *cli, const char *name)
{
    const struct pt_cli_option *option = find_option(cli->command->options, name, strlen(name));
    if (option == NULL) option = find_option(pt_common_options, name, strlen(name));
    if (option == NULL) {
        fprintf(stderr, "petrosa %s: option --%s is not in its table\n", cli->command->name, name);
        abort();
    }
    return option;
}

const char *pt_cli_value_at(const struct pt_cli *cli, const char *name, size_t i)
{
    const struct pt_cli_option *option = declared(cli, name);
    for (size_t k = 0; k < cli->ngiven; k++)
        if (cli->given[k].option == option && i-- == 0) return cli->given[k].value;
    return NULL;
}

const char *pt_cli_value(const struct pt_cli *cli, const char *name)
{
    return pt_cli_value_at(cli, name, 0);
}

bool pt_cli_has(const struct pt_cli *cli, const char *name)
{
    const struct pt_cli_option *option = declared(cli, name);
    for (size_t k = 0; k < cli->ngiven; k++)
        if (cli->given[k].option == option) return true;
    return false;
}

size_t pt_cli_nargs(const struct pt_cli *cli)
{
    return cli->nargs;
}

const char *pt_cli_arg(const struct pt_cli *cli, size_t i)
{
    return i < cli->nargs ? cli->args[i] : NULL;
}

bool pt_cli_quiet(const struct pt_cli *cli)
{
    return pt_cli_has(cli, "quiet");
}

int pt_cli_fail(const struct pt_cli *cli, const struct pt_err *err)
{
    fprintf(stderr, "petrosa %s: %s\n", cli->command->name, err->text);
    return 1;
}

int pt_cli_usage(const struct pt_cli *cli, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "petrosa %s: ", cli->command->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, " (see: petrosa help %s)\n", cli->command->name);
    return 2;
}

bool pt_cli_time(const struct pt_cli *cli, const char *option, int64_t *us)
{
    const char *text = pt_cli_value(cli, option);
    if (text == NULL || pt_time_parse(text, strlen(text), us) == PT_OK) return true;
    pt_cli_usage(cli,
                 "--%s \"%s\" is no time; give 2025-01-31, 2025-01-31T12:00:00Z or an epoch number",
                 option, text);
    return false;
}

bool pt_cli_period(const struct pt_cli *cli, const char *option, int64_t *period_us)
{
    const char *text = pt_cli_value(cli, option);
    if (text == NULL || pt_period_parse(text, strlen(text), period_us) == PT_OK) return true;
    pt_cli_usage(
        cli, "--%s \"%s\" is no period; give one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w",
        option, text);
    return false;
}

bool pt_cli_symbol(const struct pt_cli *cli, const char *option, char *out)
{
    const char *text = pt_cli_value(cli, option);
    if (text == NULL || pt_symbol_parse(text, strlen(text), out) == PT_OK) return true;
    pt_cli_usage(cli, "--%s \"%s\" is no symbol; give 2 to 30 of A-Z 0-9 _", option, text);
    return false;
}

enum pt_code pt_cli_need_store(const struct pt_cli *cli, struct pt_err *err)
{
    struct pt_store *store = NULL;
    struct pt_store_opts opts = { .path = pt_conf_text(cli->conf, "store", "path"),
                                  .readonly = true };
    enum pt_code rc = pt_store_open(&opts, &store, err);
    pt_store_close(store);
    return rc;
}

static const struct pt_command *find_command(const char *name)
{
    for (size_t i = 0; pt_commands[i] != NULL; i++)
        if (strcmp(pt_commands[i]->name, name) == 0) return pt_commands[i];
    return NULL;
}

/* One --name, --name value or --name=value at argv[*i]; 0, or the exit code of wrong usage. */
static int parse_option(struct pt_cli *cli, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t len = strcspn(name, "=");
    const struct pt_cli_option *option = find_option(cli->command->options, name, len);
    if (option == NULL) option = find_option(pt_common_options, name, len);
    if (option == NULL) return pt_cli_usage(cli, "unknown option --%.*s", (int)len, name);
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (option->value == NULL && value != NULL)
        return pt_cli_usage(cli, "--%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*i + 1 >= argc)
            return pt_cli_usage(cli, "--%s needs a value: --%s %s", option->name, option->name,
                                option->value);
        value = argv[++*i];
    }
    for (size_t k = 0; k < cli->ngiven && !option->repeat; k++)
        if (cli->given[k].option == option)
            return pt_cli_usage(cli, "--%s was given twice", option->name);
    cli->given[cli->ngiven++] = (struct given){ option, value };
    return 0;
}

static int parse(struct pt_cli *cli, int argc, char **argv)
{
    bool only_args = false;
    for (int i = 2; i < argc; i++) {
        int wrong = 0;
        if (only_args || argv[i][0] != '-' || argv[i][1] == '\0') {
            cli->args[cli->nargs++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (strcmp(argv[i], "-v") == 0) {
            cli->given[cli->ngiven++] = (struct given){ declared(cli, "verbose"), NULL };
        } else if (strcmp(argv[i], "-o") == 0 &&
                   find_option(cli->command->options, "output", 6) != NULL) {
            char long_form[] = "--output";
            char *pair[] = { argv[0], argv[1], long_form, i + 1 < argc ? argv[i + 1] : NULL };
            int at = 2;
            wrong = parse_option(cli, i + 1 < argc ? 4 : 3, pair, &at);
            i++;
        } else if (argv[i][1] != '-') {
            wrong = pt_cli_usage(cli, "unknown option %s", argv[i]);
        } else {
            wrong = parse_option(cli, argc, argv, &i);
        }
        if (wrong != 0) return wrong;
    }
    if (cli->nargs < cli->command->min_args)
        return pt_cli_usage(cli, "needs %s", cli->command->args);
    if (cli->nargs > cli->command->max_args)
        return pt_cli_usage(cli, "too many arguments: \"%s\"", cli->args[cli->command->max_args]);
    return 0;
}

/* The configuration that was installed with this program, else the system's, else NULL. */
static const char *default_conf(char out[PATH_MAX])
{
    static const char beside[] = "/bin/petrosa", conf[] = CONF_FILE;
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    size_t tail = sizeof beside - 1;
    if (n >= (ssize_t)tail && memcmp(out + n - tail, beside, tail) == 0 &&
        (size_t)n - tail + sizeof conf <= PATH_MAX) {
        memcpy(out + n - tail, conf, sizeof conf);
        if (access(out, F_OK) == 0) return out;
    }
    return access(conf, F_OK) == 0 ? conf : NULL;
}

/* File, then environment, then --data and --set: later wins. */
static enum pt_code read_conf(const struct pt_cli *cli, struct pt_conf *conf, struct pt_err *err)
{
    enum pt_code rc = PT_OK;
    char installed[PATH_MAX];
    const char *path = pt_cli_value(cli, "config");
    if (path == NULL) path = getenv("PETROSA_CONFIG");
    if (path == NULL || path[0] == '\0') path = default_conf(installed);
    if (path != NULL) rc = pt_conf_load_file(conf, path, err);
    if (rc == PT_OK) rc = pt_conf_load_env(conf, cli->environ_vars, err);
    const char *data = pt_cli_value(cli, "data");
    if (rc == PT_OK && data != NULL) {
        char assignment[4200];
        if ((size_t)snprintf(assignment, sizeof assignment, "store.path=%s", data) >=
            sizeof assignment)
            return pt_fail(err, PT_EINVAL, "--data: the path is too long");
        rc = pt_conf_set(conf, assignment, err);
    }
    for (size_t i = 0; rc == PT_OK && pt_cli_value_at(cli, "set", i) != NULL; i++)
        rc = pt_conf_set(conf, pt_cli_value_at(cli, "set", i), err);
    if (rc == PT_OK && pt_cli_has(cli, "verbose")) rc = pt_conf_set(conf, "log.level=debug", err);
    if (rc == PT_OK && pt_cli_quiet(cli)) rc = pt_conf_set(conf, "log.level=error", err);
    return rc;
}

static enum pt_code configure(struct pt_cli *cli, struct pt_err *err)
{
    enum pt_level level = PT_INFO;
    enum pt_code rc = pt_conf_new(&cli->conf, err);
    if (rc == PT_OK) rc = read_conf(cli, cli->conf, err);
    if (rc == PT_OK && pt_log_parse_level(pt_conf_text(cli->conf, "log", "level"), &level))
        pt_log_set_level(level);
    return rc;
}

enum pt_code pt_cli_conf_again(struct pt_cli *cli, struct pt_conf **out, struct pt_err *err)
{
    struct pt_conf *conf = NULL;
    enum pt_code rc = pt_conf_new(&conf, err);
    if (rc == PT_OK) rc = read_conf(cli, conf, err);
    for (size_t i = 0; rc == PT_OK && i < cli->nset; i++) rc = pt_conf_set(conf, cli->set[i], err);
    if (rc != PT_OK) {
        pt_conf_free(conf);
        conf = NULL;
    }
    *out = conf;
    return rc;
}

int pt_cli_main(int argc, char **argv, char **environ_vars)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
    if (strcmp(name, "--version") == 0) name = "version";
    struct pt_cli cli = { .command = find_command(name), .environ_vars = environ_vars };
    if (cli.command == NULL) {
        fprintf(stderr, "petrosa: unknown command \"%s\"; `petrosa help` lists them\n", name);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return pt_help_command(cli.command);
    struct pt_err err = { 0 };
    int exit_code;
    cli.given = calloc((size_t)argc + 1, sizeof *cli.given);
    cli.args = calloc((size_t)argc + 1, sizeof *cli.args);
    if (cli.given == NULL || cli.args == NULL) {
        pt_fail(&err, PT_ENOMEM, "out of memory");
        exit_code = pt_cli_fail(&cli, &err);
        goto out;
    }
    exit_code = parse(&cli, argc, argv);
    if (exit_code != 0) goto out;
    if (!cli.command->no_conf && configure(&cli, &err) != PT_OK) {
        exit_code = pt_cli_fail(&cli, &err);
        goto out;
    }
    exit_code = cli.command->run(&cli);
    /* a full disk must not look like success */
    if ((fflush(stdout) != 0 || ferror(stdout)) && exit_code == 0) {
        pt_fail(&err, PT_EIO, "standard output could not be written: %s", strerror(errno));
        exit_code = pt_cli_fail(&cli, &err);
    }
out:
    pt_conf_free(cli.conf);
    for (size_t i = 0; i < cli.nset; i++) free(cli.set[i]);
    free(cli.set);
    free(cli.given);
    free(cli.args);
    return exit_code;
}
