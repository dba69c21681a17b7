/* inspect.h - a call looked at closely for its author: values at an error, time by line. [layer:
 * bindings]
 *
 * Both run the script again, in the interpreter: only there every local is what the source says,
 * and every line can be timed. A script is pure, so the second call does what the first one did. */
#ifndef PT_INSPECT_H
#define PT_INSPECT_H

#include "bindings/script.h"

/* The call failed: calls again and appends to the result document, as `locals`, { name: words } of
 * the function that was running. Nothing is appended when the place is not known, or the second
 * call does not fail. */
enum pt_code pt_inspect_error(struct pt_lua_script *script, struct pt_script_call *call,
                              bson_t *doc, struct pt_err *err);

/* Calls again and again and appends, as `profile`,
 * { compiled: { calls, median_ns }, interpreted: { calls, ns }, outside_ns,
 *   lines: [ { file, line, hits, ns } ] }
 * hits (how often the line was come to from another one) and ns are of one interpreted call, means
 * over all of them. Each line has the time that was
 * spent in it and in the C functions it called; not that of Lua functions it called, whose lines
 * have their own. outside: what is no line of a script: making the arguments, taking the result.
 * { error: words } when a call that is repeated fails. */
enum pt_code pt_inspect_profile(struct pt_lua_script *script, struct pt_script_call *call,
                                bson_t *doc, struct pt_err *err);

#endif
