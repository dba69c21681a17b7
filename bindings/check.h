/* check.h - is a script pure? It is run and held against itself.               [layer: bindings]
 *
 * A script is called on made-up markets (check_market.h) and on recorded ones, each several times:
 * in a used VM forwards and backwards through the markets, in a fresh VM, compiled and interpreted,
 * with and without the bars around the window, 400 years later, under another name. The results
 * must be the same bits, its variables must hold after a call what they held before it
 * (check_state.h), and each declared output must be given somewhere. */
#ifndef PT_CHECK_H
#define PT_CHECK_H

#include "bindings/check_market.h"
#include "bindings/script.h"

#define PT_CHECK_CALL_US 200000  /* what a call may take where nobody says else */
#define PT_CHECK_FILE_US 5000000 /* and all calls for one file */
#define PT_CHECK_FINDINGS 16     /* told of one script; more do not help */
#define PT_CHECK_NOTES 8

struct pt_finding {
    char file[256];
    int line; /* 0: not known */
    char message[512];
};

struct pt_check {
    size_t nfindings, nnotes;
    struct pt_finding findings[PT_CHECK_FINDINGS];
    char notes[PT_CHECK_NOTES][200]; /* what could not be looked at, and why */
    unsigned markets, calls;
    unsigned computed; /* markets on which its function was run and gave a result; 0: not proven */
    int64_t elapsed_us, slowest_us; /* slowest: of compiled calls */
};

/* Around each call: for who blames and ends it. budget_us: what it may take. */
struct pt_check_guard {
    void (*begin)(void *arg, const struct pt_lua_script *script, int64_t budget_us);
    void (*end)(void *arg);
    /* An interpreted call has been at this line of the script for long. */
    void (*at)(void *arg, int line);
    void *arg;
};

/* Bars of a store: recorded market i (0, 1, ...) for the script, as *market; *some false: there are
 * no more. What cannot be read is a note of the check, not a finding. */
typedef enum pt_code (*pt_check_record_fn)(void *arg, size_t i, const struct pt_check_need *need,
                                           struct pt_check_market *market, bool *some,
                                           struct pt_err *err);

struct pt_check_opts {
    int64_t call_budget_us, file_budget_us; /* 0: PT_CHECK_CALL_US, PT_CHECK_FILE_US */
    const struct pt_check_guard *guard;     /* NULL: nothing ends a call that does not end */
    struct pt_lua_script *const *others;    /* where the scripts of needs.metrics are found */
    size_t nothers;
    pt_check_record_fn record; /* NULL: no store */
    void *record_arg;
};

/* Checks a loaded script, in VMs of its own: `script` is not run. PT_OK with *check filled,
 * findings or not; PT_ENOMEM. */
enum pt_code pt_check_script(const struct pt_lua_script *script, const struct pt_check_opts *opts,
                             struct pt_check *check, struct pt_err *err);

#endif
