#include "cli/session_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/tty.h"

/* How long a BREAK lasts, milliseconds: RFC 4335 section 3. ssh's value. */
enum { BREAK_MS = 1000 };

/* Lines of ~#; a connection may have thousands of channels. */
enum { LIST_LINES = 40 };

void session_say(struct session *s, const char *text)
{
    stream_say(&s->err, bytes_of(text));
}

static void help(struct session *s)
{
    char text[2048];
    escape_help(&s->in.escape, text, sizeof text);
    session_say(s, text);
}

static void list_channels(struct session *s)
{
    struct mux *m = session_mux(s);
    uint32_t id = UINT32_MAX;
    void *user;
    char line[96];
    snprintf(line, sizeof line, "Open channels: %zu\r\n", mux_n_channels(m));
    session_say(s, line);
    for (int i = 0; i < LIST_LINES && mux_each(m, &id, &user); i++) {
        const char *what = user == s ? "session" : user == NULL ? "closing" : "forward";
        snprintf(line, sizeof line, "  #%" PRIu32 " %s, may send %" PRIu32 " bytes\r\n", id, what,
            mux_send_window(m, id));
        session_say(s, line);
    }
}

static void send_break(struct session *s)
{
    uint8_t buffer[4];
    struct wire_writer w = wire_writer(buffer, sizeof buffer);
    wire_put_u32(&w, BREAK_MS);
    if (mux_request(session_mux(s), s->id, BYTES_LIT("break"), true, wire_written(&w),
            TOKEN_BREAK) != ERR_OK)
        session_say(s, "The break could not be sent now.\r\n");
    peer_kick(s->config.peer);
}

static void change_log_level(struct session *s, int by)
{
    char line[64];
    int level = (int)log_level() + by;
    if (level >= LOG_LEVEL_QUIET && level <= LOG_LEVEL_DEBUG3)
        log_set_level((enum log_level)level);
    snprintf(line, sizeof line, "[LogLevel %s]\r\n", log_level_name(log_level()));
    session_say(s, line);
}

/* Ourselves only: what else is in the pipeline goes on, as under ssh. SIGTSTP, not SIGSTOP, so that
 * a process group without a shell to wake it is not stopped for ever. */
static void suspend(struct session *s)
{
    bool was_raw = tty_is_raw();
    tty_restore();
    descriptors_restore();
    kill(getpid(), SIGTSTP);
    descriptors_again();
    if (was_raw)
        tty_raw(s->in.d.fd);
    session_resize(s); /* the window may be another one now */
}

/* What was typed, since the far side does not echo it. */
static void show_command(struct session *s, uint8_t byte)
{
    char echo[32];
    struct escape_name name = escape_name(&s->in.escape);
    bool is_control = byte < ' ';
    snprintf(echo, sizeof echo, "%s%s%c\r\n", name.s, is_control ? "^" : "",
        is_control ? byte + '@' : byte);
    session_say(s, echo);
}

void session_escape(struct session *s, enum escape_action action, uint8_t byte)
{
    if (action != ESCAPE_HELP)
        show_command(s, byte);
    switch (action) {
    case ESCAPE_NONE: break;
    case ESCAPE_END:
        session_input_stop(s);
        session_hang_up(s);
        break;
    case ESCAPE_BREAK: send_break(s); break;
    case ESCAPE_REKEY:
        transport_rekey(peer_transport(s->config.peer));
        peer_kick(s->config.peer);
        break;
    case ESCAPE_MORE_VERBOSE: change_log_level(s, 1); break;
    case ESCAPE_LESS_VERBOSE: change_log_level(s, -1); break;
    case ESCAPE_SUSPEND: suspend(s); break;
    case ESCAPE_LIST: list_channels(s); break;
    case ESCAPE_HELP: help(s); break;
    case ESCAPE_NOT_HERE: session_say(s, "[this one is not in adit yet]\r\n"); break;
    }
}
