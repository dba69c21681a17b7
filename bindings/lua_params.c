/* lua_params.c - parameters between document, VM and result.                   [layer: bindings] */
#include "bindings/lua_params.h"

#include "base/timefmt.h"

#include <math.h>
#include <string.h>

static enum pt_code read_span(const struct pt_param *param, const bson_iter_t *iter, double *v,
                              struct pt_err *err)
{
    char min[PT_PERIOD_TEXT_MAX], max[PT_PERIOD_TEXT_MAX];
    uint32_t len = 0;
    int64_t us;
    const char *text = BSON_ITER_HOLDS_UTF8(iter) ? bson_iter_utf8(iter, &len) : "";
    if (pt_span_parse(text, len, &us) != PT_OK)
        return pt_fail(err, PT_EINVAL, "parameter %s: a span such as '30d' expected", param->name);
    *v = (double)us;
    if (*v >= param->min && *v <= param->max) return PT_OK;
    pt_span_print_days(isfinite(param->min) ? (int64_t)param->min : 0, min);
    pt_span_print_days(isfinite(param->max) ? (int64_t)param->max : 0, max);
    return pt_fail(err, PT_EINVAL, "parameter %s: %.40s is not in %s .. %s", param->name, text, min,
                   isfinite(param->max) ? max : "");
}

static enum pt_code read_one(const struct pt_param *param, const bson_iter_t *iter, double *v,
                             struct pt_err *err)
{
    bool number = BSON_ITER_HOLDS_INT32(iter) || BSON_ITER_HOLDS_INT64(iter);
    if (number) {
        *v = (double)bson_iter_as_int64(iter);
    } else if (BSON_ITER_HOLDS_DOUBLE(iter)) {
        *v = bson_iter_double(iter);
        number = isfinite(*v);
    }
    bool whole = number && *v == floor(*v) && fabs(*v) < 9007199254740992; /* 2^53 */
    switch (param->type) {
    case PT_PARAM_BOOL:
        if (!BSON_ITER_HOLDS_BOOL(iter))
            return pt_fail(err, PT_EINVAL, "parameter %s: true or false expected", param->name);
        *v = bson_iter_bool(iter);
        return PT_OK;
    case PT_PARAM_ENUM:
        for (size_t i = 0; BSON_ITER_HOLDS_UTF8(iter) && i < param->nwords; i++) {
            if (strcmp(param->words[i], bson_iter_utf8(iter, NULL)) != 0) continue;
            *v = (double)i;
            return PT_OK;
        }
        return pt_fail(err, PT_EINVAL, "parameter %s: none of its words", param->name);
    case PT_PARAM_SPAN: return read_span(param, iter, v, err);
    case PT_PARAM_INT:
        if (!whole)
            return pt_fail(err, PT_EINVAL, "parameter %s: a whole number expected", param->name);
        break;
    case PT_PARAM_NUMBER:
        if (!number) return pt_fail(err, PT_EINVAL, "parameter %s: a number expected", param->name);
        break;
    }
    if (*v < param->min || *v > param->max)
        return pt_fail(err, PT_EINVAL, "parameter %s: %.17g is not in %.17g .. %.17g", param->name,
                       *v, param->min, param->max);
    return PT_OK;
}

enum pt_code pt_params_read(const struct pt_declaration *declaration, const bson_t *given,
                            struct pt_params *params, struct pt_err *err)
{
    bson_iter_t iter;
    params->defaults = true;
    for (size_t i = 0; i < declaration->nparams; i++)
        params->v[i] = declaration->params[i].fallback;
    if (!given || !bson_iter_init(&iter, given)) return PT_OK;
    while (bson_iter_next(&iter)) {
        size_t i = 0;
        while (i < declaration->nparams &&
               strcmp(declaration->params[i].name, bson_iter_key(&iter)) != 0)
            i++;
        if (i == declaration->nparams)
            return pt_fail(err, PT_EINVAL, "parameter %s: %s has none of this name",
                           bson_iter_key(&iter), declaration->name);
        enum pt_code rc = read_one(&declaration->params[i], &iter, &params->v[i], err);
        if (rc != PT_OK) return rc;
        if (params->v[i] != declaration->params[i].fallback) params->defaults = false;
    }
    return PT_OK;
}

void pt_params_push(lua_State *L, const struct pt_declaration *declaration,
                    const struct pt_params *params)
{
    lua_createtable(L, 0, (int)declaration->nparams);
    for (size_t i = 0; i < declaration->nparams; i++) {
        const struct pt_param *param = &declaration->params[i];
        if (param->type == PT_PARAM_BOOL)
            lua_pushboolean(L, params->v[i] != 0);
        else if (param->type == PT_PARAM_ENUM)
            lua_pushstring(L, param->words[(size_t)params->v[i]]);
        else if (param->type == PT_PARAM_SPAN)
            lua_pushnumber(L, params->v[i] / 1e6);
        else
            lua_pushnumber(L, params->v[i]);
        lua_setfield(L, -2, param->name);
    }
}

bool pt_params_append(const struct pt_declaration *declaration, const struct pt_params *params,
                      bson_t *out)
{
    bool good = true;
    char span[PT_PERIOD_TEXT_MAX];
    for (size_t i = 0; i < declaration->nparams && good; i++) {
        const struct pt_param *param = &declaration->params[i];
        switch (param->type) {
        case PT_PARAM_BOOL: good = bson_append_bool(out, param->name, -1, params->v[i] != 0); break;
        case PT_PARAM_ENUM:
            good = bson_append_utf8(out, param->name, -1, param->words[(size_t)params->v[i]], -1);
            break;
        case PT_PARAM_INT:
            good = bson_append_int64(out, param->name, -1, (int64_t)params->v[i]);
            break;
        case PT_PARAM_SPAN:
            pt_span_print_days((int64_t)params->v[i], span);
            good = bson_append_utf8(out, param->name, -1, span, -1);
            break;
        case PT_PARAM_NUMBER: good = bson_append_double(out, param->name, -1, params->v[i]); break;
        }
    }
    return good;
}
