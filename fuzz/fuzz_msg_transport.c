/* The messages of RFC 4253, RFC 8308, and PING and PONG. */
#include "fuzz/again.h"

AGAIN(disconnect)
AGAIN(ignore)
AGAIN(debug)
AGAIN(unimplemented)
AGAIN(kexinit)
AGAIN_NUMBERED(ecdh_init)
AGAIN_NUMBERED(ecdh_reply)
AGAIN(gex_request)
AGAIN(gex_group)
AGAIN_NUMBERED(service)
AGAIN_NUMBERED(ping)

/* EXT_INFO is encoded where it is sent; here from its pairs, which must all come out again. */
static enum err again_ext_info(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_ext_info m;
    struct bytes name, value;
    enum err e = msg_ext_info_decode(r, &m);
    if (e != ERR_OK)
        return e;
    uint32_t n_pairs = m.n_left;
    wire_put_u8(w, number);
    wire_put_u32(w, n_pairs);
    while (msg_ext_info_next(&m, &name, &value)) {
        wire_put_string(w, name);
        wire_put_string(w, value);
        n_pairs--;
    }
    fuzz_require(n_pairs == 0 && wire_done(&m.pairs));
    return ERR_OK;
}

/* One number, two messages: no bytes are both. */
static enum err again_31(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct wire_reader copy = *r;
    enum err e = again_ecdh_reply(number, r, w);
    if (e == ERR_OK) {
        struct msg_gex_group m;
        fuzz_require(msg_gex_group_decode(&copy, &m) != ERR_OK);
        return ERR_OK;
    }
    *r = copy;
    return again_gex_group(number, r, w);
}

static const struct again table[256] = {
    [MSG_DISCONNECT] = {.run = again_disconnect, .drops_tail = true},
    [MSG_IGNORE] = {.run = again_ignore},
    [MSG_UNIMPLEMENTED] = {.run = again_unimplemented},
    [MSG_DEBUG] = {.run = again_debug, .drops_tail = true},
    [MSG_SERVICE_REQUEST] = {.run = again_service},
    [MSG_SERVICE_ACCEPT] = {.run = again_service},
    [MSG_EXT_INFO] = {.run = again_ext_info},
    [MSG_KEXINIT] = {.run = again_kexinit, .drops_tail = true},
    [MSG_KEX_ECDH_INIT] = {.run = again_ecdh_init},
    [MSG_KEX_ECDH_REPLY] = {.run = again_31},
    [MSG_KEX_GEX_INIT] = {.run = again_ecdh_init},
    [MSG_KEX_GEX_REPLY] = {.run = again_ecdh_reply},
    [MSG_KEX_GEX_REQUEST] = {.run = again_gex_request},
    [MSG_PING] = {.run = again_ping},
    [MSG_PONG] = {.run = again_ping},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    again_check(table, data, n);
    return 0;
}
