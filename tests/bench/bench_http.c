/* bench_http.c - requests a second of our server beside a bare evhttp server, both with one thread,
 * in interleaved rounds under wrk. The bare server answers every request with a ready body of the
 * same size. */
#include "../c/serve/fake_engine.h"
#include "serve/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#define ROUNDS 5
#define SECONDS 2
#define BARS 6000
#define T0 INT64_C(1731628800000000) /* 2024-11-15T00:00:00Z */

/* ---- the peer -----------------------------------------------------------------------------------
 */

struct bare {
    struct event_base *base;
    unsigned port;
    char *body;
    size_t len;
};

static void bare_answer(struct evhttp_request *request, void *arg)
{
    struct bare *bare = arg;
    struct bufferevent *bev =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
    int on = 1;
    /* without these two a large reply runs at a fifth of the speed */
    setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bufferevent_set_max_single_write(bev, 1 << 20);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evbuffer_add_reference(evhttp_request_get_output_buffer(request), bare->body, bare->len, NULL,
                           NULL);
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void *bare_main(void *arg)
{
    struct bare *bare = arg;
    event_base_dispatch(bare->base);
    return NULL;
}

static void bare_start(struct bare *bare)
{
    pthread_t thread;
    bare->base = event_base_new();
    struct evhttp *server = evhttp_new(bare->base);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server, "127.0.0.1", 0);
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    if (bound == NULL ||
        getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0)
        abort();
    bare->port = ntohs(address.sin_port);
    evhttp_set_gencb(server, bare_answer, bare);
    if (pthread_create(&thread, NULL, bare_main, bare) != 0) abort();
    pthread_detach(thread);
}

/* ---- measuring ----------------------------------------------------------------------------------
 */

/* script: a file for wrk, or NULL. 0: wrk told of errors. */
static double wrk(unsigned port, const char *target, const char *script)
{
    char command[600], line[300];
    double rate = 0;
    snprintf(command, sizeof command, "wrk -t1 -c64 -d%ds %s%s 'http://127.0.0.1:%u%s' 2>&1",
             SECONDS, script != NULL ? "-s " : "", script != NULL ? script : "", port, target);
    FILE *out = popen(command, "r");
    while (out != NULL && fgets(line, sizeof line, out) != NULL) {
        sscanf(line, "Requests/sec: %lf", &rate);
        if (strstr(line, "Non-2xx") != NULL || strstr(line, "Socket errors") != NULL) {
            fprintf(stderr, "%s", line);
            rate = 0;
        }
    }
    if (out != NULL) pclose(out);
    return rate;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool compare(const char *name, unsigned port, const char *target, const char *script,
                    struct bare *bare)
{
    double ours[ROUNDS], peer[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = wrk(port, target, script);
        peer[i] = wrk(bare->port, "/", NULL);
    }
    qsort(ours, ROUNDS, sizeof ours[0], by_size);
    qsort(peer, ROUNDS, sizeof peer[0], by_size);
    double mine = ours[ROUNDS / 2], theirs = peer[ROUNDS / 2];
    printf("%-34s %10.0f %10.0f %8.2f  requests/s, ours and bare evhttp, body %zu bytes\n", name,
           mine, theirs, theirs > 0 ? mine / theirs : 0, bare->len);
    fflush(stdout);
    return ours[0] > 0 && peer[0] > 0;
}

/* The body of one of our replies, for the peer to send. */
static void fetch(unsigned port, const char *target, struct bare *bare)
{
    char text[400];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct pt_buf all = { 0 };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                     target);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(fd, text, (size_t)n) != n)
        abort();
    for (ssize_t got; (got = read(fd, text, sizeof text)) > 0;) pt_buf_add(&all, text, (size_t)got);
    close(fd);
    char *body = strstr(all.data, "\r\n\r\n");
    if (body == NULL) abort();
    free(bare->body);
    bare->len = all.len - (size_t)(body + 4 - all.data);
    bare->body = strdup(body + 4);
    pt_buf_fini(&all);
}

static void fill(void)
{
    struct pt_series_key key = { .kind = PT_CANDLES, .symbol = "BTCUSDT", .period_us = PT_US_HOUR };
    struct pt_frame frame;
    pt_frame_init(&frame, pt_kind(PT_CANDLES));
    for (int i = 0; i < BARS; i++) fake_candle(&frame, T0 + i * PT_US_HOUR, 50000 + i, true);
    fake_store_rows(&key, &frame);
    pt_frame_fini(&frame);
    fake_store_result("volatility", "BTCUSDT", PT_US_HOUR, T0 + BARS * PT_US_HOUR, "ok", 1.0 / 3,
                      "h");
}

int main(void)
{
    static const char *const settings[] = { "http.threads=1", NULL };
    static struct bare bare;
    struct pt_http *http;
    struct pt_err err;
    if (system("command -v wrk > /dev/null") != 0) {
        printf("skipped: wrk is not installed\n");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    fake_start(settings);
    fill();
    if (pt_http_start(&fake, &http, &err) != PT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    unsigned port = pt_http_port(http);
    bare_start(&bare);
    char script[64] = "/tmp/petrosa-wrk-XXXXXX";
    int fd = mkstemp(script);
    /* never the same page twice within what the cache holds */
    static const char vary[] =
        "local n = 0\nrequest = function()\n  n = n + 1\n  return wrk.format('GET', "
        "'/data/candles?pair=BTCUSDT&period=1h&limit=1000&offset=' .. n % 4999)\nend\n";
    if (fd < 0 || write(fd, vary, sizeof vary - 1) != (ssize_t)sizeof vary - 1) return 1;
    close(fd);

    bool good = true;
    const char *target = "/analysis/volatility?pair=BTCUSDT";
    fetch(port, target, &bare);
    good = compare("analysis, kept", port, target, NULL, &bare) && good;
    target = "/data/candles?pair=BTCUSDT&period=1h&limit=1000";
    fetch(port, target, &bare);
    good = compare("1000 candles, kept", port, target, NULL, &bare) && good;
    good = compare("1000 candles, formatted each time", port, target, script, &bare) && good;
    unlink(script);
    pt_http_stop(http);
    fake_stop();
    return good ? 0 : 1;
}
