/* EXT_INFO, RFC 8308: what a server tells of itself behind its first NEWKEYS; and what a client
 * tells a server that wants to hear it, which is one thing: that it listens to a second word of the
 * server's, once the server knows who wants to log in (OpenSSH PROTOCOL, ext-info-in-auth). */
#include <stdlib.h>

#include "proto/namelist.h"
#include "transport/engine.h"

static void put_pair(struct wire_writer *w, const char *name, const char *value)
{
    wire_put_cstring(w, name);
    wire_put_cstring(w, value);
}

enum err ext_info_send(struct transport *t)
{
    uint8_t room[1024];
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_u8(&w, MSG_EXT_INFO);
    if (t->config.role == ROLE_CLIENT) {
        t->may_hear_in_auth = true;
        wire_put_u32(&w, 1);
        put_pair(&w, "ext-info-in-auth@openssh.com", "0");
    } else {
        wire_put_u32(&w, 3);
        put_pair(&w, "server-sig-algs", key_signature_names());
        put_pair(&w, "publickey-hostbound@openssh.com", "0");
        put_pair(&w, "ping@openssh.com", "0");
    }
    if (w.bad)
        return engine_fault(t, ERR_INTERNAL, "EXT_INFO outgrew its room");
    return tx_packet(t, wire_written(&w));
}

/* A list that is no list, or too long to keep, counts as none sent. */
static enum err keep_sig_algs(struct transport *t, struct bytes list)
{
    if (list.n == 0 || list.n > SIG_ALGS_MAX || !namelist_is_valid(list))
        return ERR_OK;
    free(t->sig_algs);
    t->sig_algs = engine_dup(t, list);
    t->sig_algs_n = t->sig_algs != NULL ? list.n : 0;
    return t->fault.code;
}

/* Straight after the first NEWKEYS; a client takes one more, which SUCCESS alone may follow (RFC
 * 8308 section 2.4; asyncssh CVE-2023-46445), and one before that where it said so. What a client
 * tells its server is of no use here. */
enum err ext_info_take(struct transport *t, struct bytes payload, bool is_straight)
{
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    struct msg_ext_info m;
    if (msg_ext_info_decode(&r, &m) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed EXT_INFO");
    if (!is_straight && !t->may_hear_in_auth)
        t->phase = PH_BEFORE_SUCCESS;
    else if (!is_straight)
        t->may_hear_in_auth = false;
    if (t->config.role == ROLE_SERVER)
        return ERR_OK;
    struct bytes name, value;
    while (msg_ext_info_next(&m, &name, &value)) {
        if (bytes_is(name, "publickey-hostbound@openssh.com") && bytes_is(value, "0"))
            auth_set_hostbound(t->auth, !t->config.signs_unbound);
        if (bytes_is(name, "server-sig-algs") && keep_sig_algs(t, value) != ERR_OK)
            return t->fault.code;
    }
    return ERR_OK;
}
