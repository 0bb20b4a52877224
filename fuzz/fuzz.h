/* What every fuzz target is: one function that is handed bytes and must come back. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A property that must hold for all inputs; abort() is what the fuzzer takes note of. Not assert(),
 * which a build may leave out. */
static inline void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

#endif
