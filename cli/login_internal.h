/* The inside of struct login, which login.c and login_agent.c share. */
#ifndef CLI_LOGIN_INTERNAL_H
#define CLI_LOGIN_INTERNAL_H

#include "cli/agent.h"
#include "cli/login.h"

enum method { METHOD_NONE, METHOD_PUBLICKEY, METHOD_INTERACTIVE, METHOD_PASSWORD, N_METHODS };

struct login {
    struct login_config config;
    struct transport *tp;
    const struct options *options;
    struct identities ids;
    size_t next_id;
    unsigned n_offered; /* identities, to the server */
    struct agent *agent;
    bool agent_is_opening; /* what it holds is not known yet */
    bool awaits_agent;     /* publickey is to begin when it is */
    char *agent_note;      /* why there is no agent; NULL: there is, or none was meant */
    enum method method;
    bool spent[N_METHODS];
    int tries[N_METHODS];
    bool asked_prompts; /* keyboard-interactive: this round did ask something */
    bool has_proved;    /* a signature, a password or an answer was sent */
    bool restricted;
    char can_continue[512];
    char who[600]; /* "user@host" */
};

/* ---- login.c --------------------------------------------------------------------------------- */

/* Is there any use in trying alg with a server whose server-sig-algs is list? */
bool login_server_takes(struct bytes list, struct bytes alg);
/* The best algorithm that the key can do, the user accepts (ours), and the server takes (its
 * server-sig-algs; empty: not sent). false: there is none. */
bool login_choose_algorithm(
    struct bytes server, struct bytes ours, struct bytes blob, struct bytes *alg);
/* The agent's keys are in ids, or will never be: goes on with publickey. */
void login_go_on(struct login *l);

/* ---- login_agent.c --------------------------------------------------------------------------- */

/* Asks the agent, if there is one, what it holds; publickey waits for the answer. */
void login_open_agent(struct login *l);
/* Has it sign; the transport is told when it did or did not. */
void login_sign_by_agent(
    struct login *l, const struct identity *id, const struct transport_event *e);
/* Gives it the key, as AddKeysToAgent says; id was loaded from its file. */
void login_add_to_agent(struct login *l, const struct identity *id);

#endif
