/* check_watch.h - which line of a script changes a value.                      [layer: bindings] */
#ifndef PT_CHECK_WATCH_H
#define PT_CHECK_WATCH_H

#include "bindings/check_state.h"

/* Looks at one value before each line that runs. The script must be interpreted. */
struct pt_watch {
    struct pt_lua_script *script;
    uint32_t restarts; /* the script's when it began: a VM made anew holds nothing of it */
    struct pt_step step;
    int holder; /* registry reference */
    struct pt_held was;
    bool hit;
    char file[256], last_file[256];
    int line, last_line; /* 0: no line has run */
};
enum pt_code pt_watch_start(struct pt_watch *watch, struct pt_lua_script *script,
                            const struct pt_change *change);
/* hit, file and line say where it changed. */
void pt_watch_stop(struct pt_watch *watch);

#endif
