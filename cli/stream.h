/* One of a session's output streams: what the descriptor refuses waits in a spill, in order, and
 * every byte is told when it has left, so that its credit can be given back.
 *
 * The spill is bounded by whoever sends: credit is given only for what has left, so no more than a
 * channel's window can wait here. A stream that failed (its reader went away) swallows what comes
 * and tells it as left. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "cli/descriptor.h"
#include "forward/loop.h"
#include "proto/wire.h"

struct stream {
    struct descriptor d;
    struct loop *loop;
    struct loop_source source;
    uint8_t *spill;
    size_t spill_at, spill_n, spill_cap;
    int error; /* the errno that ended it; 0: it works */
    /* Called from inside the two calls below and from the loop; may not close the stream.
     *   left    n bytes were written, or swallowed
     *   failed  once: error is set
     *   empty   the spill, once filled, is empty again */
    void (*left)(struct stream *s, size_t n);
    void (*failed)(struct stream *s);
    void (*empty)(struct stream *s);
    void *user;
};

/* Zeroed but for the three functions and user. Takes a copy of fd. False: errno. */
bool stream_open(struct stream *s, struct loop *l, int fd);
/* Drops what waits. Does nothing to one that is not open. */
void stream_close(struct stream *s);

/* Closes one with nothing waiting, so that its reader sees the end: descriptor_end(). */
void stream_end(struct stream *s, int fd);

/* Writes what the descriptor takes now; the rest is copied to wait. Without memory for that the
 * stream fails (ENOMEM). */
void stream_write(struct stream *s, const struct iovec *iov, int n);
/* A word of our own, told to nobody as left: written if it can be now, dropped otherwise. */
void stream_say(struct stream *s, struct bytes text);
/* Gives what waits one more try, for a last time before stream_close(). */
void stream_push(struct stream *s);

#endif
