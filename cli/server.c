#include "cli/server.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/authorized.h"
#include "cli/background.h"
#include "cli/log.h"
#include "cli/server_host_keys.h"
#include "cli/strangers.h"
#include "cli/version.h"
#include "crypto/cert.h"
#include "forward/gateway.h"
#include "forward/listener.h"
#include "forward/peer.h"
#include "forward/resolver.h"
#include "forward/socket.h"
#include "proto/text.h"

enum {
    GRACE_MS = 120 * 1000, /* LoginGraceTime */
    KEX_MS = 120 * 1000,
    /* Requests, queries included: `none`, five keys too many, a query and its signature fit, which
     * is what OpenSSH's MaxAuthTries 6 (failures alone) lets through. */
    AUTH_TRIES = 12,
    /* Of the descriptors that we may have, the part that no client's channels alone may take. */
    OTHERS_PART = 4,
    ALIVE_MS = 15 * 1000, /* a client that is gone frees its ports after a minute */
    ALIVE_COUNT = 3,
};

struct server {
    const struct server_options *o;
    struct rng rng;
    struct loop *loop;
    struct resolver *resolver;
    struct listener *listener;
    struct conn *conns;
    struct strangers strangers;
    unsigned n_serial;
};

struct conn {
    struct server *server;
    struct conn *next, **at;
    struct peer *peer;
    struct gateway *gateway;
    struct stranger stranger; /* until it has logged in */
    unsigned serial;          /* names the connection in the log */
    char from[80];
    char address[NI_MAXHOST]; /* the numeric part of from */
    char user[128];           /* escaped */
};

static void conn_say(void *user, const char *line)
{
    struct conn *c = user;
    log_info("#%u %s", c->serial, line);
}

static void conn_free(struct conn *c)
{
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    strangers_remove(&c->server->strangers, &c->stranger);
    gateway_free(c->gateway);
    peer_free(c->peer);
    free(c);
}

static void conn_ended(void *user, const struct fault *why)
{
    struct conn *c = user;
    log_info("#%u from %s ended: %s", c->serial, c->from,
        why->code == ERR_OK ? "in good order" : why->text);
    conn_free(c);
}

/* ---- login ------------------------------------------------------------------------------------
 */

static bool is_authorized(struct conn *c, const struct transport_event *e)
{
    const struct server_options *o = c->server->o;
    struct authorized_query q = {.key = e->key,
        .user = e->user,
        .address = c->address,
        .now_s = (uint64_t)time(NULL),
        .is_signed = e->verified,
        .facts = e->facts};
    return (o->authorized_keys != NULL &&
               authorized_check(o->authorized_keys, &q) == AUTHORIZED_YES) ||
           (o->authorities != NULL &&
               authorized_check_authorities(o->authorities, &q) == AUTHORIZED_YES);
}

/* Which certificate, and whose. "" for a plain key. */
static void describe_certificate(struct bytes key, char *out, size_t cap)
{
    struct cert cert;
    char fp[KEY_FINGERPRINT_MAX];
    out[0] = '\0';
    if (!cert_is(key) || cert_parse(key, &cert) != ERR_OK)
        return;
    key_fingerprint_sha256(cert.ca, fp);
    snprintf(out, cap, " ID \"%s\" (serial %" PRIu64 ") CA %s %s", log_escape(cert.key_id).s,
        cert.serial, key_short_name(cert.ca), fp);
}

static void auth_key(struct conn *c, const struct transport_event *e)
{
    bool good = is_authorized(c, e);
    char fp[KEY_FINGERPRINT_MAX], cert[sizeof(struct log_escaped) + 160];
    key_fingerprint_sha256(e->key, fp);
    describe_certificate(e->key, cert, sizeof cert);
    text_escape(c->user, sizeof c->user, e->user, TEXT_LINE);
    if (e->verified || !good)
        log_info("#%u %s public key for %s from %s: %s %s%s", c->serial,
            good ? "accepted" : "refused", c->user, c->from, key_short_name(e->key), fp, cert);
    transport_auth_decide(peer_transport(c->peer), good);
}

static struct server_host_keys host_keys(const struct conn *c)
{
    const struct server_options *o = c->server->o;
    const struct transport *t = peer_transport(c->peer);
    return (struct server_host_keys){
        o->host_keys, o->n_host_keys, transport_session_id(t), transport_algorithms(t).host_key};
}

static void logged_in(struct conn *c)
{
    struct gateway_config config = {
        .peer = c->peer, .resolver = c->server->resolver, .say = conn_say, .user = c};
    strangers_remove(&c->server->strangers, &c->stranger);
    c->gateway = gateway_new(&config);
    if (c->gateway == NULL)
        peer_close(c->peer, "out of memory");
    struct server_host_keys keys = host_keys(c);
    server_host_keys_tell(&keys, peer_mux(c->peer));
}

static void transport_event(void *user, const struct transport_event *e)
{
    struct conn *c = user;
    switch (e->type) {
    case TRANSPORT_AUTH_KEY: auth_key(c, e); break;
    case TRANSPORT_AUTH_SUCCESS: logged_in(c); break;
    case TRANSPORT_IDENT: log_peer(LOG_LEVEL_DEBUG1, "client version", e->text); break;
    case TRANSPORT_DEBUG: log_peer(LOG_LEVEL_DEBUG1, "client says", e->text); break;
    default: break;
    }
}

static void mux_event(void *user, const struct mux_event *e)
{
    struct conn *c = user;
    struct server_host_keys keys = host_keys(c);
    if (server_host_keys_request(&keys, peer_mux(c->peer), e))
        peer_kick(c->peer);
    else if (c->gateway != NULL)
        gateway_event(c->gateway, e);
}

/* ---- new connections --------------------------------------------------------------------------
 */

static uint32_t channels_of_one_client(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return MUX_MAX_CHANNELS;
    rlim_t most = limit.rlim_cur - limit.rlim_cur / OTHERS_PART;
    return most < MUX_MAX_CHANNELS ? (uint32_t)most : MUX_MAX_CHANNELS;
}

static struct conn *conn_of(struct stranger *one)
{
    return (struct conn *)(void *)((char *)one - offsetof(struct conn, stranger));
}

/* True when one that was there idly has gone for it. */
static bool make_room(struct server *s, const char *from_host)
{
    for (struct stranger *one = s->strangers.first; one != NULL; one = one->next)
        one->has_spoken = transport_peer_ident(peer_transport(conn_of(one)->peer)).n > 0;
    struct stranger *idlest = strangers_idlest(&s->strangers, from_host, loop_now(s->loop));
    if (idlest == NULL)
        return false;
    struct conn *c = conn_of(idlest);
    log_info("#%u ended: idle before login, and others from there are waiting", c->serial);
    conn_free(c);
    return true;
}

static void accepted(void *user, int fd, const char *from_host, uint16_t from_port)
{
    struct server *s = user;
    bool is_one_too_many =
        !make_room(s, from_host) && strangers_turn_away(&s->strangers, from_host, &s->rng);
    struct conn *c = is_one_too_many ? NULL : calloc(1, sizeof *c);
    if (c == NULL) {
        log_info("turned away a connection from %s: %u have not logged in yet", from_host,
            s->strangers.n);
        socket_reset(fd);
        return;
    }
    c->server = s;
    c->serial = ++s->n_serial;
    strangers_add(&s->strangers, &c->stranger, from_host, loop_now(s->loop));
    snprintf(c->from, sizeof c->from, "%s port %u", from_host, from_port);
    snprintf(c->address, sizeof c->address, "%s", from_host);
    c->next = s->conns;
    if (c->next != NULL)
        c->next->at = &c->next;
    c->at = &s->conns;
    s->conns = c;
    socket_keepalive(fd);
    struct peer_config config = {.loop = s->loop,
        .fd = fd,
        .transport = {.role = ROLE_SERVER,
            .software = ADIT_SOFTWARE,
            .compression = "none,zlib@openssh.com",
            .login_ms = GRACE_MS,
            .kex_ms = KEX_MS,
            .rng = &s->rng,
            .host_keys = s->o->host_keys,
            .n_host_keys = s->o->n_host_keys,
            .max_auth_tries = AUTH_TRIES},
        .owner = {.user = c,
            .transport_event = transport_event,
            .mux_event = mux_event,
            .ended = conn_ended},
        .alive_interval_ms = ALIVE_MS,
        .alive_count_max = ALIVE_COUNT,
        .max_channels = channels_of_one_client(),
        .name = c->from};
    c->peer = peer_new(&config);
    log_verbose("#%u connection from %s", c->serial, c->from);
    if (c->peer == NULL) {
        log_error("#%u no memory", c->serial);
        conn_free(c);
    }
}

/* ---- the run ----------------------------------------------------------------------------------
 */

static void on_signal(void *user, int signo)
{
    struct server *s = user;
    log_info("ends on signal %d", signo);
    loop_stop(s->loop, 0);
}

static bool listen_for_clients(struct server *s)
{
    const struct server_options *o = s->o;
    struct listener_config config = {
        .bind = o->listen_address == NULL ? LISTENER_LOOPBACK : LISTENER_ADDRESS,
        .address = o->listen_address,
        .port = (uint16_t)o->port,
        .accepted = accepted,
        .user = s};
    char why[300];
    int sys_errno;
    s->listener = listener_open(s->loop, &config, why, sizeof why, &sys_errno);
    if (s->listener == NULL) {
        log_fatal("%s", why);
        return false;
    }
    log_info("listening on %s port %u", o->listen_address == NULL ? "loopback" : o->listen_address,
        listener_port(s->listener));
    return true;
}

int server_run(const struct server_options *options)
{
    struct server s = {.o = options, .rng = rng_system()};
    int status = 255;
    s.loop = loop_new();
    s.resolver = s.loop != NULL ? resolver_new(s.loop) : NULL;
    if (s.resolver == NULL || loop_signal(s.loop, SIGTERM, on_signal, &s) != ERR_OK ||
        loop_signal(s.loop, SIGINT, on_signal, &s) != ERR_OK) {
        log_fatal("cannot start: %s", strerror(errno));
    } else if (listen_for_clients(&s)) {
        if (!options->foreground)
            background_ready(false);
        status = loop_run(s.loop);
    }
    listener_close(s.listener);
    struct conn *next;
    for (struct conn *c = s.conns; c != NULL; c = next) {
        next = c->next;
        conn_free(c);
    }
    resolver_free(s.resolver);
    if (s.loop != NULL)
        socket_linger_end(s.loop);
    loop_free(s.loop);
    return status;
}
