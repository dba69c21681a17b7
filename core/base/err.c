#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *pt_code_text(enum pt_code code)
{
    static const char *const texts[] = {
#define X(name, text) [name] = text,
        PT_CODES(X)
#undef X
    };
    size_t i = (size_t)code;
    return i < sizeof texts / sizeof texts[0] ? texts[i] : "unknown error";
}

/* Errors are printed as one line, and carry words from files and peers: no line breaks, no bells.
 */
static void one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
    }
}

/* Cuts where a UTF-8 character starts, so that a cut text stays valid. */
static void store(struct pt_err *err, const char *text)
{
    size_t len = strlen(text);
    if (len >= sizeof err->text) {
        len = sizeof err->text - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) len--;
    }
    memcpy(err->text, text, len);
    err->text[len] = '\0';
    one_line(err->text);
}

enum pt_code pt_fail_at(struct pt_err *err, enum pt_code code, const char *file, int line,
                        const char *fmt, ...)
{
    if (err == NULL) return code;
    /* formatted aside, because an argument may be err->text itself */
    char text[2 * sizeof err->text];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0) text[0] = '\0';
    va_end(args);
    err->code = code;
    err->file = file;
    err->line = line;
    store(err, text[0] != '\0' ? text : pt_code_text(code));
    return code;
}

enum pt_code pt_err_prefix(struct pt_err *err, const char *fmt, ...)
{
    char text[3 * sizeof err->text];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof err->text, fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof err->text) len = sizeof err->text - 1;
    snprintf(text + len, sizeof text - len, "%s", err->text);
    store(err, text);
    return err->code;
}
