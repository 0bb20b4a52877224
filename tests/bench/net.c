#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, ETHERNET_SEGMENT = 1448, SHORT_BUFFER = 8192 };

const uint8_t socks_hello[SOCKS_HELLO_BYTES] = {5, 1, 0};

_Noreturn void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double clock_s(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t parse_number(const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || v > max) {
        fprintf(stderr, "load: %s: expected a number up to %llu\n", text, (unsigned long long)max);
        exit(2);
    }
    return v;
}

struct route parse_route(const char *text)
{
    char port[8] = "";
    size_t n = strcspn(text, "/");
    if (n < sizeof port)
        memcpy(port, text, n);
    struct route r = {.port = (uint16_t)parse_number(port, UINT16_MAX)};
    if (text[n] == '/')
        r.target = (uint16_t)parse_number(text + n + 1, UINT16_MAX);
    return r;
}

size_t raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("getrlimit");
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("setrlimit");
    return (size_t)limit.rlim_cur;
}

uint8_t *shared_chunk(void)
{
    static uint8_t chunk[CHUNK_BYTES];
    if (chunk[1] == 0) /* what is sent does not matter, but zeros might cost less than data */
        for (size_t i = 0; i < sizeof chunk; i++)
            chunk[i] = (uint8_t)(i * 2654435761u >> 13 | 1);
    return chunk;
}

void tune(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5) != 0)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static void make_segments_small(int fd)
{
    int segment = ETHERNET_SEGMENT, buffer = SHORT_BUFFER;
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
}

void set_blocking(int fd, bool is_blocking)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 ||
        fcntl(fd, F_SETFL, is_blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) != 0)
        die("fcntl");
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

int listen_here(bool small_segments)
{
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        die("socket");
    if (small_segments)
        make_segments_small(fd);
    tune(fd);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        die("listen");
    printf("port %u\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

int dial_port(uint16_t port, bool small_segments)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (small_segments)
        make_segments_small(fd);
    tune(fd);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

void write_socks_connect(uint8_t p[SOCKS_CONNECT_BYTES], uint16_t target)
{
    const uint8_t request[SOCKS_CONNECT_BYTES] = {
        5, 1, 0, 1, 127, 0, 0, 1, (uint8_t)(target >> 8), (uint8_t)target};
    memcpy(p, request, sizeof request);
}

static bool pass_socks(int fd, uint16_t target)
{
    uint8_t p[SOCKS_CONNECT_BYTES];
    if (!send_all(fd, socks_hello, sizeof socks_hello) || !receive_all(fd, p, SOCKS_CHOICE_BYTES) ||
        p[1] != 0)
        return false;
    write_socks_connect(p, target);
    return send_all(fd, p, sizeof p) && receive_all(fd, p, sizeof p) && p[1] == 0;
}

int dial_route(struct route r, unsigned seconds)
{
    struct timeval bound = {.tv_sec = (time_t)seconds};
    int fd = dial_port(r.port, false);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) != 0)
        die("setsockopt");
    if (r.target == 0 || pass_socks(fd, r.target))
        return fd;
    close(fd);
    return -1;
}

bool send_all(int fd, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

bool receive_all(int fd, void *p, size_t n)
{
    uint8_t *at = p;
    while (n > 0) {
        ssize_t done = recv(fd, at, n, 0);
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

void write_request(uint8_t request[REQUEST_BYTES], enum request kind, uint64_t n)
{
    request[0] = (uint8_t)kind;
    for (int i = 0; i < 8; i++)
        request[8 - i] = (uint8_t)(n >> (8 * i));
}

bool send_request(int fd, enum request kind, uint64_t n)
{
    uint8_t request[REQUEST_BYTES];
    write_request(request, kind, n);
    return send_all(fd, request, sizeof request);
}
