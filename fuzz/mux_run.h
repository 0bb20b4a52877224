/* A multiplexer against any peer: what both targets of it share. A turn's byte (see turns.h) picks
 * a call of ours, its low four bits which, its high four bits for what channel; then the peer's
 * payload goes in. Whatever the two come to, what may not happen does not. */
#ifndef FUZZ_MUX_RUN_H
#define FUZZ_MUX_RUN_H

#include "channel/mux.h"

/* What a role does of its own accord about an event; the rest is up to the calls. */
typedef void mux_run_policy(struct mux *m, const struct mux_event *event);

int mux_run(enum role role, mux_run_policy *policy, struct bytes input);

/* A user pointer for mux_confirm(). */
void *mux_run_user(void);

#endif
