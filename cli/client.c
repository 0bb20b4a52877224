/* One run, forwards only in time: dialling -> exchanging -> logging in -> running -> ending. What
 * has not happened yet is NULL. `status` is decided once, by whoever ends the run first. */
#include "cli/client_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/background.h"
#include "cli/local_command.h"
#include "cli/log.h"
#include "cli/proxy.h"
#include "forward/socket.h"

/* ---- the end ----------------------------------------------------------------------------------
 */

void client_stop(struct client *c, int status)
{
    if (!c->ending)
        c->status = status;
    c->ending = true;
    loop_stop(c->loop, c->status);
}

/* Ends in good order: what is queued goes out first. */
void client_hang_up(struct client *c, int status)
{
    if (!c->ending)
        c->status = status;
    c->ending = true;
    session_restore_terminal();
    if (c->peer != NULL && !c->is_disconnected)
        peer_close(c->peer, "disconnected by user");
    else
        loop_stop(c->loop, c->status);
}

/* The adit that is the jump has said already what went wrong there, if something did. */
static const char *way_to(const struct client *c)
{
    return c->o->jumps.n > 0 && !c->logged_in ? c->o->jumps.items[c->o->jumps.n - 1].host : NULL;
}

static void say_end(struct client *c, const struct fault *why)
{
    const char *way = way_to(c);
    session_restore_terminal();
    switch (why->code) {
    case ERR_OK: break;
    case ERR_CLOSED:
    case ERR_IO:
        log_error("connection to %s%s%s %s: %s", c->o->host, way != NULL ? " by way of " : "",
            way != NULL ? way : "", c->logged_in ? "ended" : "failed", why->text);
        if (c->login != NULL)
            login_explain_end(c->login);
        break;
    case ERR_HOST_KEY:
        if (!c->refused_host_key) /* else said when it happened, at length */
            log_error("%s: %s", c->o->host, why->text);
        log_error("Host key verification failed.");
        break;
    case ERR_AUTH: break; /* said when it happened */
    default: log_error("%s: %s", c->o->host, why->text); break;
    }
}

void client_ended(void *user, const struct fault *why)
{
    struct client *c = user;
    bool outlived = c->session != NULL && session_is_over(c->session);
    c->is_disconnected = true;
    if (!c->ending && (!outlived || mux_n_channels(peer_mux(c->peer)) > 0))
        say_end(c, why);
    if (c->session_over || c->ending || !outlived) {
        client_stop(c, c->session_over ? c->status : EXIT_OURS);
        return;
    }
    forwards_free(c->forwards); /* nobody is to connect to what leads nowhere */
    c->forwards = NULL;
    session_settle(c->session); /* or it tells of its end when its output has been written */
}

/* A -N client stays until the connection ends; with a session it ends when that has and no
 * forwarded connection is left (FORWARDING.md line 26). */
static void leave_when_quiet(struct client *c)
{
    if (c->session_over && !c->ending && mux_n_channels(peer_mux(c->peer)) == 0)
        client_hang_up(c, c->status);
}

void client_quiet(void *user)
{
    leave_when_quiet(user);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static void session_ended(void *user, int status)
{
    struct client *c = user;
    c->session_over = true;
    c->status = status;
    if (c->is_disconnected) {
        client_stop(c, status);
        return;
    }
    if (mux_n_channels(peer_mux(c->peer)) > 0)
        log_verbose("waiting for forwarded connections to end");
    leave_when_quiet(c);
}

static void session_hang_up(void *user)
{
    struct client *c = user;
    log_info("Connection to %s closed.", c->o->host);
    client_hang_up(c, EXIT_OURS);
}

static void to_background(struct client *c)
{
    if (c->o->fork_after_auth)
        background_ready(log_shows(LOG_LEVEL_DEBUG1));
}

static void session_started(void *user)
{
    to_background(user);
}

static void start_session(struct client *c)
{
    struct session_config config = {.peer = c->peer,
        .options = c->o,
        .destination = c->o->host_arg,
        .ended = session_ended,
        .hang_up = session_hang_up,
        .started = session_started,
        .user = c};
    c->session = session_start(&config);
    if (c->session == NULL)
        client_hang_up(c, EXIT_OURS);
}

static void say_forward(void *user, enum say_level level, const char *line)
{
    static const enum log_level levels[] = {[SAY_DEBUG] = LOG_LEVEL_DEBUG1,
        [SAY_VERBOSE] = LOG_LEVEL_VERBOSE,
        [SAY_INFO] = LOG_LEVEL_INFO,
        [SAY_ERROR] = LOG_LEVEL_ERROR};
    (void)user;
    log_line(levels[level], "%s", line);
}

static void forwards_settled(void *user, unsigned n_failed)
{
    struct client *c = user;
    if (n_failed > 0 && c->o->exit_on_forward_failure) {
        log_error("%u forward%s failed, and ExitOnForwardFailure is yes", n_failed,
            n_failed == 1 ? "" : "s");
        client_hang_up(c, EXIT_OURS);
        return;
    }
    local_command_run(c->o);
    if (c->o->session_type == SESSION_NONE && !c->o->has_stdio)
        to_background(c);
    else
        start_session(c);
}

static void start_forwards(struct client *c)
{
    if (c->o->session_type == SESSION_NONE)
        socket_qos(peer_fd(c->peer), c->o->ip_qos_bulk);
    struct forwards_config config = {.peer = c->peer,
        .resolver = c->resolver,
        .specs = c->o->forwards,
        .n_specs = c->restricted ? 0 : c->o->n_forwards,
        .gateway_ports = c->o->gateway_ports == 1,
        .family = c->o->family,
        .permit_remote_open = c->o->permit_remote_open.items,
        .n_permit_remote_open = c->o->permit_remote_open.n,
        .say = say_forward,
        .settled = forwards_settled,
        .user = c};
    c->forwards = forwards_new(&config);
    if (c->forwards == NULL) {
        log_fatal("no memory");
        client_hang_up(c, EXIT_OURS);
        return;
    }
    forwards_start(c->forwards);
}

static void on_signal(void *user, int signo)
{
    struct client *c = user;
    if (signo == SIGWINCH) {
        if (c->session != NULL)
            session_resize(c->session);
        return;
    }
    /* SIGTERM to a -N client is its ordinary end: FORWARDING.md line 25. */
    bool ordinary = signo == SIGTERM && c->o->session_type == SESSION_NONE;
    session_restore_terminal();
    log_verbose("Killed by signal %d.", signo);
    client_hang_up(c, ordinary ? 0 : EXIT_OURS);
}

/* Until login signals do what they always do; prompts restore the terminal themselves. */
static bool catch_signals(struct client *c)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction now;
        bool ignored = sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == SIG_IGN;
        if (!ignored && loop_signal(c->loop, signals[i], on_signal, c) != ERR_OK)
            return false; /* one that was ignored (nohup) stays so */
    }
    return true;
}

/* A person is asked only where they are about to sit at a shell, as in ssh. */
static void begin_host_key_updates(struct client *c)
{
    const struct options *o = c->o;
    bool asks = o->update_host_keys == UPDATE_HOST_KEYS_ASK;
    if (!c->may_update_hosts || o->update_host_keys == UPDATE_HOST_KEYS_NO ||
        o->user_known_hosts.n == 0 || (asks && (o->batch_mode || o->remote_command != NULL)))
        return;
    struct update_host_keys_config config = {.options = o,
        .address = c->address,
        .session_id = transport_session_id(peer_transport(c->peer)),
        .mux = peer_mux(c->peer),
        .rng = &c->rng};
    c->host_keys = update_host_keys_new(&config);
}

static void say_login_was_free(struct client *c)
{
    bool at_terminal = isatty(STDERR_FILENO) == 1;
    log_line(at_terminal ? LOG_LEVEL_INFO : LOG_LEVEL_VERBOSE,
        "%s let us in without asking for any proof of who we are.", c->o->host);
}

void client_logged_in(struct client *c)
{
    c->logged_in = true;
    if (c->proxy > 0)
        log_verbose(
            "Authenticated to %s (via proxy) using \"%s\".", c->o->host, login_method(c->login));
    else
        log_verbose("Authenticated to %s ([%s]:%d) using \"%s\".", c->o->host, c->address,
            c->o->port, login_method(c->login));
    if (login_was_free(c->login))
        say_login_was_free(c);
    begin_host_key_updates(c);
    login_free(c->login);
    c->login = NULL;
    if (!catch_signals(c)) {
        log_fatal("cannot watch for signals: %s", strerror(errno));
        client_hang_up(c, EXIT_OURS);
        return;
    }
    start_forwards(c);
}

/* ---- what the server asks for -----------------------------------------------------------------
 */

void client_mux_event(void *user, const struct mux_event *e)
{
    struct client *c = user;
    struct mux *m = peer_mux(c->peer);
    if (c->forwards != NULL && forwards_event(c->forwards, e))
        return;
    if (e->type == MUX_GLOBAL_REPLY && e->token == UPDATE_HOST_KEYS_TOKEN && c->host_keys != NULL) {
        update_host_keys_proved(c->host_keys, e->ok, e->rest);
    } else if (e->type == MUX_GLOBAL_REQUEST && bytes_is(e->name, "hostkeys-00@openssh.com") &&
               c->host_keys != NULL) {
        update_host_keys_told(c->host_keys, e->rest);
        if (e->want_reply)
            mux_global_reply(m, e->ticket, true, (struct bytes){0});
    } else if (e->type == MUX_OPEN_REQUEST) {
        log_peer(LOG_LEVEL_ERROR, "refused a channel the server opened unasked", e->name);
        mux_refuse(m, e->chan, OPEN_ADMINISTRATIVELY_PROHIBITED, "not asked for");
    } else if (e->type == MUX_GLOBAL_REQUEST && e->want_reply) {
        mux_global_reply(m, e->ticket, false, (struct bytes){0});
    }
    peer_kick(c->peer);
}

/* ---- the run ----------------------------------------------------------------------------------
 */

static void release(struct client *c)
{
    if (c->dial != NULL)
        dial_cancel(c->dial);
    forwards_free(c->forwards);
    update_host_keys_free(c->host_keys);
    peer_free(c->peer); /* channels are told they are lost, the session's included */
    session_free(c->session);
    login_free(c->login);
    resolver_free(c->resolver);
    if (c->loop != NULL)
        socket_linger_end(c->loop);
    loop_free(c->loop);
    proxy_stop(c->proxy);
}

int client_run(const struct options *options)
{
    struct client c = {.o = options, .rng = rng_system(), .status = EXIT_OURS};
    c.attempts_left = options->connection_attempts;
    c.loop = loop_new();
    c.resolver = c.loop != NULL ? resolver_new(c.loop) : NULL;
    if (c.resolver == NULL) {
        log_fatal("cannot start: %s", strerror(errno));
    } else {
        client_dial(&c);
        loop_run(c.loop);
    }
    release(&c);
    return c.status;
}
