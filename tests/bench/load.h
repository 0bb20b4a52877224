/* The commands of the load generator, a function each; load.c says what they take and print. Each
 * ends the program on failure, and by itself after `seconds`, whatever happens. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "net.h"

/* serve.c */
void serve(unsigned seconds);

/* stream.c */
void move(enum request direction, struct route r, uint64_t n_bytes, unsigned seconds);
struct streams {
    enum request direction;
    struct route route;
    unsigned n;
    unsigned warm_ms, window_ms; /* the window opens when warm_ms have passed */
    uint16_t server_port;        /* asked, past the tunnel, what has arrived */
};
void streams(struct streams s, unsigned seconds);

/* open.c */
struct opened {
    int *fds; /* those that are usable; the caller's to close */
    unsigned n, n_failed;
    double seconds;
};
/* Opens n connections, at most at_once at a time. One is usable when the server has answered the
 * request (PING or ECHO). keep: they stay open; else each is closed when it was usable. */
struct opened open_many(struct route r, enum request request, unsigned n, unsigned at_once,
    bool keep, unsigned seconds);
void open_and_close(struct route r, unsigned n, unsigned at_once, unsigned seconds);
void hold(struct route r, unsigned n, unsigned at_once, unsigned seconds);

/* echo.c */
void echo(struct route r, unsigned n, unsigned seconds);
/* n_bytes: at most CHUNK_BYTES. */
void answers(struct route r, size_t n_bytes, unsigned n, unsigned seconds);

/* relay.c */
struct link {
    uint16_t target;
    unsigned round_trip_ms;
    unsigned mbit_s; /* 0: no limit */
};
void relay(struct link l, unsigned seconds);
/* One connection at a time passed on with one recv and one send a call of call_bytes: the least
 * that a forwarder in user space can cost. */
void bare(uint16_t target, size_t call_bytes, unsigned seconds);

#endif
