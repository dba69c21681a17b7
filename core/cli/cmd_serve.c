/* cmd_serve.c - the daemon; demo is the same on a throw-away store with a simulated market. */
#include "cli/commands.h"
#include "cli/daemon.h"

static const struct pt_cli_option options[] = {
    { "port", "N", "the same as --set http.port=N; 0 = any free port, printed", false },
    { "watch", NULL, "reload when a script file changes (the same as --set scripts.watch=yes)",
      false },
    { NULL, NULL, NULL, false },
};

static int run(struct pt_cli *cli)
{
    struct pt_err err = { 0 };
    if (!pt_daemon_port(cli)) return 2;
    if (pt_cli_has(cli, "watch") && pt_cli_conf_set(cli, "scripts.watch=yes", &err) != PT_OK)
        return pt_cli_fail(cli, &err);
    return pt_daemon_run(cli, NULL, NULL, &err) == PT_OK ? 0 : pt_cli_fail(cli, &err);
}

const struct pt_command pt_cmd_serve = {
    .name = "serve",
    .args = "",
    .about = "the daemon: feeds, metrics at each closed bar, REST",
    .text =
        "Prints one line when it is ready: ready url=... generation=... scripts=... series=... "
        "SIGTERM and Ctrl-C drain and stop. SIGHUP puts the newest scripts and configuration in "
        "force, as `petrosa reload` does; "
        "it stops the daemon when the terminal that it was started from has gone.",
    .options = options,
    .run = run,
};
