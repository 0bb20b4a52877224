#include "proto/agent.h"

const char *agent_msg_name(uint8_t number)
{
    switch (number) {
    case AGENT_FAILURE: return "FAILURE";
    case AGENT_SUCCESS: return "SUCCESS";
    case AGENT_REQUEST_IDENTITIES: return "REQUEST_IDENTITIES";
    case AGENT_IDENTITIES_ANSWER: return "IDENTITIES_ANSWER";
    case AGENT_SIGN_REQUEST: return "SIGN_REQUEST";
    case AGENT_SIGN_RESPONSE: return "SIGN_RESPONSE";
    case AGENT_ADD_IDENTITY: return "ADD_IDENTITY";
    case AGENT_ADD_ID_CONSTRAINED: return "ADD_ID_CONSTRAINED";
    case AGENT_EXTENSION: return "EXTENSION";
    case AGENT_EXTENSION_FAILURE: return "EXTENSION_FAILURE";
    default: return "an unknown message";
    }
}

/* Section 4.4. A key takes at least its two lengths, so the bytes left bound the count and no
 * number that an agent writes makes this loop long. */
enum err msg_agent_identities_decode(struct wire_reader *r, struct msg_agent_identities *m)
{
    m->n_keys = wire_u32(r);
    m->keys = *r;
    if (r->bad || m->n_keys > r->left / 8)
        return ERR_MALFORMED;
    struct msg_agent_identities walk = *m;
    struct bytes key, comment;
    while (msg_agent_identities_next(&walk, &key, &comment))
        ;
    *r = walk.keys;
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

bool msg_agent_identities_next(
    struct msg_agent_identities *m, struct bytes *key, struct bytes *comment)
{
    if (m->n_keys == 0)
        return false;
    m->n_keys--;
    *key = wire_string(&m->keys);
    *comment = wire_string(&m->keys);
    return !m->keys.bad;
}

void msg_agent_identities_encode(struct wire_writer *w, const struct msg_agent_identities *m)
{
    wire_put_u8(w, AGENT_IDENTITIES_ANSWER);
    wire_put_u32(w, m->n_keys);
    wire_put_raw(w, (struct bytes){m->keys.p, m->keys.left});
}

/* Section 4.5 */
enum err msg_agent_sign_request_decode(struct wire_reader *r, struct msg_agent_sign_request *m)
{
    m->key = wire_string(r);
    m->data = wire_string(r);
    m->flags = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_agent_sign_request_encode(struct wire_writer *w, const struct msg_agent_sign_request *m)
{
    wire_put_u8(w, AGENT_SIGN_REQUEST);
    wire_put_string(w, m->key);
    wire_put_string(w, m->data);
    wire_put_u32(w, m->flags);
}

enum err msg_agent_sign_response_decode(struct wire_reader *r, struct msg_agent_sign_response *m)
{
    m->signature = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_agent_sign_response_encode(struct wire_writer *w, const struct msg_agent_sign_response *m)
{
    wire_put_u8(w, AGENT_SIGN_RESPONSE);
    wire_put_string(w, m->signature);
}

/* Section 4.8 */
enum err msg_agent_extension_decode(struct wire_reader *r, struct msg_agent_extension *m)
{
    m->name = wire_string(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_agent_extension_encode(struct wire_writer *w, const struct msg_agent_extension *m)
{
    wire_put_u8(w, AGENT_EXTENSION);
    wire_put_string(w, m->name);
    wire_put_raw(w, m->rest);
}

enum err msg_agent_session_bind_decode(struct wire_reader *r, struct msg_agent_session_bind *m)
{
    m->host_key = wire_string(r);
    m->session_id = wire_string(r);
    m->signature = wire_string(r);
    m->is_forwarding = wire_bool(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_agent_session_bind_encode(struct wire_writer *w, const struct msg_agent_session_bind *m)
{
    wire_put_string(w, m->host_key);
    wire_put_string(w, m->session_id);
    wire_put_string(w, m->signature);
    wire_put_bool(w, m->is_forwarding);
}

/* Sections 4.2 and 4.2.6 */
enum { CONSTRAIN_LIFETIME = 1, CONSTRAIN_CONFIRM = 2 };

void msg_agent_add_encode(struct wire_writer *w, const struct msg_agent_add *m)
{
    bool is_constrained = m->lifetime_s > 0 || m->confirm;
    wire_put_u8(w, is_constrained ? AGENT_ADD_ID_CONSTRAINED : AGENT_ADD_IDENTITY);
    wire_put_raw(w, m->key);
    wire_put_string(w, m->comment);
    if (m->lifetime_s > 0) {
        wire_put_u8(w, CONSTRAIN_LIFETIME);
        wire_put_u32(w, m->lifetime_s);
    }
    if (m->confirm)
        wire_put_u8(w, CONSTRAIN_CONFIRM);
}
