/* writes.h - something to be written, handed to whoever holds the pen.         [layer: flow]
 * In the daemon that is the writer thread, which commits many together; in batch mode the caller
 * itself. */
#ifndef PT_WRITES_H
#define PT_WRITES_H

#include "flow/loop.h"
#include "store/store.h"

/* Lives in its owner's memory until `done` is called. */
struct pt_write_job {
    struct pt_task task; /* must be first */
    struct pt_write_job *next;
    /* Puts it into a transaction; on the writer's thread. May be called again when a transaction
     * failed as a whole. */
    enum pt_code (*write)(struct pt_write_job *job, struct pt_write *write, struct pt_err *err);
    /* On the loop, once: rc says whether it is durable. */
    void (*done)(struct pt_write_job *job);
    enum pt_code rc;
    struct pt_err err;
};
typedef void (*pt_writer_fn)(void *arg, struct pt_write_job *job);

#endif
