/* fresh.c - which scripts of a set give something else than those of the set before. [layer: flow]
 */
#include "flow/plan.h"
#include "flow/registry.h"

#include <string.h>

bool pt_plan_same_params(const bson_t *a, const bson_t *b)
{
    return a && b ? bson_equal(a, b) : a == b;
}

/* Another version, other parameters in force, or run again after it was not. */
static bool differs(const struct pt_script *script, const struct pt_script *was)
{
    if (!script->declaration) return false;
    return !was || strcmp(was->source->hash, script->source->hash) != 0 ||
           (was->status == PT_SCRIPT_QUARANTINED) != (script->status == PT_SCRIPT_QUARANTINED) ||
           !pt_plan_same_params(was->configured, script->configured);
}

struct needs {
    const struct pt_scripts *scripts;
    const uint8_t *fresh;
    bool any;
};

static void look(void *arg, const char *name)
{
    struct needs *needs = arg;
    const struct pt_script *script = pt_scripts_find(needs->scripts, name);
    if (script && needs->fresh[script - needs->scripts->v]) needs->any = true;
}

void pt_plan_fresh(const struct pt_scripts *scripts, const struct pt_scripts *since, uint8_t *fresh)
{
    for (size_t i = 0; i < scripts->n; i++)
        fresh[i] = differs(&scripts->v[i], pt_scripts_find(since, scripts->v[i].name));
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < scripts->n; i++) {
            struct needs needs = { .scripts = scripts, .fresh = fresh };
            if (fresh[i] || !scripts->v[i].declaration) continue;
            pt_needs_each(scripts->v[i].declaration, look, &needs);
            fresh[i] = needs.any;
            more = more || needs.any;
        }
    }
}
