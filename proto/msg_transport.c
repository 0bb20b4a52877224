/* The messages of RFC 4253, RFC 5656 section 4, RFC 8308, and OpenSSH's PING and PONG. */
#include <string.h>

#include "proto/msg.h"
#include "proto/namelist.h"

/* RFC 4253 section 11.1. The language tag behind the text is of no use to anyone: dropped. */
enum err msg_disconnect_decode(struct wire_reader *r, struct msg_disconnect *m)
{
    m->reason = wire_u32(r);
    m->description = wire_string(r);
    (void)wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_disconnect_encode(struct wire_writer *w, const struct msg_disconnect *m)
{
    wire_put_u8(w, MSG_DISCONNECT);
    wire_put_u32(w, m->reason);
    wire_put_string(w, m->description);
    wire_put_cstring(w, "");
}

/* RFC 4253 section 11.2 */
enum err msg_ignore_decode(struct wire_reader *r, struct msg_ignore *m)
{
    m->data = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_ignore_encode(struct wire_writer *w, const struct msg_ignore *m)
{
    wire_put_u8(w, MSG_IGNORE);
    wire_put_string(w, m->data);
}

/* RFC 4253 section 11.3 */
enum err msg_debug_decode(struct wire_reader *r, struct msg_debug *m)
{
    m->always_display = wire_bool(r);
    m->message = wire_string(r);
    (void)wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_debug_encode(struct wire_writer *w, const struct msg_debug *m)
{
    wire_put_u8(w, MSG_DEBUG);
    wire_put_bool(w, m->always_display);
    wire_put_string(w, m->message);
    wire_put_cstring(w, "");
}

/* RFC 4253 section 11.4 */
enum err msg_unimplemented_decode(struct wire_reader *r, struct msg_unimplemented *m)
{
    m->sequence = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_unimplemented_encode(struct wire_writer *w, const struct msg_unimplemented *m)
{
    wire_put_u8(w, MSG_UNIMPLEMENTED);
    wire_put_u32(w, m->sequence);
}

/* RFC 4253 section 10 */
enum err msg_service_decode(struct wire_reader *r, struct msg_service *m)
{
    m->name = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_service_encode(struct wire_writer *w, uint8_t number, const struct msg_service *m)
{
    wire_put_u8(w, number);
    wire_put_string(w, m->name);
}

/* RFC 4253 section 7.1. The last word is reserved for extensions: written 0, and whatever a later
 * version puts there is read over, as the exchange hash covers the payload anyway. */
enum err msg_kexinit_decode(struct wire_reader *r, struct msg_kexinit *m)
{
    struct bytes cookie = wire_take(r, sizeof m->cookie);
    if (cookie.n == sizeof m->cookie)
        memcpy(m->cookie, cookie.p, sizeof m->cookie);
    bool are_valid = true;
    for (int i = 0; i < KEXINIT_N_LISTS; i++) {
        m->lists[i] = wire_string(r);
        are_valid = are_valid && namelist_is_valid(m->lists[i]);
    }
    m->first_kex_packet_follows = wire_bool(r);
    (void)wire_u32(r);
    return wire_done(r) && are_valid ? ERR_OK : ERR_MALFORMED;
}

void msg_kexinit_encode(struct wire_writer *w, const struct msg_kexinit *m)
{
    wire_put_u8(w, MSG_KEXINIT);
    wire_put_raw(w, (struct bytes){m->cookie, sizeof m->cookie});
    for (int i = 0; i < KEXINIT_N_LISTS; i++)
        wire_put_string(w, m->lists[i]);
    wire_put_bool(w, m->first_kex_packet_follows);
    wire_put_u32(w, 0);
}

/* RFC 5656 section 4. The lengths of shares belong to the key exchange, which knows them. */
enum err msg_ecdh_init_decode(struct wire_reader *r, struct msg_ecdh_init *m)
{
    m->share = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_ecdh_init_encode(struct wire_writer *w, uint8_t number, const struct msg_ecdh_init *m)
{
    wire_put_u8(w, number);
    wire_put_string(w, m->share);
}

enum err msg_ecdh_reply_decode(struct wire_reader *r, struct msg_ecdh_reply *m)
{
    m->host_key = wire_string(r);
    m->share = wire_string(r);
    m->signature = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_ecdh_reply_encode(struct wire_writer *w, uint8_t number, const struct msg_ecdh_reply *m)
{
    wire_put_u8(w, number);
    wire_put_string(w, m->host_key);
    wire_put_string(w, m->share);
    wire_put_string(w, m->signature);
}

/* RFC 4419 section 3 */
enum err msg_gex_request_decode(struct wire_reader *r, struct msg_gex_request *m)
{
    m->min = wire_u32(r);
    m->wanted = wire_u32(r);
    m->max = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_gex_request_encode(struct wire_writer *w, const struct msg_gex_request *m)
{
    wire_put_u8(w, MSG_KEX_GEX_REQUEST);
    wire_put_u32(w, m->min);
    wire_put_u32(w, m->wanted);
    wire_put_u32(w, m->max);
}

enum err msg_gex_group_decode(struct wire_reader *r, struct msg_gex_group *m)
{
    m->p = wire_mpint(r);
    m->g = wire_mpint(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_gex_group_encode(struct wire_writer *w, const struct msg_gex_group *m)
{
    wire_put_u8(w, MSG_KEX_GEX_GROUP);
    wire_put_mpint(w, m->p);
    wire_put_mpint(w, m->g);
}

/* RFC 8308 section 2.3. A pair takes at least its two lengths, so the bytes left bound the count
 * and no number a peer writes makes this loop long. */
enum err msg_ext_info_decode(struct wire_reader *r, struct msg_ext_info *m)
{
    m->n_left = wire_u32(r);
    m->pairs = *r;
    if (r->bad || m->n_left > r->left / 8)
        return ERR_MALFORMED;
    struct msg_ext_info walk = *m;
    struct bytes name, value;
    while (msg_ext_info_next(&walk, &name, &value))
        ;
    *r = walk.pairs;
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

bool msg_ext_info_next(struct msg_ext_info *m, struct bytes *name, struct bytes *value)
{
    if (m->n_left == 0)
        return false;
    m->n_left--;
    *name = wire_string(&m->pairs);
    *value = wire_string(&m->pairs);
    return !m->pairs.bad;
}

/* OpenSSH PROTOCOL section 1.9 */
enum err msg_ping_decode(struct wire_reader *r, struct msg_ping *m)
{
    m->data = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_ping_encode(struct wire_writer *w, uint8_t number, const struct msg_ping *m)
{
    wire_put_u8(w, number);
    wire_put_string(w, m->data);
}
