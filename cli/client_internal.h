/* What the files of one run of the client share; included by cli/client*.c alone. */
#ifndef CLI_CLIENT_INTERNAL_H
#define CLI_CLIENT_INTERNAL_H

#include <netdb.h>
#include <sys/types.h>

#include "cli/client.h"
#include "cli/login.h"
#include "cli/session.h"
#include "cli/update_host_keys.h"
#include "forward/client.h"
#include "forward/dialer.h"

enum {
    EXIT_OURS = 255,          /* ssh's status for every failure of its own */
    HOST_KEY_LIST_MAX = 2048, /* of algorithm names */
};

struct client {
    const struct options *o;
    struct rng rng;
    struct loop *loop;
    struct resolver *resolver;
    struct loop_timer timer; /* retry, or ConnectTimeout until the first exchange is done */
    struct dial *dial;
    pid_t proxy; /* ProxyCommand's program; 0: none */
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
    bool is_disconnected; /* the peer has ended */
    bool refused_host_key;
    bool may_update_hosts; /* UpdateHostKeys, as far as the host key's own standing goes */
    char address[NI_MAXHOST];
    char name[600]; /* "server HOST", for the keepalive's verdict */
    char host_key_list[HOST_KEY_LIST_MAX];
};

/* ---- client.c: the run and its end ------------------------------------------------------------
 */

/* Ends at once. */
void client_stop(struct client *c, int status);
/* Ends in good order: what is queued goes out first. */
void client_hang_up(struct client *c, int status);
void client_logged_in(struct client *c);
/* For struct peer_owner. */
void client_mux_event(void *user, const struct mux_event *e);
void client_quiet(void *user);
void client_ended(void *user, const struct fault *why);

/* ---- client_connect.c: from the first SYN to the login ----------------------------------------
 */

void client_dial(struct client *c);

#endif
