/* -L and -D: listeners here, direct-tcpip to the far side. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/client_internal.h"
#include "forward/outbound.h"

static void outcome(void *user, int fd, const struct mux_event *e)
{
    struct forward *fw = user;
    (void)fd;
    if (e != NULL && e->type == MUX_OPEN_FAILED)
        forwards_open_failed(fw, fw->spec->host, fw->spec->host_port, e);
}

static void accepted_local(void *user, int fd, const char *from_host, uint16_t from_port)
{
    struct forward *fw = user;
    struct outbound_request request = {.type = BYTES_LIT("direct-tcpip"),
        .where = {.host = bytes_of(fw->spec->host),
            .port = fw->spec->host_port,
            .from_host = bytes_of(from_host),
            .from_port = from_port},
        .outcome = outcome,
        .user = fw};
    forwards_say(fw->all, SAY_DEBUG, "connection from %s port %u to -L %s", from_host, from_port,
        fw->spec->text);
    if (outbound_open(fw->all->config.peer, fd, &request) != ERR_OK)
        forwards_say(fw->all, SAY_ERROR, "-L %s: no channel left for a connection from %s",
            fw->spec->text, from_host);
}

static void socks_failed(
    void *user, const char *host, uint16_t port, const struct mux_event *e, const char *why)
{
    struct forward *fw = user;
    if (e != NULL)
        forwards_open_failed(fw, host, port, e);
    else
        forwards_say(fw->all, SAY_ERROR, "-D %s: proxy request refused: %s", fw->spec->text, why);
}

static void accepted_dynamic(void *user, int fd, const char *from_host, uint16_t from_port)
{
    struct forward *fw = user;
    struct socks_local_owner owner = {.failed = socks_failed, .user = fw};
    forwards_say(fw->all, SAY_DEBUG, "connection from %s port %u to -D %s", from_host, from_port,
        fw->spec->text);
    socks_local_start(&fw->all->asking, fw->all->config.peer, fd, from_host, from_port, &owner);
}

void client_local_start(struct forward *fw)
{
    static const enum listener_bind rule[] = {
        [FORWARD_BIND_LOOPBACK] = LISTENER_LOOPBACK,
        [FORWARD_BIND_WILDCARD] = LISTENER_WILDCARD,
        [FORWARD_BIND_ADDRESS] = LISTENER_ADDRESS,
    };
    struct forwards *f = fw->all;
    bool dynamic = fw->spec->kind == FORWARD_DYNAMIC;
    struct listener_config config = {
        .bind = rule[forward_bind_kind(fw->spec, f->config.gateway_ports)],
        .address = fw->spec->bind,
        .port = fw->spec->port,
        .family = f->config.family,
        .accepted = dynamic ? accepted_dynamic : accepted_local,
        .user = fw,
    };
    char why[300];
    int sys_errno;
    fw->listener = listener_open(peer_loop(f->config.peer), &config, why, sizeof why, &sys_errno);
    if (fw->listener == NULL) {
        forwards_failed(fw, "%s", why);
        return;
    }
    fw->state = FORWARD_ACTIVE;
    fw->port = listener_port(fw->listener);
    if (fw->spec->port == 0)
        forwards_say(f, SAY_INFO, "Allocated port %u for local forward %s %s", fw->port,
            forward_kind_option(fw->spec->kind), fw->spec->text);
    forwards_say(f, SAY_VERBOSE, "%s %s: listening on port %u", forward_kind_option(fw->spec->kind),
        fw->spec->text, fw->port);
}
