/* For the tests of sntrup761: whatever has inner loops runs with all of them. */
#ifndef TESTS_UNIT_CRYPTO_EACH_LOOPS_H
#define TESTS_UNIT_CRYPTO_EACH_LOOPS_H

#include "crypto/sntrup761_parts.h"

/* Runs the statement with every set of loops that this processor has. */
#define EACH_LOOPS(loops)                                                                          \
    for (size_t at = 0; sntrup_loops_at(at) != NULL; at++)                                         \
        for (const struct sntrup_loops *loops = sntrup_loops_at(at);                               \
             loops != NULL && loops->is_supported(); loops = NULL)

#endif
