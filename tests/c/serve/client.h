/* client.h - the smallest HTTP client, which says exactly what it is told to and shows what it got.
 */
#ifndef PT_TEST_CLIENT_H
#define PT_TEST_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_MAX (4u << 20)

struct client_reply {
    int status;      /* 0 = none came */
    char head[4096]; /* status line and headers */
    char *body;      /* NUL-terminated */
    size_t len;
};

static inline int client_open(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("client");
        abort();
    }
    return fd;
}

static inline bool client_send(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* One byte at a time until the empty line: nothing of a following reply is taken. False: closed or
 * silent for 10 s. */
static inline bool client_byte(int fd, char *c)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    return poll(&ready, 1, 10000) == 1 && recv(fd, c, 1, 0) == 1;
}

/* head_only: the reply to HEAD has no body. */
static inline struct client_reply client_read(int fd, bool head_only)
{
    struct client_reply reply = { .body = calloc(1, 1) };
    size_t n = 0, want = 0;
    while (n + 1 < sizeof reply.head && client_byte(fd, &reply.head[n])) {
        n++;
        if (n >= 4 && memcmp(reply.head + n - 4, "\r\n\r\n", 4) == 0) break;
    }
    reply.head[n] = '\0';
    if (sscanf(reply.head, "HTTP/1.%*c %d", &reply.status) != 1) return reply;
    const char *length = strcasestr(reply.head, "\r\nContent-Length:");
    if (length != NULL) want = strtoul(length + 17, NULL, 10);
    if (head_only || want > CLIENT_MAX) return reply;
    reply.body = realloc(reply.body, want + 1);
    while (reply.len < want) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        if (poll(&ready, 1, 10000) != 1) break;
        ssize_t got = recv(fd, reply.body + reply.len, want - reply.len, 0);
        if (got <= 0) break;
        reply.len += (size_t)got;
    }
    reply.body[reply.len] = '\0';
    return reply;
}

/* The value of a header, "" when it is not there; static. */
static inline const char *client_header(const struct client_reply *reply, const char *name)
{
    static char value[512];
    char key[64];
    snprintf(key, sizeof key, "\r\n%s:", name);
    const char *at = strcasestr(reply->head, key);
    value[0] = '\0';
    if (at == NULL) return value;
    at += strlen(key);
    at += strspn(at, " ");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

/* headers: whole lines with their CRLF, or "". */
static inline struct client_reply client_ask(int fd, const char *method, const char *target,
                                             const char *headers)
{
    char *text = malloc(strlen(target) + strlen(headers) + 100);
    int n = sprintf(text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", method, target, headers);
    client_send(fd, text, (size_t)n);
    free(text);
    return client_read(fd, strcmp(method, "HEAD") == 0);
}

/* On a connection of its own. */
static inline struct client_reply client_get(unsigned port, const char *target, const char *headers)
{
    int fd = client_open(port);
    struct client_reply reply = client_ask(fd, "GET", target, headers);
    close(fd);
    return reply;
}

/* True when the server has closed: end of stream (or reset) within 10 s, nothing else in between.
 */
static inline bool client_closed(int fd)
{
    char c;
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    return poll(&ready, 1, 10000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

#endif
