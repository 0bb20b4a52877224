/* The transport as a client has it, against any server; see transport_run.h for the input. */
#include "fuzz/fuzz.h"
#include "fuzz/transport_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return transport_run(ROLE_CLIENT, (struct bytes){data, n});
}
