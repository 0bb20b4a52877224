/* Which message may come now: the one table (role, receive phase) x message number.
 *
 * A receive phase says where the peer is. It may send data until *its* KEXINIT: only that enters a
 * REKEY phase (RFC 4253 section 7.1); its NEWKEYS leaves it. */
#ifndef TRANSPORT_PHASE_H
#define TRANSPORT_PHASE_H

#include <stdint.h>

#include "transport/transport.h"

enum phase {
    PH_HELLO = 1 << 0,   /* until its first KEXINIT */
    PH_KEX = 1 << 1,     /* first exchange, its share is awaited */
    PH_KEX_END = 1 << 2, /* ... its NEWKEYS is */
    PH_STRICT = 1 << 3,  /* the same two in strict key exchange */
    PH_STRICT_END = 1 << 4,
    PH_KEYED = 1 << 5,          /* straight after its first NEWKEYS: one packet long */
    PH_AUTH = 1 << 6,           /* until SUCCESS */
    PH_BEFORE_SUCCESS = 1 << 7, /* client: after an EXT_INFO that only SUCCESS may follow */
    PH_OPEN = 1 << 8,           /* logged in */
    PH_REKEY = 1 << 9,          /* a later exchange, its share is awaited */
    PH_REKEY_END = 1 << 10,
    /* Where group exchange (RFC 4419) stands instead of in KEX, STRICT and REKEY: first its request
     * resp. its group is awaited, then its share. */
    PH_GEX = 1 << 11,
    PH_GEX_SHARE = 1 << 12,
    PH_STRICT_GEX = 1 << 13,
    PH_STRICT_GEX_SHARE = 1 << 14,
    PH_REKEY_GEX = 1 << 15,
    PH_REKEY_GEX_SHARE = 1 << 16,
    /* Where the four REKEY phases stand for a peer that goes on talking in them: quirks.c. */
    PH_LOOSE = 1 << 17,
    PH_LOOSE_END = 1 << 18,
    PH_LOOSE_GEX = 1 << 19,
    PH_LOOSE_GEX_SHARE = 1 << 20,
};
enum {
    PH_N = 21,
    PH_ALL = (1 << PH_N) - 1,
    PH_ANY_GEX = PH_GEX | PH_STRICT_GEX | PH_REKEY_GEX | PH_LOOSE_GEX,
    /* Where anything of the connection protocol (80 to 127) may come. */
    PH_TALK = PH_OPEN | PH_LOOSE | PH_LOOSE_END | PH_LOOSE_GEX | PH_LOOSE_GEX_SHARE,
};

enum verdict {
    VERDICT_REFUSE = 0,    /* end the connection */
    VERDICT_TAKE,          /* handle it */
    VERDICT_UNIMPLEMENTED, /* nobody knows the number: say so (RFC 4253 section 11.4) */
};

enum verdict phase_judge(enum role role, enum phase phase, uint8_t number);

/* For messages to people: "during key exchange". */
const char *phase_text(enum phase phase);

#endif
