/* The multiplexer as a server has it: opens and global requests wait for an answer of the calls',
 * which may come late, in another order, or never; data is consumed at once. */
#include "fuzz/fuzz.h"
#include "fuzz/mux_run.h"

static void policy(struct mux *m, const struct mux_event *event)
{
    if (event->type == MUX_OPEN_REQUEST && !bytes_is(event->name, "direct-tcpip"))
        mux_refuse(m, event->chan, OPEN_UNKNOWN_CHANNEL_TYPE, "unknown channel type");
    else if (event->type == MUX_DATA || event->type == MUX_EXTENDED)
        mux_consumed(m, event->chan, event->data.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return mux_run(ROLE_SERVER, policy, (struct bytes){data, n});
}
