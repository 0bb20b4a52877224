/* The multiplexer as a client has it: of the peer's opens it takes forwarded-tcpip alone, and it
 * answers every request at once. */
#include "fuzz/fuzz.h"
#include "fuzz/mux_run.h"

static void policy(struct mux *m, const struct mux_event *event)
{
    if (event->type == MUX_OPEN_REQUEST && !bytes_is(event->name, "forwarded-tcpip"))
        mux_refuse(m, event->chan, OPEN_ADMINISTRATIVELY_PROHIBITED, "not asked for");
    else if (event->type == MUX_OPEN_REQUEST)
        fuzz_require(mux_confirm(m, event->chan, mux_run_user()) == ERR_OK);
    else if (event->type == MUX_REQUEST)
        mux_reply(m, event->chan, false);
    else if (event->type == MUX_GLOBAL_REQUEST && event->want_reply)
        mux_global_reply(m, event->ticket, false, BYTES_LIT(""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return mux_run(ROLE_CLIENT, policy, (struct bytes){data, n});
}
