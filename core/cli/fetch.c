/* fetch.c - HTTP/1.0 on a plain socket: enough for our own server on the next port. */
#include "cli/fetch.h"

#include "serve/token.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct asked {
    const char *method, *path, *token; /* token NULL: none */
    time_t patience_s;                 /* 0: for ever */
};

static enum pt_code split_url(const struct pt_conf *conf, const char *url, char host[256],
                              char port[16], struct pt_err *err)
{
    if (url == NULL) {
        const char *bind = pt_conf_text(conf, "http", "bind");
        bool any = strcmp(bind, "0.0.0.0") == 0 || strcmp(bind, "::") == 0;
        snprintf(host, 256, "%s", any ? "127.0.0.1" : bind);
        snprintf(port, 16, "%lld", (long long)pt_conf_int(conf, "http", "port"));
        return PT_OK;
    }
    bool bracketed = strncmp(url, "http://[", 8) == 0;
    const char *at = url + (bracketed ? 8 : 7);
    size_t len = strncmp(url, "http://", 7) != 0 ? 0 : strcspn(at, bracketed ? "]" : ":/");
    const char *rest = len == 0 ? url : at + len + (bracketed && at[len] == ']');
    size_t digits = len > 0 && rest[0] == ':' ? strspn(rest + 1, "0123456789") : 0;
    const char *end = rest + (digits > 0 ? 1 + digits : 0);
    if (len == 0 || len >= 256 || digits > 5 || (rest[0] == ':' && digits == 0) ||
        (end[0] != '\0' && strcmp(end, "/") != 0))
        return pt_fail(err, PT_EINVAL, "--url \"%s\": give http://HOST:PORT", url);
    snprintf(host, 256, "%.*s", (int)len, at);
    snprintf(port, 16, "%.*s", digits > 0 ? (int)digits : 2, digits > 0 ? rest + 1 : "80");
    return PT_OK;
}

/* -1 and *why on failure. */
static int dial(const char *host, const char *port, time_t patience_s, const char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    int gc = getaddrinfo(host, port, &hints, &found);
    if (gc != 0) {
        *why = gai_strerror(gc);
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
        struct timeval limit = { .tv_sec = patience_s };
        if (fd >= 0) {
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        }
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            fd = -1;
        }
    }
    if (fd < 0) *why = strerror(errno);
    freeaddrinfo(found);
    return fd;
}

/* Sends the request and reads to the end of the stream. */
static bool exchange(int fd, const struct asked *asked, const char *host, struct pt_buf *reply)
{
    struct pt_buf request = { 0 };
    pt_buf_printf(&request, "%s %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n", asked->method,
                  asked->path, host);
    if (strcmp(asked->method, "POST") == 0) pt_buf_puts(&request, "Content-Length: 0\r\n");
    if (asked->token != NULL) pt_buf_printf(&request, "Authorization: Bearer %s\r\n", asked->token);
    pt_buf_puts(&request, "\r\n");
    bool sent = !request.failed &&
                send(fd, request.data, request.len, MSG_NOSIGNAL) == (ssize_t)request.len;
    pt_buf_fini(&request);
    if (!sent) return false;
    for (;;) {
        if (!pt_buf_reserve(reply, 65536)) return false;
        ssize_t got = recv(fd, reply->data + reply->len, 65536, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return false;
        if (got == 0) return true;
        reply->len += (size_t)got;
        reply->data[reply->len] = '\0';
    }
}

static enum pt_code ask(const struct pt_conf *conf, const char *url, const struct asked *asked,
                        int *status, struct pt_buf *body, struct pt_err *err)
{
    char host[256], port[16];
    enum pt_code rc = split_url(conf, url, host, port, err);
    if (rc != PT_OK) return rc;
    const char *why = "";
    int fd = dial(host, port, asked->patience_s, &why);
    if (fd < 0)
        return pt_fail(err, PT_EIO,
                       "no daemon at %s port %s (%s); start one with `petrosa serve` or give --url",
                       host, port, why);
    struct pt_buf reply = { 0 };
    bool good = exchange(fd, asked, host, &reply);
    int saved = errno;
    close(fd);
    const char *end = good ? strstr(reply.data, "\r\n\r\n") : NULL;
    if (!good || end == NULL || sscanf(reply.data, "HTTP/%*d.%*d %d", status) != 1)
        rc = pt_fail(err, PT_EIO, "%s port %s did not answer %s %s: %s", host, port, asked->method,
                     asked->path, good ? "that is no HTTP server" : strerror(saved));
    else
        pt_buf_add(body, end + 4, reply.len - (size_t)(end + 4 - reply.data));
    pt_buf_fini(&reply);
    if (rc == PT_OK && body->failed) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    return rc;
}

/* wanted: the daemon will ask for it. */
static enum pt_code ask_with_token(const struct pt_conf *conf, const char *url, struct asked *asked,
                                   bool wanted, int *status, struct pt_buf *body,
                                   struct pt_err *err)
{
    char *token = NULL;
    const char *file = pt_conf_text(conf, "http", "token_file");
    enum pt_code rc = wanted && file[0] != '\0' ? pt_token_read(file, &token, err) : PT_OK;
    asked->token = token;
    if (rc == PT_OK) rc = ask(conf, url, asked, status, body, err);
    free(token);
    return rc;
}

enum pt_code pt_fetch(const struct pt_conf *conf, const char *url, const char *path, int *status,
                      struct pt_buf *body, struct pt_err *err)
{
    struct asked asked = { .method = "GET", .path = path, .patience_s = 10 };
    return ask_with_token(conf, url, &asked, pt_conf_bool(conf, "http", "protect_reads"), status,
                          body, err);
}

enum pt_code pt_fetch_post(const struct pt_conf *conf, const char *url, const char *path,
                           int *status, struct pt_buf *body, struct pt_err *err)
{
    struct asked asked = { .method = "POST", .path = path };
    return ask_with_token(conf, url, &asked, true, status, body, err);
}
