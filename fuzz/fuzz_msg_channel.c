/* The messages of RFC 4254 and their type-specific parts. */
#include "fuzz/again.h"

enum {
    PART_TCPIP_OPEN = 200,
    PART_TCPIP_FORWARD,
    PART_PTY_REQ,
    PART_WINDOW_CHANGE,
    PART_EXIT_SIGNAL,
};

AGAIN(global_request)
AGAIN(channel_open)
AGAIN(open_confirmation)
AGAIN(open_failure)
AGAIN(window_adjust)
AGAIN(channel_data)
AGAIN(extended_data)
AGAIN(channel_request)
AGAIN(pty_req)
AGAIN(window_change)
AGAIN(exit_signal)
AGAIN_NUMBERED(channel_id)

static enum err again_tcpip_open(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_tcpip_open m;
    enum err e = msg_tcpip_open_decode(r, &m);
    (void)number;
    if (e != ERR_OK)
        return e;
    fuzz_require(m.port <= 65535 && m.from_port <= 65535);
    msg_tcpip_open_encode(w, &m);
    return ERR_OK;
}

static enum err again_tcpip_forward(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_tcpip_forward m;
    enum err e = msg_tcpip_forward_decode(r, &m);
    (void)number;
    if (e != ERR_OK)
        return e;
    fuzz_require(m.port <= 65535);
    msg_tcpip_forward_encode(w, &m);
    return ERR_OK;
}

static const struct again table[256] = {
    [MSG_GLOBAL_REQUEST] = {.run = again_global_request},
    [MSG_CHANNEL_OPEN] = {.run = again_channel_open},
    [MSG_CHANNEL_OPEN_CONFIRMATION] = {.run = again_open_confirmation},
    [MSG_CHANNEL_OPEN_FAILURE] = {.run = again_open_failure, .drops_tail = true},
    [MSG_CHANNEL_WINDOW_ADJUST] = {.run = again_window_adjust},
    [MSG_CHANNEL_DATA] = {.run = again_channel_data},
    [MSG_CHANNEL_EXTENDED_DATA] = {.run = again_extended_data},
    [MSG_CHANNEL_EOF] = {.run = again_channel_id},
    [MSG_CHANNEL_CLOSE] = {.run = again_channel_id},
    [MSG_CHANNEL_REQUEST] = {.run = again_channel_request},
    [MSG_CHANNEL_SUCCESS] = {.run = again_channel_id},
    [MSG_CHANNEL_FAILURE] = {.run = again_channel_id},
    [PART_TCPIP_OPEN] = {.run = again_tcpip_open, .is_part = true},
    [PART_TCPIP_FORWARD] = {.run = again_tcpip_forward, .is_part = true},
    [PART_PTY_REQ] = {.run = again_pty_req, .is_part = true},
    [PART_WINDOW_CHANGE] = {.run = again_window_change, .is_part = true},
    [PART_EXIT_SIGNAL] = {.run = again_exit_signal, .is_part = true, .drops_tail = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    again_check(table, data, n);
    return 0;
}
