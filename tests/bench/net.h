/* What the parts of the load generator share: sockets of the loopback interface, time, and the few
 * requests that the server understands. Nothing here leaves 127.0.0.1. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHUNK_BYTES = 256 * 1024, REQUEST_BYTES = 9 };

/* A request is one of these and a big-endian count of bytes; the server's answers stand behind. */
enum request {
    REQUEST_PING = 'p',    /* "p" comes back, and the next request may follow */
    REQUEST_ECHO = 'e',    /* what follows comes back, to the end */
    REQUEST_UP = 'u',      /* count bytes follow; then "k" comes back */
    REQUEST_DOWN = 'd',    /* count bytes come back, and the next request may follow */
    REQUEST_TRICKLE = 's', /* the same through a small socket buffer: for very many at once */
    REQUEST_MARK = 'm', /* every connection's count of received bytes starts at 0; "m" comes back */
    REQUEST_COUNTS = 'q' /* struct counts comes back: what UP connections received since MARK */
};

struct counts {
    double n, sum, sum_of_squares;
};

/* Where a connection goes: to a port of this machine, or (target != 0) through the SOCKS proxy
 * there to a port of this machine. Written PORT or PORT/TARGET. */
struct route {
    uint16_t port;
    uint16_t target;
};

_Noreturn void die(const char *what);
uint64_t now_ns(void);
/* CPU seconds of this process. */
double cpu_s(void);

/* The number in text, at most max; ends the program on anything else. */
uint64_t parse_number(const char *text, uint64_t max);
struct route parse_route(const char *text);

/* Raises the limit of open files to the hard limit; returns it. */
size_t raise_file_limit(void);
/* The chunk that every sender sends from and every receiver may receive into. */
uint8_t *shared_chunk(void);

/* TCP_NODELAY, and a congestion control that does not pace: loopback needs none. */
void tune(int fd);
void set_blocking(int fd, bool is_blocking);
/* A listening socket on a port that the kernel picks; prints "port N". small_segments makes all its
 * connections act like an ordinary network card's, with a short receive buffer. */
int listen_here(bool small_segments);
/* A connected, blocking, tuned socket, or -1. */
int dial_port(uint16_t port, bool small_segments);
/* The same, through the proxy where the route has one, with a bound on every later wait. */
int dial_route(struct route r, unsigned seconds);

bool send_all(int fd, const void *p, size_t n);
bool receive_all(int fd, void *p, size_t n);
void write_request(uint8_t request[REQUEST_BYTES], enum request kind, uint64_t n);
bool send_request(int fd, enum request kind, uint64_t n);

/* SOCKS5 without authentication, for the two callers that speak it in their own ways. */
enum { SOCKS_HELLO_BYTES = 3, SOCKS_CHOICE_BYTES = 2, SOCKS_CONNECT_BYTES = 10 };
extern const uint8_t socks_hello[SOCKS_HELLO_BYTES];
void write_socks_connect(uint8_t p[SOCKS_CONNECT_BYTES], uint16_t target);

#endif
