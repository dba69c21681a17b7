/* places.h - where the parts of the product lie when the configuration does not say. [layer: flow]
 * All are looked for from where the running program is, so that a build folder and an install work
 * alike. */
#ifndef PT_PLACES_H
#define PT_PLACES_H

#include "base/conf.h"

#include <limits.h>

/* petrosa-worker: [workers] path, else beside the program, else ../libexec/petrosa/. PT_ENOENT says
 * what was tried. */
enum pt_code pt_place_worker(const struct pt_conf *conf, char out[PATH_MAX], struct pt_err *err);

/* The folder of plugins: [plugins] path when that was set, else plugins/ beside the program, else
 * ../lib/petrosa/plugins, else the path of the build. PT_ENOENT says what was tried. */
enum pt_code pt_place_plugins(const struct pt_conf *conf, char out[PATH_MAX], struct pt_err *err);

/* The shared object of a plugin, "feed_sim", in that folder. PT_ENOENT. */
enum pt_code pt_place_plugin(const struct pt_conf *conf, const char *name, char out[PATH_MAX],
                             struct pt_err *err);

/* The folder of petrosa.so, the module for specs: lua/ beside the program, else
 * ../lib/petrosa/lua. PT_ENOENT says what was tried. */
enum pt_code pt_place_lua(char out[PATH_MAX], struct pt_err *err);

/* An item of [scripts] path: itself. The build's own default, and "scripts" or "scripts/..." that is not there from where
 * the program runs, are the shipped ones: scripts/ beside the program, else ../share/petrosa/scripts, when one is there. */
const char *pt_place_scripts(const char *item, char out[PATH_MAX]);

#endif
