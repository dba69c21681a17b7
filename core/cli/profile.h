/* profile.h - the profile of a call beside its source.                         [layer: cli] */
#ifndef PT_PROFILE_H
#define PT_PROFILE_H

#include "flow/scripts.h"

/* Prints member `profile` of a result (unit.h), or why there is none. */
void pt_profile_print(const struct pt_scripts *scripts, const struct pt_script *script,
                      const bson_t *doc);

#endif
