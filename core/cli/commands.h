/* commands.h - the rows of the command table; each stands in its cmd_NAME.c.   [layer: cli] */
#ifndef PT_COMMANDS_H
#define PT_COMMANDS_H

#include "cli/cli.h"

extern const struct pt_command pt_cmd_serve, pt_cmd_demo, pt_cmd_import, pt_cmd_export,
    pt_cmd_compute, pt_cmd_eval, pt_cmd_replay, pt_cmd_new, pt_cmd_test, pt_cmd_check,
    pt_cmd_config, pt_cmd_options, pt_cmd_backup, pt_cmd_verify, pt_cmd_reload, pt_cmd_scripts,
    pt_cmd_status, pt_cmd_version, pt_cmd_help;

#endif
