/* token.h - the token of [http] token_file. [layer: serve] */
#ifndef PT_TOKEN_H
#define PT_TOKEN_H

#include "base/err.h"

/* *token: free(). PT_EIO: the file cannot be read; PT_EINVAL: it holds no token. */
enum pt_code pt_token_read(const char *path, char **token, struct pt_err *err);

#endif
