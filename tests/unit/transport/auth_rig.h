/* One authentication machine with a sink in memory, for the tests of transport/auth*.c. */
#ifndef TESTS_UNIT_TRANSPORT_AUTH_RIG_H
#define TESTS_UNIT_TRANSPORT_AUTH_RIG_H

#include "tests/unit/unit.h"
#include "transport/auth.h"

enum { RIG_SENT_MAX = 512 };

struct rig {
    struct auth *a;
    struct fault fault;
    uint8_t *slot; /* last given, not committed */
    size_t slot_n;
    bool no_slots; /* the sink gives NULL from now on */
    struct bytes sent[RIG_SENT_MAX];
    size_t n_sent, n_taken;
    uint8_t *fed; /* the payload last fed, in memory of its exact size */
};

extern const struct bytes rig_session_id, rig_host_key;

/* Begun, nothing taken yet. */
void rig_client(struct rig *r, const char *user);
void rig_server(struct rig *r, unsigned max_tries, const char *banner);
void rig_server_in(struct rig *r, unsigned max_tries, const char *banner, struct bytes session_id);
void rig_free(struct rig *r);

enum err rig_feed(struct rig *r, struct bytes payload);
/* The next message the machine sent, in order; empty when there is none. */
struct bytes rig_take(struct rig *r);
/* Takes the one event and tells whether it is of this type. */
bool rig_event(struct rig *r, enum transport_event_type type, struct transport_event *event);
bool rig_quiet(struct rig *r); /* no event, nothing sent that was not taken */

/* Message builders; the result lives until the next builder call. */
struct bytes msg_of(uint8_t number, struct bytes body);
struct bytes msg_service_of(uint8_t number, const char *name);
struct bytes msg_failure(const char *methods, bool partial);
struct bytes msg_banner(const char *text);
struct bytes msg_pk_ok(struct bytes algorithm, struct bytes key);
struct bytes msg_changereq(const char *prompt);
struct bytes msg_prompts(uint32_t n); /* INFO_REQUEST with n prompts "p0" ... */
/* USERAUTH_REQUEST for ssh-connection. */
struct bytes msg_request(const char *user, const char *method, struct bytes rest);
struct bytes msg_request_for(
    const char *user, const char *service, const char *method, struct bytes rest);

#endif
