/* Connections to aditd that have not logged in yet, and whether one more of them may come.
 *
 * sshd's MaxStartups 10:30:100, and a bound on what one place can take of it: whoever holds many
 * connections open without logging in turns himself away, not the others. And not even the others
 * at his place, where he holds them idly: those make room. */
#ifndef CLI_STRANGERS_H
#define CLI_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/rng.h"

enum {
    /* From 10 on 30 % of new ones are turned away, more and more of them, and from 100 all; but not
     * the first of a place until then. */
    STRANGERS_BEGIN = 10,
    STRANGERS_RATE = 30,
    STRANGERS_FULL = 100,
    STRANGERS_OF_A_PLACE = 20,
    /* A client's first words come in the same breath as its connection, or a round trip later; its
     * key exchange is done in seconds, if nobody has to type. */
    STRANGERS_SILENT_MS = 20,
    STRANGERS_SLOW_MS = 10 * 1000,
};

struct stranger {
    struct stranger *next, **at; /* at is NULL while it is in no list */
    uint8_t place[16];
    uint64_t since_ms;
    bool has_spoken; /* the caller's to set */
};

struct strangers {
    struct stranger *first;
    unsigned n;
};

/* Who makes room for a newcomer from his own place when there are many: the oldest there that is
 * silent still, else the oldest that is slow. NULL: nobody. */
struct stranger *strangers_idlest(const struct strangers *s, const char *address, uint64_t now_ms);
/* address is numeric. A place is an IPv4 address, or the 64 bits of an IPv6 network, within which
 * one machine may have any address. */
bool strangers_turn_away(const struct strangers *s, const char *address, struct rng *rng);
/* one is the caller's, zeroed, and stays where it is until it is removed. */
void strangers_add(struct strangers *s, struct stranger *one, const char *address, uint64_t now_ms);
/* Nothing happens to one that is in no list. */
void strangers_remove(struct strangers *s, struct stranger *one);

#endif
