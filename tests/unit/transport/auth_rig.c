#include "tests/unit/transport/auth_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct bytes rig_session_id = {(const uint8_t *)"0123456789abcdef0123456789abcdef", 32};
const struct bytes rig_host_key = {(const uint8_t *)"the server's own key blob", 25};

/* ---- the sink -------------------------------------------------------------------------------- */

static uint8_t *dup_exact(const uint8_t *p, size_t n)
{
    uint8_t *d = malloc(n > 0 ? n : 1);
    if (d == NULL)
        abort();
    if (n > 0)
        memcpy(d, p, n);
    return d;
}

static uint8_t *rig_slot(void *engine, size_t n)
{
    struct rig *r = engine;
    if (r->no_slots)
        return NULL;
    free(r->slot);
    r->slot = malloc(n > 0 ? n : 1);
    if (r->slot == NULL)
        abort();
    r->slot_n = n;
    return r->slot;
}

static void rig_commit(void *engine, size_t n)
{
    struct rig *r = engine;
    if (r->slot == NULL || n > r->slot_n || r->n_sent == RIG_SENT_MAX)
        abort();
    r->sent[r->n_sent++] = (struct bytes){dup_exact(r->slot, n), n};
    free(r->slot);
    r->slot = NULL;
}

static void rig_start(struct rig *r, struct auth_config config, struct bytes session_id)
{
    *r = (struct rig){0};
    config.fault = &r->fault;
    config.sink = (struct packet_sink){.engine = r, .control_slot = rig_slot, .commit = rig_commit};
    r->a = auth_new(&config);
    if (r->a == NULL)
        abort();
    auth_begin(r->a, session_id, rig_host_key);
}

void rig_client(struct rig *r, const char *user)
{
    rig_start(r, (struct auth_config){.role = ROLE_CLIENT, .user = user}, rig_session_id);
}

void rig_server(struct rig *r, unsigned max_tries, const char *banner)
{
    rig_server_in(r, max_tries, banner, rig_session_id);
}

void rig_server_in(struct rig *r, unsigned max_tries, const char *banner, struct bytes session_id)
{
    struct auth_config config = {.role = ROLE_SERVER, .max_tries = max_tries, .banner = banner};
    rig_start(r, config, session_id);
}

void rig_free(struct rig *r)
{
    auth_free(r->a);
    free(r->slot);
    free(r->fed);
    for (size_t i = 0; i < r->n_sent; i++) {
        void *p;
        memcpy(&p, &r->sent[i].p, sizeof p); /* ours, though const for its readers */
        free(p);
    }
    *r = (struct rig){0};
}

enum err rig_feed(struct rig *r, struct bytes payload)
{
    free(r->fed);
    r->fed = dup_exact(payload.p, payload.n);
    return auth_packet(r->a, (struct bytes){r->fed, payload.n});
}

struct bytes rig_take(struct rig *r)
{
    return r->n_taken < r->n_sent ? r->sent[r->n_taken++] : (struct bytes){NULL, 0};
}

bool rig_event(struct rig *r, enum transport_event_type type, struct transport_event *event)
{
    struct transport_event e;
    if (!auth_next(r->a, &e))
        return false;
    if (event != NULL)
        *event = e;
    return e.type == type && !auth_next(r->a, &e);
}

bool rig_quiet(struct rig *r)
{
    struct transport_event e;
    return r->n_taken == r->n_sent && !auth_next(r->a, &e);
}

/* ---- messages -------------------------------------------------------------------------------- */

static uint8_t built[65536];

static struct bytes finish(const struct wire_writer *w)
{
    if (w->bad)
        abort();
    return wire_written(w);
}

struct bytes msg_of(uint8_t number, struct bytes body)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    wire_put_u8(&w, number);
    wire_put_raw(&w, body);
    return finish(&w);
}

struct bytes msg_service_of(uint8_t number, const char *name)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    msg_service_encode(&w, number, &(struct msg_service){.name = bytes_of(name)});
    return finish(&w);
}

struct bytes msg_failure(const char *methods, bool partial)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    struct msg_userauth_failure m = {.methods = bytes_of(methods), .partial_success = partial};
    msg_userauth_failure_encode(&w, &m);
    return finish(&w);
}

struct bytes msg_banner(const char *text)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    msg_userauth_banner_encode(&w, &(struct msg_userauth_banner){.message = bytes_of(text)});
    return finish(&w);
}

struct bytes msg_pk_ok(struct bytes algorithm, struct bytes key)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    struct msg_userauth_pk_ok m = {.algorithm = algorithm, .key = key};
    msg_userauth_pk_ok_encode(&w, &m);
    return finish(&w);
}

struct bytes msg_changereq(const char *prompt)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    wire_put_u8(&w, MSG_USERAUTH_60);
    wire_put_cstring(&w, prompt);
    wire_put_cstring(&w, "");
    return finish(&w);
}

struct bytes msg_prompts(uint32_t n)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    wire_put_u8(&w, MSG_USERAUTH_60);
    wire_put_cstring(&w, "name");
    wire_put_cstring(&w, "instruction");
    wire_put_cstring(&w, "");
    wire_put_u32(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        char prompt[16];
        snprintf(prompt, sizeof prompt, "p%u", (unsigned)i);
        wire_put_cstring(&w, prompt);
        wire_put_bool(&w, i % 2 == 1);
    }
    return finish(&w);
}

struct bytes msg_request_for(
    const char *user, const char *service, const char *method, struct bytes rest)
{
    struct wire_writer w = wire_writer(built, sizeof built);
    struct msg_userauth_request m = {
        .user = bytes_of(user),
        .service = bytes_of(service),
        .method = bytes_of(method),
        .rest = rest,
    };
    msg_userauth_request_encode(&w, &m);
    return finish(&w);
}

struct bytes msg_request(const char *user, const char *method, struct bytes rest)
{
    return msg_request_for(user, "ssh-connection", method, rest);
}
