/* The messages of RFC 4252 and RFC 4256. Those that share number 60 get free ones here. */
#include "fuzz/again.h"

enum {
    PART_PUBLICKEY = 200,
    PART_HOSTBOUND,
    PART_PASSWORD,
    PART_PASSWD_CHANGEREQ,
    PART_INFO_REQUEST,
};

AGAIN(userauth_request)
AGAIN(auth_password)
AGAIN(userauth_failure)
AGAIN(userauth_banner)
AGAIN(userauth_pk_ok)

static enum err again_publickey(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_auth_publickey m;
    bool hostbound = number == PART_HOSTBOUND;
    enum err e = msg_auth_publickey_decode(r, hostbound, &m);
    if (e != ERR_OK)
        return e;
    fuzz_require(m.has_signature || m.signature.n == 0);
    fuzz_require(hostbound || m.host_key.n == 0);
    msg_auth_publickey_encode(w, hostbound, &m);
    return ERR_OK;
}

static enum err again_changereq(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_passwd_changereq m;
    enum err e = msg_passwd_changereq_decode(r, &m);
    (void)number;
    if (e != ERR_OK)
        return e;
    wire_put_string(w, m.prompt);
    wire_put_cstring(w, "");
    return ERR_OK;
}

/* The language tag stands in the middle: a body that has one is only walked. */
static enum err again_info_request(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_info_request m;
    struct bytes prompt;
    bool echo;
    size_t n_in = r->left;
    enum err e = msg_info_request_decode(r, &m);
    (void)number;
    if (e != ERR_OK)
        return e;
    bool has_language = 16 + m.name.n + m.instruction.n + m.prompts.left != n_in;
    uint32_t n_prompts = m.n_prompts;
    wire_put_string(w, m.name);
    wire_put_string(w, m.instruction);
    wire_put_cstring(w, "");
    wire_put_u32(w, n_prompts);
    while (msg_info_request_next(&m, &prompt, &echo)) {
        wire_put_string(w, prompt);
        wire_put_bool(w, echo);
        n_prompts--;
    }
    fuzz_require(n_prompts == 0 && wire_done(&m.prompts));
    return has_language ? ERR_MALFORMED : ERR_OK;
}

static const struct again table[256] = {
    [MSG_USERAUTH_REQUEST] = {.run = again_userauth_request},
    [MSG_USERAUTH_FAILURE] = {.run = again_userauth_failure},
    [MSG_USERAUTH_BANNER] = {.run = again_userauth_banner, .drops_tail = true},
    [MSG_USERAUTH_60] = {.run = again_userauth_pk_ok},
    [PART_PUBLICKEY] = {.run = again_publickey, .is_part = true},
    [PART_HOSTBOUND] = {.run = again_publickey, .is_part = true},
    [PART_PASSWORD] = {.run = again_auth_password, .is_part = true},
    [PART_PASSWD_CHANGEREQ] = {.run = again_changereq, .is_part = true, .drops_tail = true},
    [PART_INFO_REQUEST] = {.run = again_info_request, .is_part = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    again_check(table, data, n);
    return 0;
}
