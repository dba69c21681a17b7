/* script_arg.c - see script_arg.h */
#include "cli/script_arg.h"

#include <string.h>

bool pt_script_is_file(const char *asked)
{
    size_t len = strlen(asked);
    return strchr(asked, '/') != NULL || (len > 4 && strcmp(asked + len - 4, ".lua") == 0);
}

bool pt_script_line(const struct pt_scripts *scripts, const char *file, int64_t line,
                    struct pt_buf *out)
{
    const char *at = NULL;
    for (size_t i = 0; at == NULL && i < scripts->sources.n; i++)
        if (strcmp(scripts->sources.v[i].file, file) == 0) at = scripts->sources.v[i].text;
    for (int64_t n = 1; at != NULL && n < line; n++) {
        at = strchr(at, '\n');
        if (at != NULL) at++;
    }
    if (at == NULL || line < 1) return false;
    at += strspn(at, " \t\r");
    size_t len = strcspn(at, "\n");
    while (len > 0 && strchr(" \t\r", at[len - 1]) != NULL) len--;
    pt_buf_add(out, at, len);
    return len > 0 && !out->failed;
}

/* Why a script is not live: the place, the words and what stands there. */
static void tell_failure(const struct pt_scripts *scripts, const struct pt_script *script,
                         struct pt_err *err)
{
    struct pt_buf text = { 0 };
    if (script->error_line == 0)
        pt_fail(err, PT_ESCRIPT, "%s: %s", script->source->file, script->message);
    else if (pt_script_line(scripts, script->error_file, script->error_line, &text))
        pt_fail(err, PT_ESCRIPT, "%s:%d: %s, in the line: %s", script->error_file,
                script->error_line, script->message, text.data);
    else
        pt_fail(err, PT_ESCRIPT, "%s:%d: %s", script->error_file, script->error_line,
                script->message);
    pt_buf_fini(&text);
}

const struct pt_script *pt_script_asked(const struct pt_scripts *scripts, const char *asked,
                                        struct pt_err *err)
{
    bool file = pt_script_is_file(asked);
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (strcmp(file ? script->source->file : script->name, asked) != 0) continue;
        if (script->status != PT_SCRIPT_FAILED) return script;
        tell_failure(scripts, script, err);
        return NULL;
    }
    struct pt_buf known = { 0 };
    for (size_t i = 0; i < scripts->n; i++) pt_buf_printf(&known, " %s", scripts->v[i].name);
    pt_fail(err, PT_ENOENT, "there is no script \"%s\"; loaded are:%s", asked,
            known.data != NULL ? known.data : " none");
    pt_buf_fini(&known);
    return NULL;
}

int pt_script_check_pair(const struct pt_cli *cli, const struct pt_script *script)
{
    bool market = pt_script_is_market(script), given = pt_cli_has(cli, "pair");
    if (market && given)
        return pt_cli_usage(cli, "%s is about the whole market and takes no --pair", script->name);
    return market || given ? 0 : pt_cli_usage(cli, "needs --pair");
}

enum pt_code pt_script_asked_params(const struct pt_cli *cli, const struct pt_script *script,
                                    bson_t *params, struct pt_err *err)
{
    const char *given;
    for (size_t i = 0; (given = pt_cli_value_at(cli, "param", i)) != NULL; i++) {
        const char *equals = strchr(given, '=');
        char name[64];
        if (equals == NULL || equals == given || (size_t)(equals - given) >= sizeof name)
            return pt_fail(err, PT_EINVAL, "--param \"%s\": give NAME=VALUE", given);
        memcpy(name, given, (size_t)(equals - given));
        name[equals - given] = '\0';
        enum pt_code rc = pt_script_param(script, name, equals + 1, params, err);
        if (rc != PT_OK) return rc;
    }
    return PT_OK;
}
