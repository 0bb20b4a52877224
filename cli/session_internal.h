/* What the files of a session share: session.c (the channel's conversation and output),
 * session_open.c (what is asked of the far side), session_input.c (what is read and typed) and
 * session_escape.c (what the commands behind ~ do). */
#ifndef CLI_SESSION_INTERNAL_H
#define CLI_SESSION_INTERNAL_H

#include "cli/descriptor.h"
#include "cli/escape.h"
#include "cli/session.h"
#include "cli/stream.h"
#include "proto/msg.h"

/* Tokens of our channel requests. */
enum { TOKEN_PTY = 1, TOKEN_RUN, TOKEN_BREAK };

enum { TYPED_MAX = 16 * 1024 };

/* stdin. Without a remote terminal it is read straight into packets, when it is the channel's turn.
 * With one it is read as it is typed, past the escape filter into typed[], so that ~. works also
 * when the far side takes nothing. */
struct session_input {
    struct descriptor d;
    struct loop_source source;
    bool is_typed;
    bool at_end;  /* nothing more is read */
    bool eof_due; /* ... and EOF is to be sent behind what is in typed[] */
    struct escape escape;
    size_t typed_n;
    uint8_t typed[TYPED_MAX];
};

struct session {
    struct chan_user head; /* first: the multiplexer's user pointer is this struct */
    struct session_config config;
    struct loop *loop;
    struct loop_task settle; /* what has changed may be the end: looked at between events */
    uint32_t id;
    struct session_input in;
    struct stream out, err;
    bool is_stdio;  /* -W: the channel leads to a host, and nothing is run */
    bool saw_eof;   /* ... which sends no more */
    bool attached;  /* the channel is ours */
    bool wants_tty; /* asked for one */
    bool has_tty;   /* the far side granted it */
    bool runs;      /* the far side accepted exec or shell */
    bool is_over;   /* the conversation is: only output may still wait */
    bool has_ended; /* ended() was called */
    bool
        lost_bytes; /* output of the command's could not be written, and not for want of a reader */
    bool has_status; /* an exit status came: */
    uint32_t status;
    struct msg_window_change size; /* last sent */
};

static inline struct mux *session_mux(struct session *s)
{
    return peer_mux(s->config.peer);
}

/* Is a remote terminal to be asked for? As ssh decides, and says so. */
bool session_wants_tty(const struct options *o);
/* Opens the channel: a session, or for -W a connection that the far side makes. */
enum err session_open(struct session *s);
/* The channel is open: asks for the terminal, sends variables, asks for the command or shell.
 * False: logged. */
bool session_ask(struct session *s);

bool session_input_open(struct session *s); /* false: errno */
/* Reading begins; called when the channel is open and it is known whether there is a terminal. */
void session_input_start(struct session *s);
void session_input_turn(struct session *s);
/* Reads no more; sends EOF when the channel is still ours. */
void session_input_stop(struct session *s);
void session_input_close(struct session *s);

/* An escape command: byte is what was typed for it. */
void session_escape(struct session *s, enum escape_action action, uint8_t byte);
/* Writes to the person at the terminal: stderr, as ssh does. */
void session_say(struct session *s, const char *text);
void session_hang_up(struct session *s);

#endif
