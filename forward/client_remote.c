/* -R: the server listens, we dial. Only what a server was asked for and has granted is honoured:
 * the permission is the state FORWARD_ACTIVE, set by REQUEST_SUCCESS (THREATS.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "forward/client_internal.h"
#include "forward/socks_remote.h"
#include "proto/text.h"

void client_remote_start(struct forward *fw)
{
    struct forwards *f = fw->all;
    uint8_t body[FORWARD_HOST_MAX + 16];
    struct wire_writer w = wire_writer(body, sizeof body);
    struct msg_tcpip_forward m = {
        .address = bytes_of(forward_bind_wire(fw->spec)), .port = fw->spec->port};
    msg_tcpip_forward_encode(&w, &m);
    uint32_t token = (uint32_t)(fw - f->list);
    if (mux_global_request(peer_mux(f->config.peer), BYTES_LIT("tcpip-forward"), true,
            wire_written(&w), token) != ERR_OK) {
        forwards_failed(fw, "cannot ask the server to listen: too many requests at once");
        return;
    }
    fw->state = FORWARD_REQUESTED;
    f->n_waiting++;
    peer_kick(f->config.peer);
}

/* The port: the one asked for, or (for 0) the one the reply tells. 0: a reply that makes no sense.
 */
static uint16_t granted_port(const struct forward *fw, const struct mux_event *e)
{
    if (fw->spec->port != 0)
        return fw->spec->port;
    struct wire_reader r = wire_reader(e->rest);
    uint32_t port = wire_u32(&r);
    return wire_done(&r) && port <= 65535 ? (uint16_t)port : 0;
}

static void refused(struct forward *fw)
{
    struct forwards *f = fw->all;
    const char *privileged = fw->spec->port > 0 && fw->spec->port < 1024
                                 ? "; ports below 1024 usually need root there"
                                 : "";
    forwards_failed(fw,
        "remote port forwarding failed for listen port %u%s%s (in use there, or not allowed: see "
        "AllowTcpForwarding and PermitListen%s)",
        fw->spec->port, f->debug[0] != '\0' ? ": server says: " : "", f->debug, privileged);
    f->debug[0] = '\0';
}

static void granted(struct forward *fw, const struct mux_event *e)
{
    const struct forward_spec *s = fw->spec;
    fw->port = granted_port(fw, e);
    if (fw->port == 0) {
        forwards_failed(fw, "the server granted a port but did not say which");
        return;
    }
    fw->state = FORWARD_ACTIVE;
    if (s->port != 0)
        forwards_say(
            fw->all, SAY_VERBOSE, "-R %s: the server listens on port %u", s->text, fw->port);
    else if (s->kind == FORWARD_REMOTE_DYNAMIC)
        forwards_say(fw->all, SAY_INFO, "Allocated port %u for dynamic forward", fw->port);
    else
        forwards_say(fw->all, SAY_INFO, "Allocated port %u for remote forward to %s:%u", fw->port,
            s->host, s->host_port);
}

void client_remote_reply(struct forward *fw, const struct mux_event *e)
{
    if (fw->state != FORWARD_REQUESTED)
        return;
    fw->all->n_waiting--;
    if (e->ok)
        granted(fw, e);
    else
        refused(fw);
    forwards_settle(fw->all);
}

/* The forward that a connection is for: the address as we wrote it and the port. Some servers name
 * the address they bound instead; the port alone then decides, where just one forward has it. Some
 * name port 0 when that is what we asked for: it then means the only forward that asked so. */
static struct forward *find_forward(struct forwards *f, const struct msg_tcpip_open *where)
{
    struct forward *by_port = NULL;
    unsigned n_by_port = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct forward *fw = &f->list[i];
        bool remote = fw->spec->kind == FORWARD_REMOTE || fw->spec->kind == FORWARD_REMOTE_DYNAMIC;
        bool by_request = where->port == 0 && fw->spec->port == 0;
        if (!remote || fw->state != FORWARD_ACTIVE || (fw->port != where->port && !by_request))
            continue;
        if (!by_request && bytes_is(where->host, forward_bind_wire(fw->spec)))
            return fw;
        by_port = fw;
        n_by_port++;
    }
    return n_by_port == 1 ? by_port : NULL;
}

static void dialled(void *user, const struct dial_result *result)
{
    struct forward *fw = user;
    if (result->outcome != DIAL_OK)
        forwards_say(
            fw->all, SAY_ERROR, "-R %s: this side could not %s", fw->spec->text, result->text);
}

static void socks_failed(
    void *user, const char *host, uint16_t port, const struct dial_result *result, const char *why)
{
    struct forward *fw = user;
    char shown[256];
    text_escape(shown, sizeof shown, bytes_of(host), TEXT_LINE);
    if (result != NULL)
        forwards_say(
            fw->all, SAY_ERROR, "-R %s: this side could not %s", fw->spec->text, result->text);
    else
        forwards_say(fw->all, SAY_ERROR, "-R %s: proxy request%s%s refused: %s", fw->spec->text,
            port != 0 ? " for " : "", shown, why);
}

/* PermitRemoteOpen, ssh_config(5): literal hosts, '*' for either half. */
static bool is_permitted(void *user, const char *host, uint16_t port)
{
    const struct forwards_config *c = &((struct forward *)user)->all->config;
    if (c->n_permit_remote_open == 0)
        return true;
    for (size_t i = 0; i < c->n_permit_remote_open; i++) {
        const char *rule = c->permit_remote_open[i];
        const char *colon = strrchr(rule, ':');
        if (colon == NULL)
            continue; /* "none" */
        size_t host_n = (size_t)(colon - rule);
        const char *name = rule;
        if (host_n >= 2 && rule[0] == '[' && colon[-1] == ']') {
            name++;
            host_n -= 2;
        }
        bool host_ok = (host_n == 1 && name[0] == '*') ||
                       (strlen(host) == host_n && memcmp(host, name, host_n) == 0);
        bool port_ok = strcmp(colon + 1, "*") == 0 || strtoul(colon + 1, NULL, 10) == port;
        if (host_ok && port_ok)
            return true;
    }
    return false;
}

void client_remote_open(struct forwards *f, const struct mux_event *e)
{
    struct mux *m = peer_mux(f->config.peer);
    struct wire_reader r = wire_reader(e->rest);
    struct msg_tcpip_open where;
    char shown[256];
    if (msg_tcpip_open_decode(&r, &where) != ERR_OK) {
        mux_refuse(m, e->chan, OPEN_ADMINISTRATIVELY_PROHIBITED, "malformed forwarded-tcpip");
        return;
    }
    struct forward *fw = find_forward(f, &where);
    if (fw == NULL) {
        text_escape(shown, sizeof shown, where.host, TEXT_LINE);
        forwards_say(f, SAY_ERROR,
            "refused a connection from the server: nothing was asked to listen on %s port %" PRIu32,
            shown, where.port);
        mux_refuse(m, e->chan, OPEN_ADMINISTRATIVELY_PROHIBITED, "no such forward");
        return;
    }
    text_escape(shown, sizeof shown, where.from_host, TEXT_LINE);
    forwards_say(f, SAY_DEBUG, "connection from %s port %" PRIu32 " to -R %s", shown,
        where.from_port, fw->spec->text);
    if (fw->spec->kind == FORWARD_REMOTE_DYNAMIC) {
        struct socks_remote_request request = {.peer = f->config.peer,
            .resolver = f->config.resolver,
            .chan = e->chan,
            .options = forwards_dial_options(f),
            .allowed = is_permitted,
            .failed = socks_failed,
            .user = fw};
        socks_remote_start(&request);
        return;
    }
    struct inbound_request request = {.peer = f->config.peer,
        .resolver = f->config.resolver,
        .chan = e->chan,
        .host = fw->spec->host,
        .port = fw->spec->host_port,
        .options = forwards_dial_options(f),
        .outcome = dialled,
        .user = fw};
    inbound_dial(&f->inbound, &request);
}
