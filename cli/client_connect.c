/* From dialling to the login: the TCP connection, the host key, banners. What comes then is in
 * client.c. */
#include "cli/client_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/host_key.h"
#include "cli/log.h"
#include "cli/proxy.h"
#include "cli/version.h"
#include "forward/socket.h"

enum {
    KEX_MS = 120 * 1000, /* no exchange takes longer between living peers */
    RETRY_MS = 1000,     /* between ConnectionAttempts */
};

/* ---- until login ------------------------------------------------------------------------------
 */

static void decide_host_key(struct client *c, struct bytes key)
{
    struct host_key_outcome outcome = host_key_decide(c->o, c->address, key, &c->rng);
    c->restricted = outcome.trust == HOST_KEY_RESTRICTED;
    c->refused_host_key = outcome.trust == HOST_KEY_REFUSED;
    c->may_update_hosts = outcome.may_update;
    if (c->restricted && c->login != NULL)
        login_restrict(c->login);
    transport_host_key_decide(peer_transport(c->peer), outcome.trust != HOST_KEY_REFUSED);
}

static void say_direction(
    const char *which, struct bytes cipher, struct bytes mac, struct bytes compression)
{
    struct bytes shown = mac.n > 0 ? mac : BYTES_LIT("<implicit>"); /* the cipher has its own */
    log_debug("kex: %s cipher: %.*s MAC: %.*s compression: %.*s", which, (int)cipher.n,
        (const char *)cipher.p, (int)shown.n, (const char *)shown.p, (int)compression.n,
        (const char *)compression.p);
}

static void say_algorithms(struct client *c)
{
    struct transport_algorithms a = transport_algorithms(peer_transport(c->peer));
    log_debug("kex: algorithm: %.*s", (int)a.kex.n, (const char *)a.kex.p);
    log_debug("kex: host key algorithm: %.*s", (int)a.host_key.n, (const char *)a.host_key.p);
    say_direction("server->client", a.cipher_in, a.mac_in, a.comp_in);
    say_direction("client->server", a.cipher_out, a.mac_out, a.comp_out);
}

/* Whole, however long: it may be what a law says must be read. */
static void show_banner(struct bytes text)
{
    enum { PER_BYTE = 4 }; /* "\\xNN" */
    size_t cap = PER_BYTE * text.n + 8;
    char *shown = text.n > 0 ? malloc(cap) : NULL;
    if (shown == NULL)
        return;
    (void)text_escape(shown, cap, text, TEXT_BANNER);
    log_notice(LOG_LEVEL_INFO, shown);
    free(shown);
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
    case TRANSPORT_AUTH_SUCCESS: client_logged_in(c); break;
    case TRANSPORT_DEBUG: on_debug(c, e); break;
    case TRANSPORT_PACKET:
    case TRANSPORT_DISCONNECTED: break;
    default:
        if (c->login != NULL && !login_event(c->login, e))
            client_hang_up(c, EXIT_OURS);
        break;
    }
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
        .compression = o->compression ? "zlib@openssh.com,none" : "none,zlib@openssh.com",
        .rekey_bytes = (uint64_t)o->rekey_bytes,
        .rekey_ms = (uint64_t)o->rekey_s * 1000,
        .kex_ms = KEX_MS * (1 + o->jumps.n), /* on the way people may be asked for passwords */
        .rng = &c->rng,
        .user = o->user,
        .signs_unbound = o->pubkey_authentication == PUBKEY_UNBOUND};
}

static void login_gave_up(void *user)
{
    client_hang_up(user, EXIT_OURS);
}

/* Stays empty behind a ProxyCommand: where that leads is not ours to know. */
static void find_address(struct client *c, int fd)
{
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    if (c->proxy > 0 || getpeername(fd, (struct sockaddr *)&peer, &n) != 0 ||
        getnameinfo((struct sockaddr *)&peer, n, c->address, sizeof c->address, NULL, 0,
            NI_NUMERICHOST) != 0)
        c->address[0] = '\0';
}

/* out_fd: 0, or the second of two pipes. */
static void begin_ssh(struct client *c, int fd, int out_fd)
{
    find_address(c, fd);
    if (c->o->tcp_keep_alive)
        socket_keepalive(fd);
    socket_qos(fd, c->o->ip_qos_interactive); /* a login is waited for, whatever comes then */
    log_debug("Connection established.");
    snprintf(c->name, sizeof c->name, "server %s", c->o->host);
    if (!host_key_algorithms(c->o, c->host_key_list, sizeof c->host_key_list)) {
        close(fd);
        if (out_fd > 0)
            close(out_fd);
        client_stop(c, EXIT_OURS);
        return;
    }
    struct peer_config config = {.loop = c->loop,
        .fd = fd,
        .out_fd = out_fd,
        .transport = transport_of(c),
        .owner = {.user = c,
            .transport_event = transport_event,
            .mux_event = client_mux_event,
            .quiet = client_quiet,
            .ended = client_ended},
        .alive_interval_ms = (uint64_t)c->o->server_alive_interval_s * 1000,
        .alive_count_max = (unsigned)c->o->server_alive_count_max,
        .name = c->name};
    c->peer = peer_new(&config);
    struct login_config login = {
        .peer = c->peer, .options = c->o, .gave_up = login_gave_up, .user = c};
    c->login = c->peer != NULL ? login_new(&login) : NULL;
    if (c->login == NULL) {
        log_fatal("cannot begin: no memory, or no algorithm left to offer");
        client_stop(c, EXIT_OURS);
    }
}

/* ---- dialling ---------------------------------------------------------------------------------
 */

static void timer_fired(struct loop_timer *timer)
{
    struct client *c = timer->user;
    if (c->peer == NULL) {
        client_dial(c);
        return;
    }
    log_error("Connection to %s port %d timed out during the key exchange (ConnectTimeout %d s)",
        c->o->host, c->o->port, c->o->connect_timeout_s);
    client_stop(c, EXIT_OURS);
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
        begin_ssh(c, result->fd, 0);
        return;
    }
    if (--c->attempts_left == 0) {
        say_not_connected(c, result);
        client_stop(c, EXIT_OURS);
        return;
    }
    log_verbose("%s; trying again", result->text);
    loop_timer_stop(c->loop, &c->timer);
    loop_timer_set(c->loop, &c->timer, loop_now(c->loop) + RETRY_MS);
}

static void dial_by_tcp(struct client *c, uint64_t limit_ms)
{
    const struct options *o = c->o;
    struct dial_options options = {
        .family = o->family, .timeout_ms = limit_ms, .bind_address = o->bind_address};
    log_debug("Connecting to %s port %d.", o->host, o->port);
    c->dial = dial_start(c->loop, c->resolver, o->host, (uint16_t)o->port, &options, dialled, c);
    if (c->dial == NULL) {
        log_fatal("no memory");
        client_stop(c, EXIT_OURS);
    }
}

static void dial_by_proxy(struct client *c)
{
    struct proxy proxy;
    if (proxy_start(c->o, &proxy)) {
        c->proxy = proxy.child;
        begin_ssh(c, proxy.in_fd, proxy.out_fd);
    } else
        client_stop(c, EXIT_OURS);
}

void client_dial(struct client *c)
{
    c->timer.fire = timer_fired;
    c->timer.user = c;
    uint64_t limit_ms = (uint64_t)c->o->connect_timeout_s * 1000;
    if (c->o->proxy_line != NULL)
        dial_by_proxy(c);
    else
        dial_by_tcp(c, limit_ms);
    if (limit_ms > 0 && !c->ending) /* the first exchange too: FORWARDING.md line 27 */
        loop_timer_set(c->loop, &c->timer, loop_now(c->loop) + limit_ms + 1);
}
