/* The messages of RFC 4252 (user authentication) and RFC 4256 (keyboard-interactive). */
#include "proto/msg.h"
#include "proto/namelist.h"

/* RFC 4252 section 5 */
enum err msg_userauth_request_decode(struct wire_reader *r, struct msg_userauth_request *m)
{
    m->user = wire_string(r);
    m->service = wire_string(r);
    m->method = wire_string(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_userauth_request_encode(struct wire_writer *w, const struct msg_userauth_request *m)
{
    wire_put_u8(w, MSG_USERAUTH_REQUEST);
    wire_put_string(w, m->user);
    wire_put_string(w, m->service);
    wire_put_string(w, m->method);
    wire_put_raw(w, m->rest);
}

/* RFC 4252 section 7; the host-bound form adds the server's host key before the signature (OpenSSH
 * PROTOCOL section 3.1). A query has no signature field at all. */
enum err msg_auth_publickey_decode(
    struct wire_reader *r, bool hostbound, struct msg_auth_publickey *m)
{
    const struct bytes none = {NULL, 0};
    m->has_signature = wire_bool(r);
    m->algorithm = wire_string(r);
    m->key = wire_string(r);
    m->host_key = hostbound ? wire_string(r) : none;
    m->signature = m->has_signature ? wire_string(r) : none;
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_auth_publickey_encode(
    struct wire_writer *w, bool hostbound, const struct msg_auth_publickey *m)
{
    wire_put_bool(w, m->has_signature);
    wire_put_string(w, m->algorithm);
    wire_put_string(w, m->key);
    if (hostbound)
        wire_put_string(w, m->host_key);
    if (m->has_signature)
        wire_put_string(w, m->signature);
}

/* RFC 4252 section 8 */
enum err msg_auth_password_decode(struct wire_reader *r, struct msg_auth_password *m)
{
    m->is_change = wire_bool(r);
    m->password = wire_string(r);
    m->new_password = m->is_change ? wire_string(r) : (struct bytes){NULL, 0};
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_auth_password_encode(struct wire_writer *w, const struct msg_auth_password *m)
{
    wire_put_bool(w, m->is_change);
    wire_put_string(w, m->password);
    if (m->is_change)
        wire_put_string(w, m->new_password);
}

/* RFC 4252 section 5.1 */
enum err msg_userauth_failure_decode(struct wire_reader *r, struct msg_userauth_failure *m)
{
    m->methods = wire_string(r);
    m->partial_success = wire_bool(r);
    return wire_done(r) && namelist_is_valid(m->methods) ? ERR_OK : ERR_MALFORMED;
}

void msg_userauth_failure_encode(struct wire_writer *w, const struct msg_userauth_failure *m)
{
    wire_put_u8(w, MSG_USERAUTH_FAILURE);
    wire_put_string(w, m->methods);
    wire_put_bool(w, m->partial_success);
}

/* RFC 4252 section 5.4; the language tag is dropped. */
enum err msg_userauth_banner_decode(struct wire_reader *r, struct msg_userauth_banner *m)
{
    m->message = wire_string(r);
    (void)wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_userauth_banner_encode(struct wire_writer *w, const struct msg_userauth_banner *m)
{
    wire_put_u8(w, MSG_USERAUTH_BANNER);
    wire_put_string(w, m->message);
    wire_put_cstring(w, "");
}

/* RFC 4252 section 7 */
enum err msg_userauth_pk_ok_decode(struct wire_reader *r, struct msg_userauth_pk_ok *m)
{
    m->algorithm = wire_string(r);
    m->key = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_userauth_pk_ok_encode(struct wire_writer *w, const struct msg_userauth_pk_ok *m)
{
    wire_put_u8(w, MSG_USERAUTH_60);
    wire_put_string(w, m->algorithm);
    wire_put_string(w, m->key);
}

/* RFC 4252 section 8 */
enum err msg_passwd_changereq_decode(struct wire_reader *r, struct msg_passwd_changereq *m)
{
    m->prompt = wire_string(r);
    (void)wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

/* RFC 4256 section 3.2. A prompt takes at least a length and a boolean, so the bytes left bound
 * the count and no number a peer writes makes this loop long. */
enum err msg_info_request_decode(struct wire_reader *r, struct msg_info_request *m)
{
    m->name = wire_string(r);
    m->instruction = wire_string(r);
    (void)wire_string(r); /* language tag */
    m->n_prompts = wire_u32(r);
    m->prompts = *r;
    if (r->bad || m->n_prompts > r->left / 5)
        return ERR_MALFORMED;
    struct msg_info_request walk = *m;
    struct bytes prompt;
    bool echo;
    while (msg_info_request_next(&walk, &prompt, &echo))
        ;
    *r = walk.prompts;
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

bool msg_info_request_next(struct msg_info_request *m, struct bytes *prompt, bool *echo)
{
    if (m->n_prompts == 0)
        return false;
    m->n_prompts--;
    *prompt = wire_string(&m->prompts);
    *echo = wire_bool(&m->prompts);
    return !m->prompts.bad;
}
