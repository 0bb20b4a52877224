/* What the halves of the client's forwards share: client.c (life, what is told to people),
 * client_local.c (-L, -D), client_remote.c (-R). Internal to forward/. */
#ifndef FORWARD_CLIENT_INTERNAL_H
#define FORWARD_CLIENT_INTERNAL_H

#include "forward/client.h"
#include "forward/inbound.h"
#include "forward/listener.h"
#include "forward/socks_local.h"

enum forward_state {
    FORWARD_IDLE,
    FORWARD_REQUESTED, /* -R: tcpip-forward sent, no reply yet: nothing is honoured */
    FORWARD_ACTIVE,
    FORWARD_FAILED,
};

struct forward {
    struct forwards *all;
    const struct forward_spec *spec;
    enum forward_state state;
    struct listener *listener; /* -L, -D */
    uint16_t port;             /* the one in force */
};

struct forwards {
    struct forwards_config config;
    struct inbound_set inbound;
    struct socks_local_set asking;
    char debug[256]; /* the server's last DEBUG text, escaped; "" once used */
    unsigned n_waiting;
    unsigned n_failed;
    bool started, settled;
    size_t n;
    struct forward list[];
};

void forwards_say(struct forwards *f, enum say_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Says why fw cannot be had and counts it. */
void forwards_failed(struct forward *fw, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A channel for host:port was refused by the far side: which forward, which side, why, what to try.
 */
void forwards_open_failed(
    struct forward *fw, const char *host, uint16_t port, const struct mux_event *e);
/* Calls settled() when nothing is waited for any more. */
void forwards_settle(struct forwards *f);
struct dial_options forwards_dial_options(const struct forwards *f);

void client_local_start(struct forward *fw);
void client_remote_start(struct forward *fw);
void client_remote_reply(struct forward *fw, const struct mux_event *e);
/* forwarded-tcpip: answers it. */
void client_remote_open(struct forwards *f, const struct mux_event *e);

#endif
