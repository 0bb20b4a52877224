/* The client's side of a login: which method comes next, who signs, who is asked. Answers the
 * transport's AUTH events; knows no packets. The order is ssh's: `none` to learn the methods, then
 * PreferredAuthentications as far as the server lets them continue. */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include "cli/identity.h"
#include "cli/options.h"
#include "forward/peer.h"

struct login; /* opaque */

struct login_config {
    struct peer *peer; /* all three borrowed */
    const struct options *options;
    /* Nothing is left to try, and a message was logged: as when login_event() is false, but on the
     * loop, when it was the agent that was waited for. */
    void (*gave_up)(void *user);
    void *user;
};

/* NULL: no memory. */
struct login *login_new(const struct login_config *config);
/* The host key is not the known one and StrictHostKeyChecking is no: nothing secret is typed to
 * such a host. */
void login_restrict(struct login *l);
void login_free(struct login *l); /* wipes keys and passwords; accepts NULL */

/* Any AUTH_* event but SUCCESS and BANNER. false: nothing is left to try; a message was logged. */
bool login_event(struct login *l, const struct transport_event *e);

/* The server ended the connection: was it that we offered too many keys? Says what helps. */
void login_explain_end(const struct login *l);

/* After SUCCESS: did the server let us in without a signature, a password or an answer? One that
 * says yes to a public key alone, or to questions that it does not ask, wants no proof either. */
bool login_was_free(const struct login *l);
/* The method that succeeded, for -v. Static. */
const char *login_method(const struct login *l);

#endif
