/* daemon.h - an engine and its REST server, from configuration to exit.        [layer: cli] */
#ifndef PT_DAEMON_H
#define PT_DAEMON_H

#include "cli/cli.h"

/* Takes --port into the configuration; false: it is none, and that was said (exit code 2). */
bool pt_daemon_port(struct pt_cli *cli);

/* Runs until SIGTERM or SIGINT. ready(arg, url) is called once it serves, after the ready line on
 * standard output; may be NULL. */
enum pt_code pt_daemon_run(struct pt_cli *cli, void (*ready)(void *arg, const char *url), void *arg,
                           struct pt_err *err);

#endif
