/* The client's side of a login: which method comes next, who signs, who is asked. Answers the
 * transport's AUTH events; knows no packets. The order is ssh's: `none` to learn the methods, then
 * PreferredAuthentications as far as the server lets them continue. */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include "cli/identity.h"
#include "cli/options.h"
#include "transport/transport.h"

struct login; /* opaque */

/* options is borrowed. destination: "user@host", for prompts. restricted: the host key is not the
 * known one and StrictHostKeyChecking is no: nothing secret is typed to such a host. NULL: no
 * memory. */
struct login *login_new(struct transport *t, const struct options *options);
void login_restrict(struct login *l);
void login_free(struct login *l); /* wipes keys and passwords; accepts NULL */

/* Any AUTH_* event but SUCCESS and BANNER. false: nothing is left to try; a message was logged. */
bool login_event(struct login *l, const struct transport_event *e);

/* After SUCCESS: did the server let us in without asking for anything? */
bool login_was_free(const struct login *l);
/* The method that succeeded, for -v. Static. */
const char *login_method(const struct login *l);

#endif
