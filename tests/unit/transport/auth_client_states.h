/* A client's half of user authentication in each of its states, and how it gets there. */
#ifndef TESTS_UNIT_TRANSPORT_AUTH_CLIENT_STATES_H
#define TESTS_UNIT_TRANSPORT_AUTH_CLIENT_STATES_H

#include "tests/unit/transport/auth_rig.h"

#define ALG      BYTES_LIT("ssh-ed25519")
#define KEY      BYTES_LIT("a public key blob")
#define NO_BYTES ((struct bytes){NULL, 0})

/* Each starts afresh: the service was accepted and READY taken ... */
void ready(struct rig *r);
/* ... and then: */
void to_none(struct rig *r);
void to_query(struct rig *r);
void to_signing(struct rig *r);
void to_signed(struct rig *r);
void to_password(struct rig *r);
void to_new_password(struct rig *r);
void to_interactive(struct rig *r);
void to_answering(struct rig *r);
void to_done(struct rig *r);
/* Begun, and nothing more. */
void to_service(struct rig *r);

#endif
