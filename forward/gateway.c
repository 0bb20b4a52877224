#include "forward/gateway.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/inbound.h"
#include "forward/listener.h"
#include "forward/outbound.h"
#include "proto/text.h"

/* Listeners of one session: far more than people ask for, few enough to bound the sockets. */
enum { GATEWAY_MAX_LISTENERS = 256 };
/* NI_MAXHOST: FORWARDING.md line 9. */
enum { HOST_MAX = 1025 };

struct served {
    struct gateway *gateway;
    struct served *next;
    struct listener *listener;
    uint16_t port;          /* the one in force */
    char address[HOST_MAX]; /* as the client wrote it: forwarded-tcpip names it so again */
};

struct gateway {
    struct gateway_config config;
    struct inbound_set inbound;
    struct served *listeners;
    size_t n_listeners;
};

static void say(struct gateway *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct gateway *g, const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    g->config.say(g->config.user, line);
}

struct gateway *gateway_new(const struct gateway_config *config)
{
    struct gateway *g = calloc(1, sizeof *g);
    if (g != NULL)
        g->config = *config;
    return g;
}

static void served_free(struct served *s)
{
    listener_close(s->listener);
    free(s);
}

void gateway_free(struct gateway *g)
{
    if (g == NULL)
        return;
    inbound_end(&g->inbound);
    while (g->listeners != NULL) {
        struct served *next = g->listeners->next;
        served_free(g->listeners);
        g->listeners = next;
    }
    free(g);
}

/* ---- channels: RFC 4254 section 7.2 ------------------------------------------------------------
 */

static void dialled(void *user, const struct dial_result *result)
{
    if (result->outcome != DIAL_OK)
        say(user, "could not %s", result->text);
}

static void direct_tcpip(struct gateway *g, const struct mux_event *e)
{
    struct mux *m = peer_mux(g->config.peer);
    struct wire_reader r = wire_reader(e->rest);
    struct msg_tcpip_open where;
    char host[HOST_MAX];
    char shown[256];
    if (msg_tcpip_open_decode(&r, &where) != ERR_OK || where.port == 0 ||
        !inbound_host(where.host, host, sizeof host)) {
        mux_refuse(m, e->chan, OPEN_CONNECT_FAILED, "expected a host name and a port of 1-65535");
        return;
    }
    text_escape(shown, sizeof shown, where.host, TEXT_LINE);
    say(g, "connecting to %s port %" PRIu32, shown, where.port);
    struct inbound_request request = {.peer = g->config.peer,
        .resolver = g->config.resolver,
        .chan = e->chan,
        .host = host,
        .port = (uint16_t)where.port,
        .options = {.timeout_ms = g->config.connect_timeout_ms},
        .outcome = dialled,
        .user = g};
    inbound_dial(&g->inbound, &request);
}

/* Unix sockets have a channel type and requests of their own (OpenSSH PROTOCOL section 2.4). */
static void refuse_type(struct gateway *g, const struct mux_event *e)
{
    char shown[64];
    text_escape(shown, sizeof shown, e->name, TEXT_LINE);
    say(g, "refused a channel of type %s: this server forwards TCP ports only", shown);
    mux_refuse(peer_mux(g->config.peer), e->chan, OPEN_UNKNOWN_CHANNEL_TYPE,
        bytes_is(e->name, "direct-streamlocal@openssh.com")
            ? "this server forwards TCP ports only, no Unix sockets"
            : "this server forwards TCP ports only");
}

static void open_request(struct gateway *g, const struct mux_event *e)
{
    struct mux *m = peer_mux(g->config.peer);
    if (bytes_is(e->name, "direct-tcpip")) {
        direct_tcpip(g, e);
    } else if (bytes_is(e->name, "session")) {
        say(g, "refused a session: this server forwards ports only");
        mux_refuse(m, e->chan, OPEN_ADMINISTRATIVELY_PROHIBITED,
            "this server forwards ports only, it runs no commands or shells");
    } else {
        refuse_type(g, e);
    }
}

/* ---- listeners: RFC 4254 section 7.1 -----------------------------------------------------------
 */

static void accepted(void *user, int fd, const char *from_host, uint16_t from_port)
{
    struct served *s = user;
    struct outbound_request request = {.type = BYTES_LIT("forwarded-tcpip"),
        .where = {.host = bytes_of(s->address),
            .port = s->port,
            .from_host = bytes_of(from_host),
            .from_port = from_port}};
    if (outbound_open(s->gateway->config.peer, fd, &request) != ERR_OK)
        say(s->gateway, "no channel left for a connection from %s", from_host);
}

/* FORWARDING.md line 14, GatewayPorts no: everything is loopback, but a client may pick one family.
 */
static struct listener_config bind_rule(const char *address)
{
    struct listener_config c = {.bind = LISTENER_LOOPBACK};
    if (strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0) {
        c.bind = LISTENER_ADDRESS;
        c.address = address;
    }
    return c;
}

static struct served **find_served(struct gateway *g, const char *address, uint32_t port)
{
    struct served **at = &g->listeners;
    while (*at != NULL && ((*at)->port != port || strcmp((*at)->address, address) != 0))
        at = &(*at)->next;
    return at;
}

static bool decode_forward(const struct mux_event *e, char *address, uint32_t *port)
{
    struct wire_reader r = wire_reader(e->rest);
    struct msg_tcpip_forward f;
    if (msg_tcpip_forward_decode(&r, &f) != ERR_OK)
        return false;
    *port = f.port;
    address[0] = '\0';
    return f.address.n == 0 || inbound_host(f.address, address, HOST_MAX);
}

/* Starts a listener; NULL with why set when it cannot be. */
static struct served *serve(
    struct gateway *g, const char *address, uint16_t port, char *why, size_t cap)
{
    struct served *s = g->n_listeners < GATEWAY_MAX_LISTENERS ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        snprintf(why, cap, "too many listeners");
        return NULL;
    }
    s->gateway = g;
    memcpy(s->address, address, strlen(address) + 1);
    struct listener_config config = bind_rule(s->address);
    config.port = port;
    config.accepted = accepted;
    config.user = s;
    int sys_errno;
    s->listener = listener_open(peer_loop(g->config.peer), &config, why, cap, &sys_errno);
    if (s->listener == NULL) {
        free(s);
        return NULL;
    }
    s->port = listener_port(s->listener);
    s->next = g->listeners;
    g->listeners = s;
    g->n_listeners++;
    return s;
}

static void tcpip_forward(struct gateway *g, const struct mux_event *e)
{
    struct mux *m = peer_mux(g->config.peer);
    char address[HOST_MAX];
    char why[256] = "bad address, or port over 65535";
    uint32_t port = 0;
    struct served *s = NULL;
    bool good = decode_forward(e, address, &port);
    if (good && port == 0 && !e->want_reply)
        snprintf(why, sizeof why, "port 0 without asking which it became");
    else if (good)
        s = serve(g, address, (uint16_t)port, why, sizeof why);
    if (s == NULL)
        say(g, "refused to listen: %s", why);
    else
        say(g, "listening on port %u for the client", s->port);
    if (!e->want_reply)
        return;
    uint8_t body[4]; /* the port, when the client left it to us */
    store_be32(body, s != NULL ? s->port : 0);
    mux_global_reply(
        m, e->ticket, s != NULL, (struct bytes){body, s != NULL && port == 0 ? sizeof body : 0});
}

static void cancel_tcpip_forward(struct gateway *g, const struct mux_event *e)
{
    char address[HOST_MAX];
    uint32_t port;
    struct served **at = NULL;
    if (decode_forward(e, address, &port))
        at = find_served(g, address, port);
    bool found = at != NULL && *at != NULL;
    if (found) {
        struct served *s = *at;
        *at = s->next;
        g->n_listeners--;
        say(g, "no longer listening on port %u", s->port);
        served_free(s);
    }
    if (e->want_reply)
        mux_global_reply(peer_mux(g->config.peer), e->ticket, found, (struct bytes){0});
}

static void refuse_global(struct gateway *g, const struct mux_event *e)
{
    if (bytes_is(e->name, "streamlocal-forward@openssh.com"))
        say(g, "refused to listen on a Unix socket: this server forwards TCP ports only");
    if (e->want_reply)
        mux_global_reply(peer_mux(g->config.peer), e->ticket, false, (struct bytes){0});
}

void gateway_event(struct gateway *g, const struct mux_event *e)
{
    if (e->type == MUX_OPEN_REQUEST)
        open_request(g, e);
    else if (e->type == MUX_GLOBAL_REQUEST && bytes_is(e->name, "tcpip-forward"))
        tcpip_forward(g, e);
    else if (e->type == MUX_GLOBAL_REQUEST && bytes_is(e->name, "cancel-tcpip-forward"))
        cancel_tcpip_forward(g, e);
    else if (e->type == MUX_GLOBAL_REQUEST)
        refuse_global(g, e);
    peer_kick(g->config.peer);
}
