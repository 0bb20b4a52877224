#include "proto/msg.h"

static const char *const names[256] = {
    [MSG_DISCONNECT] = "DISCONNECT",
    [MSG_IGNORE] = "IGNORE",
    [MSG_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [MSG_DEBUG] = "DEBUG",
    [MSG_SERVICE_REQUEST] = "SERVICE_REQUEST",
    [MSG_SERVICE_ACCEPT] = "SERVICE_ACCEPT",
    [MSG_EXT_INFO] = "EXT_INFO",
    [MSG_KEXINIT] = "KEXINIT",
    [MSG_NEWKEYS] = "NEWKEYS",
    [MSG_KEX_ECDH_INIT] = "KEX_ECDH_INIT",
    [MSG_KEX_ECDH_REPLY] = "KEX_ECDH_REPLY",
    [MSG_KEX_GEX_INIT] = "KEX_DH_GEX_INIT",
    [MSG_KEX_GEX_REPLY] = "KEX_DH_GEX_REPLY",
    [MSG_KEX_GEX_REQUEST] = "KEX_DH_GEX_REQUEST",
    [MSG_USERAUTH_REQUEST] = "USERAUTH_REQUEST",
    [MSG_USERAUTH_FAILURE] = "USERAUTH_FAILURE",
    [MSG_USERAUTH_SUCCESS] = "USERAUTH_SUCCESS",
    [MSG_USERAUTH_BANNER] = "USERAUTH_BANNER",
    [MSG_USERAUTH_60] = "USERAUTH_60",
    [MSG_USERAUTH_INFO_RESPONSE] = "USERAUTH_INFO_RESPONSE",
    [MSG_GLOBAL_REQUEST] = "GLOBAL_REQUEST",
    [MSG_REQUEST_SUCCESS] = "REQUEST_SUCCESS",
    [MSG_REQUEST_FAILURE] = "REQUEST_FAILURE",
    [MSG_CHANNEL_OPEN] = "CHANNEL_OPEN",
    [MSG_CHANNEL_OPEN_CONFIRMATION] = "CHANNEL_OPEN_CONFIRMATION",
    [MSG_CHANNEL_OPEN_FAILURE] = "CHANNEL_OPEN_FAILURE",
    [MSG_CHANNEL_WINDOW_ADJUST] = "CHANNEL_WINDOW_ADJUST",
    [MSG_CHANNEL_DATA] = "CHANNEL_DATA",
    [MSG_CHANNEL_EXTENDED_DATA] = "CHANNEL_EXTENDED_DATA",
    [MSG_CHANNEL_EOF] = "CHANNEL_EOF",
    [MSG_CHANNEL_CLOSE] = "CHANNEL_CLOSE",
    [MSG_CHANNEL_REQUEST] = "CHANNEL_REQUEST",
    [MSG_CHANNEL_SUCCESS] = "CHANNEL_SUCCESS",
    [MSG_CHANNEL_FAILURE] = "CHANNEL_FAILURE",
    [MSG_PING] = "PING",
    [MSG_PONG] = "PONG",
};

/* The answer is static, so the names of the nameless are spelt out: ten by ten, 0 to 259. */
#define TEN(tens)                                                                                  \
    "message " #tens "0", "message " #tens "1", "message " #tens "2", "message " #tens "3",        \
        "message " #tens "4", "message " #tens "5", "message " #tens "6", "message " #tens "7",    \
        "message " #tens "8", "message " #tens "9"

static const char *const numbers[260] = {
    TEN(),
    TEN(1),
    TEN(2),
    TEN(3),
    TEN(4),
    TEN(5),
    TEN(6),
    TEN(7),
    TEN(8),
    TEN(9),
    TEN(10),
    TEN(11),
    TEN(12),
    TEN(13),
    TEN(14),
    TEN(15),
    TEN(16),
    TEN(17),
    TEN(18),
    TEN(19),
    TEN(20),
    TEN(21),
    TEN(22),
    TEN(23),
    TEN(24),
    TEN(25),
};

const char *msg_name(uint8_t number)
{
    return names[number] != NULL ? names[number] : numbers[number];
}
