/* fetch.c - HTTP/1.0 on a plain socket: enough for our own server on the next port. */
#include "cli/fetch.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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
static int dial(const char *host, const char *port, const char **why)
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
        struct timeval limit = { .tv_sec = 10 };
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
static bool exchange(int fd, const char *host, const char *path, struct pt_buf *reply)
{
    char request[1024];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
    if (len < 0 || (size_t)len >= sizeof request ||
        send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
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

enum pt_code pt_fetch(const struct pt_conf *conf, const char *url, const char *path, int *status,
                      struct pt_buf *body, struct pt_err *err)
{
    char host[256], port[16];
    enum pt_code rc = split_url(conf, url, host, port, err);
    if (rc != PT_OK) return rc;
    const char *why = "";
    int fd = dial(host, port, &why);
    if (fd < 0)
        return pt_fail(err, PT_EIO,
                       "no daemon at %s port %s (%s); start one with `petrosa serve` or give --url",
                       host, port, why);
    struct pt_buf reply = { 0 };
    bool good = exchange(fd, host, path, &reply);
    int saved = errno;
    close(fd);
    const char *end = good ? strstr(reply.data, "\r\n\r\n") : NULL;
    if (!good || end == NULL || sscanf(reply.data, "HTTP/%*d.%*d %d", status) != 1)
        rc = pt_fail(err, PT_EIO, "%s port %s did not answer GET %s: %s", host, port, path,
                     good ? "that is no HTTP server" : strerror(saved));
    else
        pt_buf_add(body, end + 4, reply.len - (size_t)(end + 4 - reply.data));
    pt_buf_fini(&reply);
    if (rc == PT_OK && body->failed) rc = pt_fail(err, PT_ENOMEM, "out of memory");
    return rc;
}
