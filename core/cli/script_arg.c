/* script_arg.c - see script_arg.h */
#include "cli/script_arg.h"

#include <string.h>

bool pt_script_is_file(const char *asked)
{
    size_t len = strlen(asked);
    return strchr(asked, '/') != NULL || (len > 4 && strcmp(asked + len - 4, ".lua") == 0);
}

const struct pt_script *pt_script_asked(const struct pt_scripts *scripts, const char *asked,
                                        struct pt_err *err)
{
    bool file = pt_script_is_file(asked);
    for (size_t i = 0; i < scripts->n; i++) {
        const struct pt_script *script = &scripts->v[i];
        if (strcmp(file ? script->source->file : script->name, asked) != 0) continue;
        if (script->status == PT_SCRIPT_LIVE) return script;
        if (script->error_line > 0)
            pt_fail(err, PT_ESCRIPT, "%s:%d: %s", script->error_file, script->error_line,
                    script->message);
        else
            pt_fail(err, PT_ESCRIPT, "%s: %s", script->source->file, script->message);
        return NULL;
    }
    struct pt_buf known = { 0 };
    for (size_t i = 0; i < scripts->n; i++) pt_buf_printf(&known, " %s", scripts->v[i].name);
    pt_fail(err, PT_ENOENT, "there is no script \"%s\"; loaded are:%s", asked,
            known.data != NULL ? known.data : " none");
    pt_buf_fini(&known);
    return NULL;
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
