/* What a session asks of the far side: its channel, and when that is open a terminal, variables,
 * and the command or shell. RFC 4254 sections 6.2, 6.4 and 6.5. */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/session_internal.h"
#include "cli/tty.h"

extern char **environ;

enum {
    TERM_MAX = 256,
    /* Of one request: a packet of 256 KiB, OpenSSH's largest, with room to spare. */
    REQUEST_MAX = 255 * 1024,
};

static bool request(struct session *s, struct bytes name, struct bytes rest, uint32_t token)
{
    enum err e = mux_request(session_mux(s), s->id, name, token != 0, rest, token);
    if (e != ERR_OK)
        log_error("cannot ask for a session: %s", err_text(e));
    return e == ERR_OK;
}

bool session_wants_tty(const struct options *o)
{
    bool wanted = o->request_tty == TTY_FORCE || o->request_tty == TTY_YES ||
                  (o->request_tty == TTY_AUTO && o->remote_command == NULL);
    bool has_one = o->env->stdin_is_terminal && !o->stdin_null;
    if (wanted && !has_one && o->request_tty != TTY_FORCE) {
        log_info("Pseudo-terminal will not be allocated because stdin is not a terminal.");
        return false;
    }
    return wanted;
}

static bool ask_for_tty(struct session *s)
{
    uint8_t modes[TTY_MODES_MAX], buffer[TERM_MAX + TTY_MODES_MAX + 32];
    struct wire_writer w = wire_writer(modes, sizeof modes);
    struct termios local;
    bool is_terminal = s->in.d.fd >= 0 && tcgetattr(s->in.d.fd, &local) == 0;
    tty_encode_modes(&w, is_terminal ? &local : NULL);

    const char *term = s->config.options->env->get("TERM");
    if (term == NULL || strlen(term) > TERM_MAX)
        term = "";
    s->size = tty_size(s->in.d.fd);
    struct msg_pty_req m = {.term = bytes_of(term),
        .columns = s->size.columns,
        .rows = s->size.rows,
        .width_px = s->size.width_px,
        .height_px = s->size.height_px,
        .modes = wire_written(&w)};
    struct wire_writer rest = wire_writer(buffer, sizeof buffer);
    msg_pty_req_encode(&rest, &m);
    return request(s, BYTES_LIT("pty-req"), wire_written(&rest), TOKEN_PTY);
}

/* '*' and '?', in letters as they are: variables' names have a case, unlike hosts'. */
static bool glob(const char *pattern, const char *name, size_t n)
{
    const char *star = NULL;
    size_t at = 0, star_at = 0;
    while (at < n) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern == '?' || *pattern == name[at]) {
            pattern++;
            at++;
        } else if (star != NULL) {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* setting: "NAME=value". Not answered: servers drop what they do not accept. */
static bool send_variable(struct session *s, const char *setting)
{
    const char *equals = strchr(setting, '=');
    struct bytes name = {(const uint8_t *)setting, (size_t)(equals - setting)};
    struct bytes value = bytes_of(equals + 1);
    size_t cap = 8 + name.n + value.n;
    if (cap > REQUEST_MAX) {
        log_info("variable %s is too long to be sent", log_escape(name).s);
        return true;
    }
    uint8_t *buffer = malloc(cap);
    if (buffer == NULL)
        return false;
    struct wire_writer w = wire_writer(buffer, cap);
    wire_put_string(&w, name);
    wire_put_string(&w, value);
    log_debug("sending variable %s", log_escape(name).s);
    bool sent = request(s, BYTES_LIT("env"), wire_written(&w), 0);
    free(buffer);
    return sent;
}

static bool is_chosen(const struct text_list *patterns, const char *setting)
{
    const char *equals = strchr(setting, '=');
    for (size_t i = 0; equals != NULL && i < patterns->n; i++)
        if (glob(patterns->items[i], setting, (size_t)(equals - setting)))
            return true;
    return false;
}

static bool send_variables(struct session *s)
{
    const struct options *o = s->config.options;
    for (char **at = environ; at != NULL && *at != NULL; at++)
        if (is_chosen(&o->send_env, *at) && !send_variable(s, *at))
            return false;
    for (size_t i = 0; i < o->set_env.n; i++)
        if (!send_variable(s, o->set_env.items[i]))
            return false;
    return true;
}

static bool run(struct session *s)
{
    const char *command = s->config.options->remote_command;
    if (command == NULL)
        return request(s, BYTES_LIT("shell"), BYTES_LIT(""), TOKEN_RUN);
    size_t n = strlen(command);
    if (n > REQUEST_MAX) {
        log_error("the command is too long: %zu bytes, at most %d can be sent", n, REQUEST_MAX);
        return false;
    }
    uint8_t *buffer = malloc(n + 4);
    if (buffer == NULL)
        return false;
    struct wire_writer w = wire_writer(buffer, n + 4);
    wire_put_cstring(&w, command);
    bool is_subsystem = s->config.options->session_type == SESSION_SUBSYSTEM;
    bool sent = request(
        s, is_subsystem ? BYTES_LIT("subsystem") : BYTES_LIT("exec"), wire_written(&w), TOKEN_RUN);
    free(buffer);
    return sent;
}

/* Who connects is nobody with an address; some servers want a valid one: FORWARDING.md line 41. */
static enum err open_stdio(struct session *s)
{
    enum { BODY_MAX = 2 * FORWARD_HOST_MAX + 64 };
    const struct forward_spec *to = &s->config.options->stdio;
    uint8_t body[BODY_MAX];
    struct wire_writer w = wire_writer(body, sizeof body);
    struct msg_tcpip_open m = {.host = bytes_of(to->host),
        .port = to->host_port,
        .from_host = BYTES_LIT("127.0.0.1"),
        .from_port = 65535};
    msg_tcpip_open_encode(&w, &m);
    return mux_open(session_mux(s), BYTES_LIT("direct-tcpip"), wire_written(&w), s, &s->id);
}

enum err session_open(struct session *s)
{
    if (s->is_stdio)
        return open_stdio(s);
    return mux_open(session_mux(s), BYTES_LIT("session"), BYTES_LIT(""), s, &s->id);
}

bool session_ask(struct session *s)
{
    return (!s->wants_tty || ask_for_tty(s)) && send_variables(s) && run(s);
}

void session_resize(struct session *s)
{
    struct msg_window_change now = tty_size(s->in.d.fd);
    uint8_t buffer[16];
    if (!s->attached || !s->has_tty || memcmp(&now, &s->size, sizeof now) == 0)
        return;
    s->size = now;
    struct wire_writer w = wire_writer(buffer, sizeof buffer);
    msg_window_change_encode(&w, &now);
    (void)request(s, BYTES_LIT("window-change"), wire_written(&w), 0);
    peer_kick(s->config.peer);
}
