/* The socket that carries SSH (or the two pipes to a program that does): reading into the
 * transport, writing from it, and how much may wait.
 *
 * What waits to be sent, here or unsent in the kernel, is what the next keystroke waits for. So the
 * link measures how fast a full socket drains, and keeps both to some milliseconds of that: half a
 * megabyte on a fast path, a packet of a few kilobytes on a slow one. The same measure goes to the
 * multiplexer as the most that a channel sends in a turn.
 *
 * When bytes stream in, waking up for every packet of the peer costs more than the packet: then the
 * socket is told to wake us for many at once (SO_RCVLOWAT), and a timer fetches what stays below
 * that. A peer that pauses turns this off for a while, and longer each time.
 *
 * sshd leaves Nagle's algorithm on where a connection has no session: a small packet then waits
 * until what it sent before is acknowledged, and the kernel delays that by up to 40 ms for an
 * answer to go along. So a turn that read and sent nothing ends with an acknowledgement.
 *
 * Internal to peer.c, which owns the descriptor and the turn. Times are the loop's milliseconds. */
#ifndef FORWARD_LINK_H
#define FORWARD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/transport.h"

/* How fast a full socket drains. */
struct drain {
    uint64_t from_ms; /* start of the measurement under way */
    uint64_t n_bytes; /* taken by the socket since */
    uint64_t n_free;  /* taken since the socket was last full */
    uint64_t rate;    /* bytes a millisecond; 0: never was full */
    bool is_full;     /* a measurement is under way: the socket has not kept up since from_ms */
};

/* Whether bytes stream in. */
struct stream_in {
    uint64_t from_ms;  /* start of the run: reads with no pause between them */
    uint64_t n_bytes;  /* of the run */
    uint64_t need;     /* bytes of a run after which wake-ups are saved; doubled by each pause */
    uint64_t fetch_ms; /* when to read whatever is there; UINT64_MAX: wake-ups are not saved */
};

struct link {
    int fd;                  /* what is read, and written too where nothing else is */
    int out_fd;              /* what is written: fd, or the second of two pipes */
    bool readable, writable; /* what epoll's edges said and no call has taken back */
    bool saw_hangup;         /* the last edge told of an end: no further one will come */
    int read_error;          /* errno of a read that failed */
    int write_error; /* of a write: nothing more is sent, but what came before is still read,
                      * the other side's last words among it */
    bool owes_ack;   /* bytes came, and nothing was sent since */
    struct drain drain;
    struct stream_in in;
    size_t burst;      /* what link_burst() says */
    int notsent_bytes; /* TCP_NOTSENT_LOWAT in force; 0: none */
};

void link_init(struct link *l, int fd, int out_fd);
void link_ready(struct link *l, unsigned loop_events);

/* One read. True when bytes, or the end, came. */
bool link_read(struct link *l, struct transport *t, uint64_t now_ms);
/* Writes until nothing waits or the socket is full. True when bytes left, or the link failed. */
bool link_write(struct link *l, struct transport *t, uint64_t now_ms);

/* The end of a turn: what came and had no answer is acknowledged now, not when the kernel would. */
void link_acknowledge(struct link *l);

/* The most bytes that a channel should send in one turn. is_shared: more than one channel sends, so
 * that one's bulk is another's wait. Sets the transport's backlog and the kernel's to match. */
size_t link_burst(struct link *l, struct transport *t, bool is_shared);

/* When to call link_fetch(), which makes the link readable; UINT64_MAX: never. */
uint64_t link_deadline(const struct link *l);
void link_fetch(struct link *l, uint64_t now_ms);

#endif
