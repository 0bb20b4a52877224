/* A transport engine against any peer: what both targets of it share.
 *
 * The first byte of the input picks where the engine stands (low three bits) and how it is spoken
 * to, the second how the bytes are cut, or policy's answers:
 *
 *     0 from the start        3 logged in                       6 logged in, zlib
 *     1 behind NEWKEYS        4 logged in, our KEXINIT is out   7 as 4, and zlib
 *     2 in user authentication     5 in an exchange of the peer's
 *
 * Bits 4 and 5 pick the key exchange: curve25519-sha256, diffie-hellman-group14-sha256,
 * diffie-hellman-group-exchange-sha256, diffie-hellman-group16-sha512.
 *
 * Bit 6 makes the peer one that may talk on in a rekey (transport/quirks.c). At the start its
 * version line alone says that.
 *
 * Anywhere but at the start crypto is off: the cipher is "none", until an exchange is finished.
 * With bit 3 of the first byte the rest is a row of turns (turns.h) whose payloads become
 * well-formed packets, and whose other byte picks a call of ours; without it, it is the peer's
 * bytes as such. */
#ifndef FUZZ_TRANSPORT_RUN_H
#define FUZZ_TRANSPORT_RUN_H

#include "transport/transport.h"

int transport_run(enum role role, struct bytes input);

#endif
