/* One run, forwards only in time: dialling -> exchanging -> logging in -> running -> ending. What
 * has not happened yet is NULL. `status` is decided once, by whoever ends the run first. */
#include "cli/client.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/background.h"
#include "cli/host_key.h"
#include "cli/log.h"
#include "cli/login.h"
#include "cli/session.h"
#include "cli/update_host_keys.h"
#include "cli/version.h"
#include "forward/client.h"
#include "forward/dialer.h"
#include "forward/socket.h"

enum {
    EXIT_OURS = 255,     /* ssh's status for every failure of its own */
    KEX_MS = 120 * 1000, /* no exchange takes longer between living peers */
    RETRY_MS = 1000,     /* between ConnectionAttempts */
    LIST_MAX = 2048,
};

struct client {
    const struct options *o;
    struct rng rng;
    struct loop *loop;
    struct resolver *resolver;
    struct loop_timer timer; /* retry, or ConnectTimeout until the first exchange is done */
    struct dial *dial;
    struct peer *peer;
    struct login *login;
    struct forwards *forwards;
    struct session *session;
    struct update_host_keys *host_keys;
    int attempts_left;
    int status;
    bool ending; /* status is decided */
    bool logged_in;
    bool restricted; /* the host key is not the known one: nothing is forwarded */
    bool session_over;
    bool may_update_hosts; /* UpdateHostKeys, as far as the host key's own standing goes */
    char address[NI_MAXHOST];
    char name[600]; /* "server HOST", for the keepalive's verdict */
    char host_key_list[LIST_MAX];
};

/* ---- the end ----------------------------------------------------------------------------------
 */

static void stop(struct client *c, int status)
{
    if (!c->ending)
        c->status = status;
    c->ending = true;
    loop_stop(c->loop, c->status);
}

/* Ends in good order: what is queued goes out first. */
static void hang_up(struct client *c, int status)
{
    if (!c->ending)
        c->status = status;
    c->ending = true;
    session_restore_terminal();
    if (c->peer != NULL)
        peer_close(c->peer, "disconnected by user");
    else
        loop_stop(c->loop, c->status);
}

static void say_end(struct client *c, const struct fault *why)
{
    session_restore_terminal();
    switch (why->code) {
    case ERR_OK: break;
    case ERR_CLOSED:
    case ERR_IO:
        log_error(
            "connection to %s %s: %s", c->o->host, c->logged_in ? "ended" : "failed", why->text);
        if (c->login != NULL)
            login_explain_end(c->login);
        break;
    case ERR_HOST_KEY: log_error("Host key verification failed."); break;
    case ERR_AUTH: break; /* said when it happened */
    default: log_error("%s: %s", c->o->host, why->text); break;
    }
}

static void peer_ended(void *user, const struct fault *why)
{
    struct client *c = user;
    bool lost_after_session = c->session_over;
    if (!c->ending)
        say_end(c, why);
    stop(c, lost_after_session ? c->status : EXIT_OURS);
}

/* A -N client stays until the connection ends; with a session it ends when that has and no
 * forwarded connection is left (FORWARDING.md line 26). */
static void leave_when_quiet(struct client *c)
{
    if (c->session_over && !c->ending && mux_n_channels(peer_mux(c->peer)) == 0)
        hang_up(c, c->status);
}

static void peer_quiet(void *user)
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
    if (mux_n_channels(peer_mux(c->peer)) > 0)
        log_verbose("waiting for forwarded connections to end");
    leave_when_quiet(c);
}

static void session_hang_up(void *user)
{
    struct client *c = user;
    log_info("Connection to %s closed.", c->o->host);
    hang_up(c, EXIT_OURS);
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
        hang_up(c, EXIT_OURS);
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
        hang_up(c, EXIT_OURS);
        return;
    }
    if (c->o->session_type == SESSION_NONE)
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
        hang_up(c, EXIT_OURS);
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
    hang_up(c, ordinary ? 0 : EXIT_OURS);
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

static void logged_in(struct client *c)
{
    c->logged_in = true;
    log_verbose("Authenticated to %s ([%s]:%d) using \"%s\".", c->o->host, c->address, c->o->port,
        login_method(c->login));
    if (login_was_free(c->login))
        say_login_was_free(c);
    begin_host_key_updates(c);
    login_free(c->login);
    c->login = NULL;
    if (!catch_signals(c)) {
        log_fatal("cannot watch for signals: %s", strerror(errno));
        hang_up(c, EXIT_OURS);
        return;
    }
    start_forwards(c);
}

/* ---- until login ------------------------------------------------------------------------------
 */

static void decide_host_key(struct client *c, struct bytes key)
{
    struct host_key_outcome outcome = host_key_decide(c->o, c->address, key, &c->rng);
    c->restricted = outcome.trust == HOST_KEY_RESTRICTED;
    c->may_update_hosts = outcome.may_update;
    if (c->restricted && c->login != NULL)
        login_restrict(c->login);
    transport_host_key_decide(peer_transport(c->peer), outcome.trust != HOST_KEY_REFUSED);
}

static void say_algorithms(struct client *c)
{
    struct transport_algorithms a = transport_algorithms(peer_transport(c->peer));
    log_debug("kex: algorithm: %.*s", (int)a.kex.n, (const char *)a.kex.p);
    log_debug("kex: host key algorithm: %.*s", (int)a.host_key.n, (const char *)a.host_key.p);
    log_debug("kex: server->client cipher: %.*s MAC: %.*s compression: %.*s", (int)a.cipher_in.n,
        (const char *)a.cipher_in.p, (int)a.mac_in.n, (const char *)a.mac_in.p, (int)a.comp_in.n,
        (const char *)a.comp_in.p);
    log_debug("kex: client->server cipher: %.*s MAC: %.*s compression: %.*s", (int)a.cipher_out.n,
        (const char *)a.cipher_out.p, (int)a.mac_out.n, (const char *)a.mac_out.p,
        (int)a.comp_out.n, (const char *)a.comp_out.p);
}

static void show_banner(struct bytes text)
{
    static char shown[65536];
    size_t n = text_escape(shown, sizeof shown - 1, text, TEXT_BANNER);
    if (n > 0 && shown[n - 1] != '\n')
        memcpy(shown + n, "\n", 2);
    log_block(LOG_LEVEL_INFO, shown);
}

static void on_debug(struct client *c, const struct transport_event *e)
{
    log_peer(e->always_display ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG1, "Remote", e->text);
    if (c->forwards != NULL)
        forwards_note_debug(c->forwards, e->text);
}

static void transport_event(void *user, const struct transport_event *e)
{
    struct client *c = user;
    switch (e->type) {
    case TRANSPORT_LINE:
        log_peer(LOG_LEVEL_DEBUG1, "server says before its version", e->text);
        break;
    case TRANSPORT_IDENT: log_peer(LOG_LEVEL_DEBUG1, "Remote protocol version", e->text); break;
    case TRANSPORT_HOST_KEY: decide_host_key(c, e->key); break;
    case TRANSPORT_KEXED:
        loop_timer_stop(c->loop, &c->timer);
        if (!e->first)
            log_debug("rekeyed");
        say_algorithms(c);
        break;
    case TRANSPORT_AUTH_BANNER: show_banner(e->text); break;
    case TRANSPORT_AUTH_SUCCESS: logged_in(c); break;
    case TRANSPORT_DEBUG: on_debug(c, e); break;
    case TRANSPORT_PACKET:
    case TRANSPORT_DISCONNECTED: break;
    default:
        if (c->login != NULL && !login_event(c->login, e))
            hang_up(c, EXIT_OURS);
        break;
    }
}

static void mux_event(void *user, const struct mux_event *e)
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

static struct transport_config transport_of(struct client *c)
{
    const struct options *o = c->o;
    return (struct transport_config){.role = ROLE_CLIENT,
        .software = ADIT_SOFTWARE,
        .kex = o->kex,
        .host_key_algorithms = c->host_key_list,
        .ciphers = o->ciphers,
        .macs = o->macs,
        .compression = o->compression ? "zlib@openssh.com,zlib,none" : "none,zlib@openssh.com,zlib",
        .rekey_bytes = (uint64_t)o->rekey_bytes,
        .rekey_ms = (uint64_t)o->rekey_s * 1000,
        .kex_ms = KEX_MS,
        .rng = &c->rng,
        .user = o->user};
}

static void login_gave_up(void *user)
{
    hang_up(user, EXIT_OURS);
}

static void begin_ssh(struct client *c, int fd)
{
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &n) != 0 ||
        getnameinfo((struct sockaddr *)&peer, n, c->address, sizeof c->address, NULL, 0,
            NI_NUMERICHOST) != 0)
        c->address[0] = '\0';
    if (c->o->tcp_keep_alive)
        socket_keepalive(fd);
    socket_qos(fd, c->o->ip_qos_interactive); /* a login is waited for, whatever comes then */
    log_debug("Connection established.");
    snprintf(c->name, sizeof c->name, "server %s", c->o->host);
    if (!host_key_algorithms(c->o, c->host_key_list, sizeof c->host_key_list)) {
        close(fd);
        stop(c, EXIT_OURS);
        return;
    }
    struct peer_config config = {.loop = c->loop,
        .fd = fd,
        .transport = transport_of(c),
        .owner = {.user = c,
            .transport_event = transport_event,
            .mux_event = mux_event,
            .quiet = peer_quiet,
            .ended = peer_ended},
        .alive_interval_ms = (uint64_t)c->o->server_alive_interval_s * 1000,
        .alive_count_max = (unsigned)c->o->server_alive_count_max,
        .name = c->name};
    c->peer = peer_new(&config);
    struct login_config login = {
        .peer = c->peer, .options = c->o, .gave_up = login_gave_up, .user = c};
    c->login = c->peer != NULL ? login_new(&login) : NULL;
    if (c->login == NULL) {
        log_fatal("cannot begin: no memory, or no algorithm left to offer");
        stop(c, EXIT_OURS);
    }
}

/* ---- dialling ---------------------------------------------------------------------------------
 */

static void dial(struct client *c);

static void timer_fired(struct loop_timer *timer)
{
    struct client *c = timer->user;
    if (c->peer == NULL) {
        dial(c);
        return;
    }
    log_error("Connection to %s port %d timed out during the key exchange (ConnectTimeout %d s)",
        c->o->host, c->o->port, c->o->connect_timeout_s);
    stop(c, EXIT_OURS);
}

/* In ssh's words, which scripts look for. */
static void say_not_connected(struct client *c, const struct dial_result *result)
{
    if (result->outcome == DIAL_NOT_RESOLVED)
        log_error("Could not resolve hostname %s: %s", c->o->host, result->reason);
    else if (c->o->bind_address != NULL)
        log_error("connect to host %s port %d from %s: %s", c->o->host, c->o->port,
            log_escape_cstr(c->o->bind_address).s, result->reason);
    else
        log_error("connect to host %s port %d: %s", c->o->host, c->o->port, result->reason);
}

static void dialled(void *user, const struct dial_result *result)
{
    struct client *c = user;
    c->dial = NULL;
    if (result->outcome == DIAL_OK) {
        begin_ssh(c, result->fd);
        return;
    }
    if (--c->attempts_left == 0) {
        say_not_connected(c, result);
        stop(c, EXIT_OURS);
        return;
    }
    log_verbose("%s; trying again", result->text);
    loop_timer_stop(c->loop, &c->timer);
    loop_timer_set(c->loop, &c->timer, loop_now(c->loop) + RETRY_MS);
}

static void dial(struct client *c)
{
    const struct options *o = c->o;
    uint64_t limit_ms = (uint64_t)o->connect_timeout_s * 1000;
    struct dial_options options = {
        .family = o->family, .timeout_ms = limit_ms, .bind_address = o->bind_address};
    log_debug("Connecting to %s port %d.", o->host, o->port);
    c->dial = dial_start(c->loop, c->resolver, o->host, (uint16_t)o->port, &options, dialled, c);
    if (c->dial == NULL) {
        log_fatal("no memory");
        stop(c, EXIT_OURS);
        return;
    }
    if (limit_ms > 0) /* covers the first exchange too: FORWARDING.md line 27 */
        loop_timer_set(c->loop, &c->timer, loop_now(c->loop) + limit_ms + 1);
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
}

int client_run(const struct options *options)
{
    struct client c = {.o = options, .rng = rng_system(), .status = EXIT_OURS};
    c.attempts_left = options->connection_attempts;
    c.timer = (struct loop_timer){.fire = timer_fired, .user = &c};
    c.loop = loop_new();
    c.resolver = c.loop != NULL ? resolver_new(c.loop) : NULL;
    if (c.resolver == NULL) {
        log_fatal("cannot start: %s", strerror(errno));
    } else {
        dial(&c);
        loop_run(c.loop);
    }
    release(&c);
    return c.status;
}
