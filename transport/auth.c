/* What the client's and the server's half of user authentication share. */
#include "transport/auth_internal.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ct.h"
#include "proto/text.h"

/* ---- copies ---------------------------------------------------------------------------------- */

void auth_drop(struct auth_copy *c)
{
    free(c->p);
    *c = (struct auth_copy){0};
}

static bool copy_make(struct auth_copy *dst, struct bytes b)
{
    *dst = (struct auth_copy){0};
    if (b.n == 0)
        return true;
    dst->p = malloc(b.n);
    if (dst->p == NULL)
        return false;
    memcpy(dst->p, b.p, b.n);
    dst->n = b.n;
    return true;
}

enum err auth_keep(struct auth *a, struct auth_copy *dst, struct bytes b)
{
    struct auth_copy fresh; /* first, since b may borrow from *dst */
    if (!copy_make(&fresh, b))
        return fault_set(a->fault, ERR_NOMEM, "user authentication: out of memory");
    auth_drop(dst);
    *dst = fresh;
    return ERR_OK;
}

struct bytes auth_bytes(const struct auth_copy *c)
{
    return (struct bytes){c->p, c->n};
}

/* ---- life ------------------------------------------------------------------------------------ */

struct auth *auth_new(const struct auth_config *config)
{
    struct auth *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->role = config->role;
    a->sink = config->sink;
    a->fault = config->fault;
    const char *user = config->role == ROLE_CLIENT && config->user != NULL ? config->user : "";
    bool ok = copy_make(&a->user, bytes_of(user));
    if (config->role == ROLE_SERVER) {
        a->server.max_tries = config->max_tries != 0 ? config->max_tries : AUTH_TRIES_DEFAULT;
        ok = ok && copy_make(&a->server.banner, bytes_of(config->banner ? config->banner : ""));
    }
    if (!ok) {
        auth_free(a);
        return NULL;
    }
    return a;
}

void auth_free(struct auth *a)
{
    if (a == NULL)
        return;
    if (a->role == ROLE_CLIENT) {
        auth_drop(&a->client.signing);
        auth_drop(&a->client.methods);
    } else {
        auth_drop(&a->server.banner);
    }
    auth_drop(&a->session_id);
    auth_drop(&a->host_key);
    auth_drop(&a->user);
    auth_drop(&a->algorithm);
    auth_drop(&a->key);
    secure_wipe(a, sizeof *a);
    free(a);
}

void auth_begin(struct auth *a, struct bytes session_id, struct bytes host_key)
{
    if (a->fault->code != ERR_OK)
        return;
    if (a->has_begun) {
        (void)fault_set(a->fault, ERR_INTERNAL, "user authentication: begun twice");
        return;
    }
    a->has_begun = true;
    if (auth_keep(a, &a->session_id, session_id) != ERR_OK ||
        auth_keep(a, &a->host_key, host_key) != ERR_OK)
        return;
    if (a->role == ROLE_CLIENT)
        auth_client_begin(a);
}

void auth_set_hostbound(struct auth *a, bool offered)
{
    a->hostbound = offered;
}

bool auth_done(const struct auth *a)
{
    return a->role == ROLE_CLIENT ? a->client.state == AC_DONE : a->server.state == AS_DONE;
}

/* ---- in and out ------------------------------------------------------------------------------ */

bool auth_waiting(const struct auth *a)
{
    return a->has_event || (a->role == ROLE_SERVER && a->server.state == AS_DECIDING);
}

/* The transport's table has let the message through; a second look costs nothing, and keeps this
 * machine total by itself. */
enum err auth_packet(struct auth *a, struct bytes payload)
{
    if (a->fault->code != ERR_OK)
        return a->fault->code;
    if (!a->has_begun || auth_waiting(a))
        return fault_set(
            a->fault, ERR_INTERNAL, "user authentication: a message was delivered too early");
    struct wire_reader r = wire_reader(payload);
    uint8_t number = wire_u8(&r);
    if (r.bad)
        return fault_set(a->fault, ERR_MALFORMED, "user authentication: empty message");
    bool is_client = a->role == ROLE_CLIENT;
    const struct auth_handler *h = is_client ? auth_client_handlers : auth_server_handlers;
    for (; h->run != NULL; h++)
        if (h->number == number)
            return h->run(a, &r);
    return fault_set(a->fault, ERR_PROTOCOL, "%s sent %s, which a %s must not send",
        is_client ? "server" : "client", msg_name(number), is_client ? "server" : "client");
}

enum err auth_emit(struct auth *a, struct transport_event event)
{
    if (a->has_event)
        return fault_set(a->fault, ERR_INTERNAL, "user authentication: an event was not taken");
    a->event = event;
    a->has_event = true;
    return ERR_OK;
}

bool auth_next(struct auth *a, struct transport_event *event)
{
    if (!a->has_event || a->fault->code != ERR_OK)
        return false;
    *event = a->event;
    a->has_event = false;
    return true;
}

bool auth_open(struct auth *a, size_t n_strings, struct wire_writer *w)
{
    if (n_strings > AUTH_MESSAGE_MAX - AUTH_FIXED_ROOM) {
        (void)fault_set(a->fault, ERR_LIMIT,
            "user authentication: a message of %zu bytes is too long to send", n_strings);
        return false;
    }
    size_t room = n_strings + AUTH_FIXED_ROOM;
    uint8_t *slot = a->sink.control_slot(a->sink.engine, room);
    if (slot == NULL) { /* the sink's own fault, if it put one in force, comes first */
        (void)fault_set(a->fault, ERR_INTERNAL, "user authentication: cannot send");
        return false;
    }
    *w = wire_writer(slot, room);
    return true;
}

enum err auth_send(struct auth *a, struct wire_writer *w)
{
    if (w->bad) {
        secure_wipe(w->base, w->cap); /* it may hold a password */
        return fault_set(a->fault, ERR_INTERNAL, "user authentication: message outgrew its slot");
    }
    a->sink.commit(a->sink.engine, w->len);
    return ERR_OK;
}

/* ---- what a signature covers ----------------------------------------------------------------- */

/* PROTOCOL section 3.1: the host-bound form adds the server's key, so that a signature that one
 * server was given is of no use to another. */
static void put_signed_request(struct wire_writer *w, const struct auth *a, bool hostbound)
{
    wire_put_string(w, auth_bytes(&a->session_id));
    struct msg_userauth_request head = {
        .user = auth_bytes(&a->user),
        .service = BYTES_LIT(AUTH_NEXT_SERVICE),
        .method = hostbound ? BYTES_LIT(AUTH_HOSTBOUND) : BYTES_LIT(AUTH_PUBLICKEY),
    };
    msg_userauth_request_encode(w, &head);
    wire_put_bool(w, true);
    wire_put_string(w, auth_bytes(&a->algorithm));
    wire_put_string(w, auth_bytes(&a->key));
    if (hostbound)
        wire_put_string(w, auth_bytes(&a->host_key));
}

enum err auth_signing_data(struct auth *a, bool hostbound, struct auth_copy *out)
{
    size_t room =
        AUTH_FIXED_ROOM + a->session_id.n + a->user.n + a->algorithm.n + a->key.n + a->host_key.n;
    uint8_t *p = malloc(room);
    if (p == NULL)
        return fault_set(a->fault, ERR_NOMEM, "user authentication: out of memory");
    struct wire_writer w = wire_writer(p, room);
    put_signed_request(&w, a, hostbound);
    if (w.bad) {
        free(p);
        return fault_set(a->fault, ERR_INTERNAL, "user authentication: message outgrew its room");
    }
    auth_drop(out);
    *out = (struct auth_copy){p, w.len};
    return ERR_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* C0, DEL, and C1 as UTF-8 spells it: such a name forges log lines and moves cursors. */
bool auth_user_is_clean(struct bytes user)
{
    for (size_t i = 0; i < user.n; i++) {
        if (user.p[i] < 0x20 || user.p[i] == 0x7f)
            return false;
        if (user.p[i] == 0xc2 && i + 1 < user.n && user.p[i + 1] >= 0x80 && user.p[i + 1] < 0xa0)
            return false;
    }
    return user.n > 0 && user.n <= AUTH_USER_MAX;
}

const char *auth_quote(char out[AUTH_QUOTE_MAX], struct bytes text)
{
    text_escape(out, AUTH_QUOTE_MAX, text, TEXT_LINE);
    return out;
}
