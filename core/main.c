/* main.c - the command table, in the order in which `help` lists it. */
#include "cli/commands.h"

extern char **environ;

const struct pt_command *const pt_commands[] = {
    &pt_cmd_serve,  &pt_cmd_demo,    &pt_cmd_import,  &pt_cmd_export, &pt_cmd_compute,
    &pt_cmd_eval,   &pt_cmd_replay,  &pt_cmd_new,     &pt_cmd_test,   &pt_cmd_check,
    &pt_cmd_reload, &pt_cmd_scripts, &pt_cmd_status,  &pt_cmd_config, &pt_cmd_options,
    &pt_cmd_backup, &pt_cmd_verify,  &pt_cmd_version, &pt_cmd_help,   NULL,
};

int main(int argc, char **argv)
{
    return pt_cli_main(argc, argv, environ);
}
