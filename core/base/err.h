/* err.h - one error type for the whole house.                                 [layer: base]
 * An error is set where it happens, carried up by value, and either returned or logged, never both. */
#ifndef PT_ERR_H
#define PT_ERR_H

#include <stddef.h>

#define PT_CODES(X)                                                                                \
    X(PT_OK, "ok")                                                                                 \
    X(PT_EINVAL, "bad input")                                                                      \
    X(PT_ENOMEM, "out of memory")                                                                  \
    X(PT_EIO, "input/output error")                                                                \
    X(PT_ENOENT, "not found")                                                                      \
    X(PT_ERANGE, "out of range")                                                                   \
    X(PT_EFULL, "full")                                                                            \
    X(PT_EDAMAGE, "damaged data")                                                                  \
    X(PT_EVERSION, "version not supported")                                                        \
    X(PT_EBUSY, "in use")                                                                          \
    X(PT_ETIME, "took too long")                                                                   \
    X(PT_ESCRIPT, "script failed")                                                                 \
    X(PT_ECANCEL, "cancelled")

enum pt_code {
#define X(name, text) name,
    PT_CODES(X)
#undef X
};

struct pt_err {
    enum pt_code code;
    int line;         /* where it was set */
    const char *file; /* borrowed, static */
    char text[480];   /* what, where, what to do; one line, cut at the end when longer */
};

/* The words of a code ("out of memory"); static. */
const char *pt_code_text(enum pt_code code);

/* Sets *err (may be NULL) and returns `code`, so that `return pt_fail(err, PT_EIO, ...)` reads well. */
#define pt_fail(err, code, ...) pt_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)
enum pt_code pt_fail_at(struct pt_err *err, enum pt_code code, const char *file, int line,
                        const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Puts words before the text of an error that is passed up: "import a.csv: " + text. Returns err->code. */
enum pt_code pt_err_prefix(struct pt_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
