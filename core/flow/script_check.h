/* script_check.h - one script file checked by a worker of its own.             [layer: flow]
 *
 * The worker has its walls and budgets as in the daemon, loads the file before all scripts of the
 * configuration, which give the metrics that it needs, and checks it (unit.h: check). No daemon and
 * no store are needed. */
#ifndef PT_SCRIPT_CHECK_H
#define PT_SCRIPT_CHECK_H

#include "base/conf.h"
#include "data/doc.h"

struct pt_loop;

/* root: folder that holds the file's own lib/, and scripts whose metrics it may need beside those
 * of the configuration; or NULL. store: its recent bars are looked at too; or NULL. *report, owned
 * by the caller: { file, name, kind, findings: [ { message, file, line? } ], notes: [ text ],
 * markets, calls, elapsed_us, slowest_us }, the figures only where the check was run. A file that
 * cannot be read, no worker, wrong configuration: an error; all that is wrong with the script:
 * findings. */
enum pt_code pt_script_check(struct pt_loop *loop, const struct pt_conf *conf, const char *file,
                             const char *root, const char *store, bson_t **report,
                             struct pt_err *err);

#endif
