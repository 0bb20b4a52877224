/* A command or a shell with its streams; or, for -W, a connection in their place, with two.
 *
 * State: attached until the channel is closed from either side or lost; is_over then, when only
 * output may still wait to be written; has_ended when the owner was told. Whatever may be the last
 * step defers `settle`, so that the owner is never told from inside an event. */
#include "cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/session_internal.h"
#include "cli/tty.h"
#include "forward/socket.h"

enum { EXIT_OURS = 255 };

/* ---- the end ----------------------------------------------------------------------------------
 */

/* A status that does not fit ours must not look like success. */
static int exit_status(const struct session *s)
{
    int status = s->has_status ? (int)(s->status & 0xff) : EXIT_OURS;
    bool was_failure = s->has_status && s->status != 0;
    return status == 0 && (was_failure || s->lost_bytes) ? EXIT_OURS : status;
}

static void close_streams(struct session *s)
{
    tty_restore();
    session_input_close(s);
    stream_close(&s->out);
    stream_close(&s->err);
}

static void leave(struct session *s);

/* A connection ends one direction at a time; both ended in good order are its end. */
static void settle_stdio(struct session *s)
{
    if (!s->saw_eof || s->is_over || s->out.spill_n > 0)
        return;
    stream_end(&s->out, STDOUT_FILENO);
    if (s->in.at_end && !s->in.eof_due)
        leave(s);
}

static void settle(struct loop_task *task)
{
    struct session *s = task->user;
    if (s->is_stdio)
        settle_stdio(s);
    if (!s->is_over || s->has_ended || s->out.spill_n > 0 || s->err.spill_n > 0)
        return;
    s->has_ended = true;
    close_streams(s);
    if (s->wants_tty && s->runs)
        log_info("Connection to %s closed.", s->config.options->host);
    s->config.ended(s->config.user, exit_status(s));
}

bool session_is_over(const struct session *s)
{
    return s->is_over;
}

void session_settle(struct session *s)
{
    settle(&s->settle);
}

/* Lets go of the channel; output may still wait. */
static void leave(struct session *s)
{
    if (s->attached) {
        s->attached = false;
        mux_detach(session_mux(s), s->id);
        mux_close(session_mux(s), s->id);
        peer_kick(s->config.peer);
    }
    session_input_stop(s);
    s->is_over = true;
    loop_defer(s->loop, &s->settle);
}

void session_hang_up(struct session *s)
{
    s->config.hang_up(s->config.user);
}

/* ---- output -----------------------------------------------------------------------------------
 */

static void take_extended(struct session *s, const struct mux_event *e)
{
    enum { IS_STDERR = 1 }; /* RFC 4254 section 5.2 */
    struct iovec iov = {.iov_base = (void *)(uintptr_t)e->data.p, .iov_len = e->data.n};
    if (e->code == IS_STDERR && !s->is_stdio)
        stream_write(&s->err, &iov, 1);
    else
        mux_consumed(session_mux(s), s->id, e->data.n);
}

static void on_flush(struct chan_user *u)
{
    struct session *s = (struct session *)u;
    struct gather *g = peer_gathered(s->config.peer);
    stream_write(&s->out, g->iov, g->n);
    g->owner = NULL;
    g->n = 0;
}

static void output_left(struct stream *stream, size_t n)
{
    struct session *s = stream->user;
    if (s->attached) {
        mux_consumed(session_mux(s), s->id, n);
        peer_kick(s->config.peer);
    }
}

/* The reader of our stdout is gone: the command is to see the same, as in a local pipeline. Only
 * OpenSSH is told so; others know no such request, and some end the connection over it. */
static void stop_the_writer(struct session *s)
{
    static const char openssh[] = "SSH-2.0-OpenSSH";
    struct bytes ident = transport_peer_ident(peer_transport(s->config.peer));
    size_t n = sizeof openssh - 1;
    if (s->attached && ident.n >= n && memcmp(ident.p, openssh, n) == 0)
        (void)!mux_request(
            session_mux(s), s->id, BYTES_LIT("eow@openssh.com"), false, BYTES_LIT(""), 0);
}

static void output_failed(struct stream *stream)
{
    struct session *s = stream->user;
    const char *name = stream == &s->out ? "stdout" : "stderr";
    bool reader_left = stream->error == EPIPE || stream->error == ECONNRESET;
    if (reader_left)
        log_verbose("%s was closed by its reader", name);
    else
        log_error("cannot write %s: %s", name, strerror(stream->error));
    s->lost_bytes |= !reader_left;
    if (s->is_stdio) {
        s->has_status = true;
        leave(s); /* nobody takes what comes any more: FORWARDING.md line 37 */
    } else if (stream == &s->out) {
        stop_the_writer(s);
    }
}

static void output_empty(struct stream *stream)
{
    struct session *s = stream->user;
    loop_defer(s->loop, &s->settle);
}

/* ---- what the far side says -------------------------------------------------------------------
 */

static void opened(struct session *s)
{
    const struct options *o = s->config.options;
    socket_qos(peer_fd(s->config.peer), s->wants_tty ? o->ip_qos_interactive : o->ip_qos_bulk);
    if (s->is_stdio) {
        session_input_start(s);
        s->config.started(s->config.user);
    } else if (!session_ask(s)) {
        leave(s);
    } else if (!s->wants_tty) {
        session_input_start(s);
    }
}

static void open_failed(struct session *s, const struct mux_event *e)
{
    const struct forward_spec *to = &s->config.options->stdio;
    struct log_escaped why = log_escape(e->text.n > 0 ? e->text : BYTES_LIT("no reason given"));
    bool is_prohibited = e->reason == OPEN_ADMINISTRATIVELY_PROHIBITED;
    s->attached = false; /* the number is not ours any more */
    if (s->is_stdio)
        log_error("-W %s: remote side could not connect to %s:%u: %s%s", to->text, to->host,
            (unsigned)to->host_port, is_prohibited ? "administratively prohibited: " : "", why.s);
    else
        log_error("the server refused a session: %s%s", why.s,
            is_prohibited ? " (-N forwards only)" : "");
    leave(s);
}

static void tty_answered(struct session *s, bool granted)
{
    s->has_tty = granted;
    if (!granted)
        log_error("PTY allocation request failed on channel %" PRIu32, s->id);
    else if (isatty(s->in.d.fd) && !tty_raw(s->in.d.fd))
        log_error("cannot make the terminal raw: %s", strerror(errno));
    session_resize(s); /* it may have changed since it was asked for */
    session_input_start(s);
}

static void run_answered(struct session *s, bool accepted)
{
    if (accepted) {
        s->runs = true;
        s->config.started(s->config.user);
        return;
    }
    const struct options *o = s->config.options;
    bool is_subsystem = o->session_type == SESSION_SUBSYSTEM;
    bool is_shell = o->remote_command == NULL;
    log_error("%s refused to run %s (%s request failed on channel %" PRIu32
              "); use -N to forward only",
        s->config.destination,
        is_subsystem ? "the subsystem"
        : is_shell   ? "a shell"
                     : "the command",
        is_subsystem ? "subsystem"
        : is_shell   ? "shell"
                     : "exec",
        s->id);
    leave(s);
}

static void replied(struct session *s, const struct mux_event *e)
{
    switch (e->token) {
    case TOKEN_PTY: tty_answered(s, e->ok); break;
    case TOKEN_RUN: run_answered(s, e->ok); break;
    case TOKEN_BREAK:
        if (!e->ok)
            session_say(s, "BREAK request failed\r\n");
        break;
    default: break;
    }
}

static bool take_status(struct session *s, struct bytes rest)
{
    struct wire_reader r = wire_reader(rest);
    uint32_t status = wire_u32(&r);
    if (!wire_done(&r))
        return false;
    s->status = status;
    s->has_status = true;
    return true;
}

/* ssh says nothing about it and ends with 255; so it is told to those who want to know more. */
static bool take_signal(struct bytes rest)
{
    struct wire_reader r = wire_reader(rest);
    struct msg_exit_signal m;
    if (msg_exit_signal_decode(&r, &m) != ERR_OK)
        return false;
    log_verbose("the command was killed by signal %s%s%s%s", log_escape(m.signal).s,
        m.core_dumped ? " (core dumped)" : "", m.message.n > 0 ? ": " : "",
        m.message.n > 0 ? log_escape(m.message).s : "");
    return true;
}

static void requested(struct session *s, const struct mux_event *e)
{
    bool ok = false;
    if (bytes_is(e->name, "exit-status")) {
        ok = take_status(s, e->rest);
    } else if (bytes_is(e->name, "exit-signal")) {
        ok = take_signal(e->rest);
    } else if (bytes_is(e->name, "eow@openssh.com")) {
        session_input_stop(s); /* the command has closed its stdin: OpenSSH PROTOCOL 2.1 */
        ok = true;
    }
    if (e->want_reply) /* keepalive@openssh.com among them: FORWARDING.md line 56 */
        mux_reply(session_mux(s), s->id, ok);
}

/* Behind a command's last byte there is nothing to close but our own copies. */
static void ended(struct session *s)
{
    if (!s->is_stdio)
        return;
    s->has_status = s->saw_eof = true; /* in good order: 0 */
    loop_defer(s->loop, &s->settle);
}

/* A connection that is closed before it ended was cut: FORWARDING.md line 38. */
static void closed(struct session *s)
{
    bool was_cut = s->is_stdio && !s->saw_eof;
    if (was_cut && peer_marks_clean_ends(s->config.peer))
        log_error("-W %s: the connection was cut off", s->config.options->stdio.text);
    else if (was_cut)
        s->has_status = true;
    leave(s);
}

static void on_event(struct chan_user *u, const struct mux_event *e)
{
    struct session *s = (struct session *)u;
    switch (e->type) {
    case MUX_OPENED: opened(s); break;
    case MUX_OPEN_FAILED: open_failed(s, e); break;
    case MUX_DATA: peer_gather(s->config.peer, u, s->id, e->data); break;
    case MUX_EXTENDED: take_extended(s, e); break;
    case MUX_EOF: ended(s); break;
    case MUX_CLOSED: closed(s); break;
    case MUX_REQUEST: requested(s, e); break;
    case MUX_REPLY: replied(s, e); break;
    default: break;
    }
    peer_kick(s->config.peer);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void on_turn(struct chan_user *u)
{
    session_input_turn((struct session *)u);
}

/* The connection is gone; the owner knows. What waits gets one more try. */
static void on_lost(struct chan_user *u)
{
    struct session *s = (struct session *)u;
    s->attached = false;
    s->has_ended = true;
    session_input_stop(s);
    stream_push(&s->out);
    stream_push(&s->err);
    tty_restore();
}

static const struct chan_ops session_ops = {
    .event = on_event, .turn = on_turn, .flush = on_flush, .lost = on_lost};

static struct stream new_stream(struct session *s)
{
    return (struct stream){
        .left = output_left, .failed = output_failed, .empty = output_empty, .user = s};
}

static bool open_streams(struct session *s)
{
    s->out = new_stream(s);
    s->err = new_stream(s);
    return session_input_open(s) && stream_open(&s->out, s->loop, STDOUT_FILENO) &&
           stream_open(&s->err, s->loop, STDERR_FILENO);
}

struct session *session_start(const struct session_config *config)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        log_fatal("no memory for a session");
        return NULL;
    }
    s->head.ops = &session_ops;
    s->config = *config;
    s->loop = peer_loop(config->peer);
    s->settle = (struct loop_task){.run = settle, .user = s};
    s->is_stdio = config->options->has_stdio;
    s->wants_tty = !s->is_stdio && session_wants_tty(config->options);
    bool is_ready = open_streams(s);
    if (!is_ready)
        log_fatal("cannot use stdin, stdout and stderr: %s", strerror(errno));
    else if (session_open(s) == ERR_OK)
        s->attached = true;
    else
        log_fatal("cannot open a session: no memory, or too many channels");
    if (!s->attached) {
        session_free(s);
        return NULL;
    }
    peer_kick(config->peer);
    return s;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    if (s->attached) {
        struct gather *g = peer_gathered(s->config.peer);
        if (g->owner == &s->head)
            *g = (struct gather){.owner = NULL};
        leave(s);
    }
    loop_undefer(s->loop, &s->settle);
    close_streams(s);
    free(s);
}

void session_restore_terminal(void)
{
    tty_restore();
}
