/* The messages of the agent protocol. What follows the name of session-bind gets a free number. */
#include "fuzz/again.h"
#include "proto/agent.h"

enum { PART_SESSION_BIND = 200 };

AGAIN(agent_sign_request)
AGAIN(agent_sign_response)
AGAIN(agent_extension)
AGAIN(agent_session_bind)

/* The count is exactly that of the keys which can be walked. */
static enum err again_identities(uint8_t number, struct wire_reader *r, struct wire_writer *w)
{
    struct msg_agent_identities m;
    struct bytes key, comment;
    enum err e = msg_agent_identities_decode(r, &m);
    (void)number;
    if (e != ERR_OK)
        return e;
    msg_agent_identities_encode(w, &m);
    uint32_t n = 0, n_keys = m.n_keys;
    while (msg_agent_identities_next(&m, &key, &comment))
        n++;
    fuzz_require(n == n_keys && wire_done(&m.keys));
    return ERR_OK;
}

static const struct again table[256] = {
    [AGENT_IDENTITIES_ANSWER] = {.run = again_identities},
    [AGENT_SIGN_REQUEST] = {.run = again_agent_sign_request},
    [AGENT_SIGN_RESPONSE] = {.run = again_agent_sign_response},
    [AGENT_EXTENSION] = {.run = again_agent_extension},
    [PART_SESSION_BIND] = {.run = again_agent_session_bind, .is_part = true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    again_check(table, data, n);
    return 0;
}
