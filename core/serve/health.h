/* health.h - from the engine's figures to healthy, degraded or unhealthy. [layer: serve] */
#ifndef PT_HEALTH_H
#define PT_HEALTH_H

#include "flow/engine.h"

#define PT_HEALTH_PARTS 7

/* Degraded: it works, but a person should look. Unhealthy: it cannot do its work. */
enum pt_health_state { PT_HEALTHY, PT_DEGRADED, PT_UNHEALTHY, PT_NOT_CONFIGURED };
const char *pt_health_text(enum pt_health_state state);

struct pt_health_part {
    const char *name; /* static */
    enum pt_health_state state;
    char detail[300];
};
struct pt_health {
    enum pt_health_state state; /* the worst of the parts that are configured */
    struct pt_health_part part[PT_HEALTH_PARTS];
};

/* scripts may be NULL. Pure. */
void pt_health_judge(const struct pt_engine_stats *stats, const struct pt_scripts *scripts,
                     int64_t now_us, struct pt_health *health);

#endif
