/* A session on the far side: a command or a shell, its streams joined to ours, RFC 4254 section 6;
 * or what -W has in its place, a connection from the far side to a host, section 7.2.
 *
 * stdin, stdout and stderr of this process are used (stdin is /dev/null with -n), each of them a
 * terminal, pipe, socket or file. With a terminal asked for (RequestTTY, a shell at a terminal)
 * ours is put into raw mode once the far side granted one, its size and modes are sent, and it is
 * restored on every way out, signals included. Files made non-blocking are made blocking again. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/options.h"
#include "forward/peer.h"

struct session; /* opaque; the user of its channel */

struct session_config {
    struct peer *peer;
    const struct options *options; /* borrowed */
    const char *destination;       /* for messages: what the user typed as the host */
    /* The command ended: status is the program's exit status as ssh maps it (255 when the command
     * was killed by a signal, or when no status came). Called once, when all its output has been
     * written and its channel is closed. */
    void (*ended)(void *user, int status);
    /* The escape "~." was typed, or the local terminal is gone: end the connection. */
    void (*hang_up)(void *user);
    /* The command runs (the far side accepted exec or shell): -f may go to the background. */
    void (*started)(void *user);
    void *user;
};

/* Opens the session channel; NULL: no memory, logged. Refusals by the far side are logged by the
 * session itself ("the server runs no commands; use -N to forward only" and the server's own words)
 * and end in ended(255). */
struct session *session_start(const struct session_config *config);
/* Restores the terminal and the streams; accepts NULL. May be called at any time, also before
 * ended(), and after the connection was lost. */
void session_free(struct session *s);

/* Has the far side ended it? What it sent before may still wait to be written here. */
bool session_is_over(const struct session *s);
/* Tells the owner of the end now, if it is over and nothing waits to be written: a server may close
 * the connection in the same breath as the session, before the loop gets round to telling. */
void session_settle(struct session *s);

/* SIGWINCH: tells the far side the new size. */
void session_resize(struct session *s);
/* Restores the terminal at once: for a fatal signal or a message on the way out. */
void session_restore_terminal(void);

#endif
