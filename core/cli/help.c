/* help.c - the command table as words: overview, one command, man page. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

int pt_help_overview(void)
{
    printf("petrosa - a market-analytics engine scripted in Lua\n\nusage: petrosa COMMAND "
           "[options]\n\n");
    for (size_t i = 0; pt_commands[i] != NULL; i++)
        printf("  %-10s %s\n", pt_commands[i]->name, pt_commands[i]->about);
    printf("\noptions of every command:\n");
    for (const struct pt_cli_option *option = pt_common_options; option->name != NULL; option++)
        printf("  --%s%s%s\n      %s\n", option->name, option->value ? " " : "",
               option->value ? option->value : "", option->help);
    printf("\n`petrosa help COMMAND` explains one. Exit code: 0 done, 1 failed, 2 wrong usage.\n");
    return 0;
}

int pt_help_command(const struct pt_command *command)
{
    printf("petrosa %s%s%s - %s\n\n", command->name, command->args[0] ? " " : "", command->args,
           command->about);
    if (command->text[0]) printf("%s\n\n", command->text);
    for (const struct pt_cli_option *option = command->options;
         option != NULL && option->name != NULL; option++)
        printf("  --%s%s%s\n      %s%s\n", option->name, option->value ? " " : "",
               option->value ? option->value : "", option->help,
               option->repeat ? "; may be repeated" : "");
    printf("\nand the common options: --config --data --set -v --quiet (petrosa help)\n");
    return 0;
}

/* roff: a dash is a minus only when escaped, a leading dot or quote would be a request. */
static void roff(const char *text)
{
    bool start = true;
    for (const char *c = text; *c; c++) {
        if (start && (*c == '.' || *c == '\'')) fputs("\\&", stdout);
        if (*c == '-')
            fputs("\\-", stdout);
        else if (*c == '\\')
            fputs("\\e", stdout);
        else
            putchar(*c);
        start = *c == '\n';
    }
}

static void man_options(const struct pt_cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        printf(".TP\n\\fB\\-\\-");
        roff(option->name);
        printf("\\fR%s\\fI%s\\fR\n", option->value ? " " : "", option->value ? option->value : "");
        roff(option->help);
        putchar('\n');
    }
}

int pt_help_man(void)
{
    printf(".TH PETROSA 1 \"\" \"petrosa " PT_VERSION
           "\"\n.SH NAME\npetrosa \\- a market\\-analytics engine scripted in Lua\n");
    printf(".SH SYNOPSIS\n.B petrosa\n\\fICOMMAND\\fR [options]\n.SH COMMANDS\n");
    for (size_t i = 0; pt_commands[i] != NULL; i++) {
        const struct pt_command *command = pt_commands[i];
        printf(".SS \"");
        roff(command->name);
        printf("%s%s\"\n", command->args[0] ? " " : "", command->args);
        roff(command->about);
        printf(".\n.PP\n");
        roff(command->text);
        putchar('\n');
        man_options(command->options);
    }
    printf(".SH COMMON OPTIONS\n");
    man_options(pt_common_options);
    printf(".SH EXIT STATUS\n0 done, 1 failed (one line on standard error says what, where, what "
           "to do), 2 wrong usage.\n");
    printf(".SH FILES\n.I etc/petrosa/petrosa.conf\nof the install, else\n.IR "
           "/etc/petrosa/petrosa.conf ,\nexplains every configuration key.\n");
    return 0;
}
