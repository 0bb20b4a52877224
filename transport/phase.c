#include "transport/phase.h"

enum {
    PH_LENIENT_KEX = PH_KEX | PH_GEX | PH_GEX_SHARE | PH_KEX_END,
    PH_ANY_LOOSE = PH_LOOSE | PH_LOOSE_GEX | PH_LOOSE_GEX_SHARE | PH_LOOSE_END,
    PH_ANY_REKEY = PH_REKEY | PH_REKEY_GEX | PH_REKEY_GEX_SHARE | PH_REKEY_END | PH_ANY_LOOSE,
    /* What 30 to 34 mean depends on the method. */
    PH_SHARE = PH_KEX | PH_STRICT | PH_REKEY | PH_LOOSE,
    PH_ANY_GEX_SHARE = PH_GEX_SHARE | PH_STRICT_GEX_SHARE | PH_REKEY_GEX_SHARE | PH_LOOSE_GEX_SHARE,
    PH_ANY_END = PH_KEX_END | PH_STRICT_END | PH_REKEY_END | PH_LOOSE_END,
    PH_LOGIN = PH_KEYED | PH_AUTH,
    /* Strict key exchange allows nothing that is not part of it (OpenSSH PROTOCOL section 1.10).
     * Before the first KEXINIT it is not known yet; KEXINIT itself then looks back. */
    PH_CHATTER = PH_HELLO | PH_LENIENT_KEX | PH_LOGIN | PH_BEFORE_SUCCESS | PH_OPEN | PH_ANY_REKEY,
};

/* clang-format off */
#define BOTH_ROLES                                              \
    [MSG_DISCONNECT] = PH_ALL,                                  \
    [MSG_IGNORE] = PH_CHATTER,                                  \
    [MSG_UNIMPLEMENTED] = PH_CHATTER,                           \
    [MSG_DEBUG] = PH_CHATTER,                                   \
    [MSG_KEXINIT] = PH_HELLO | PH_LOGIN | PH_OPEN,              \
    [MSG_NEWKEYS] = PH_ANY_END,                                 \
    [MSG_GLOBAL_REQUEST] = PH_TALK,                             \
    [MSG_REQUEST_SUCCESS] = PH_TALK,                            \
    [MSG_REQUEST_FAILURE] = PH_TALK,                            \
    [MSG_CHANNEL_OPEN] = PH_TALK,                               \
    [MSG_CHANNEL_OPEN_CONFIRMATION] = PH_TALK,                  \
    [MSG_CHANNEL_OPEN_FAILURE] = PH_TALK,                       \
    [MSG_CHANNEL_WINDOW_ADJUST] = PH_TALK,                      \
    [MSG_CHANNEL_DATA] = PH_TALK,                               \
    [MSG_CHANNEL_EXTENDED_DATA] = PH_TALK,                      \
    [MSG_CHANNEL_EOF] = PH_TALK,                                \
    [MSG_CHANNEL_CLOSE] = PH_TALK,                              \
    [MSG_CHANNEL_REQUEST] = PH_TALK,                            \
    [MSG_CHANNEL_SUCCESS] = PH_TALK,                            \
    [MSG_CHANNEL_FAILURE] = PH_TALK,                            \
    [MSG_PING] = PH_LOGIN | PH_OPEN, /* offered in EXT_INFO, so legal from then on */ \
    [MSG_PONG] = PH_OPEN
/* clang-format on */

/* What a client may receive; a missing row means disconnect. */
static const uint32_t client_accepts[256] = {
    BOTH_ROLES,
    [MSG_KEX_ECDH_REPLY] = PH_SHARE | PH_ANY_GEX, /* as GEX_GROUP */
    [MSG_KEX_GEX_REPLY] = PH_ANY_GEX_SHARE,
    [MSG_SERVICE_ACCEPT] = PH_LOGIN,
    [MSG_EXT_INFO] = PH_LOGIN, /* RFC 8308 section 2.4; the last one leads to BEFORE_SUCCESS */
    [MSG_USERAUTH_FAILURE] = PH_AUTH,
    [MSG_USERAUTH_SUCCESS] = PH_AUTH | PH_BEFORE_SUCCESS,
    [MSG_USERAUTH_BANNER] = PH_AUTH,
    [MSG_USERAUTH_60] = PH_AUTH,
};

static const uint32_t server_accepts[256] = {
    BOTH_ROLES,
    [MSG_KEX_ECDH_INIT] = PH_SHARE, /* in a GEX: RFC 4419's old request, which nobody sends now */
    [MSG_KEX_GEX_REQUEST] = PH_ANY_GEX,
    [MSG_KEX_GEX_INIT] = PH_ANY_GEX_SHARE,
    [MSG_SERVICE_REQUEST] = PH_LOGIN,
    [MSG_EXT_INFO] = PH_KEYED,
    /* After SUCCESS further requests are silently ignored: RFC 4252 section 5.1. */
    [MSG_USERAUTH_REQUEST] = PH_AUTH | PH_OPEN,
    [MSG_USERAUTH_INFO_RESPONSE] = PH_AUTH,
};

/* Where a number that no row knows is answered instead of refused. While the peer is in a key
 * exchange that holds for 1..49 alone: RFC 4253 section 7.1. */
static uint32_t unknown_answered(uint8_t number)
{
    if (number == 0) /* RFC 4250 section 4.1.1: numbers start at 1 */
        return 0;
    if (number < 50)
        return PH_LENIENT_KEX | PH_LOGIN | PH_OPEN | PH_ANY_REKEY;
    if (number >= 80 && number < 128) /* never looked at before login */
        return PH_OPEN;
    return PH_LOGIN | PH_OPEN;
}

enum verdict phase_judge(enum role role, enum phase phase, uint8_t number)
{
    uint32_t accepted = role == ROLE_CLIENT ? client_accepts[number] : server_accepts[number];
    if (accepted & phase)
        return VERDICT_TAKE;
    bool is_known = client_accepts[number] != 0 || server_accepts[number] != 0;
    return !is_known && (unknown_answered(number) & phase) ? VERDICT_UNIMPLEMENTED : VERDICT_REFUSE;
}

const char *phase_text(enum phase phase)
{
    switch (phase) {
    case PH_HELLO:
    case PH_KEX:
    case PH_GEX:
    case PH_GEX_SHARE:
    case PH_KEX_END:
    case PH_STRICT:
    case PH_STRICT_GEX:
    case PH_STRICT_GEX_SHARE:
    case PH_STRICT_END: return "during key exchange";
    case PH_KEYED:
    case PH_AUTH:
    case PH_BEFORE_SUCCESS: return "during login";
    case PH_OPEN: return "after login";
    case PH_REKEY:
    case PH_REKEY_GEX:
    case PH_REKEY_GEX_SHARE:
    case PH_REKEY_END:
    case PH_LOOSE:
    case PH_LOOSE_GEX:
    case PH_LOOSE_GEX_SHARE:
    case PH_LOOSE_END: return "during a renewed key exchange";
    }
    return "now";
}
