#include "cli/strangers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_BYTES = 16, NETWORK_BYTES = 8 };

static void place_of(const char *address, uint8_t place[PLACE_BYTES])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char bare[INET6_ADDRSTRLEN]; /* without the zone of a link-local address */
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(address, "%"), address);
    memset(place, 0, PLACE_BYTES);
    if (inet_pton(AF_INET, bare, place + sizeof mapped) == 1) {
        memcpy(place, mapped, sizeof mapped);
    } else if (inet_pton(AF_INET6, bare, place) == 1 && memcmp(place, mapped, sizeof mapped) != 0) {
        memset(place + NETWORK_BYTES, 0, PLACE_BYTES - NETWORK_BYTES);
    }
}

static unsigned count_of(const struct strangers *s, const char *address)
{
    uint8_t place[PLACE_BYTES];
    unsigned n = 0;
    place_of(address, place);
    for (const struct stranger *one = s->first; one != NULL; one = one->next)
        n += memcmp(one->place, place, sizeof place) == 0;
    return n;
}

/* Newer ones stand in front, so the last that is found is the oldest. */
struct stranger *strangers_idlest(const struct strangers *s, const char *address, uint64_t now_ms)
{
    struct stranger *silent = NULL, *slow = NULL;
    uint8_t place[PLACE_BYTES];
    if (s->n < STRANGERS_BEGIN)
        return NULL;
    place_of(address, place);
    for (struct stranger *one = s->first; one != NULL; one = one->next) {
        uint64_t age_ms = now_ms - one->since_ms;
        if (memcmp(one->place, place, sizeof place) != 0)
            continue;
        if (!one->has_spoken && age_ms >= STRANGERS_SILENT_MS)
            silent = one;
        if (age_ms >= STRANGERS_SLOW_MS)
            slow = one;
    }
    return silent != NULL ? silent : slow;
}

bool strangers_turn_away(const struct strangers *s, const char *address, struct rng *rng)
{
    unsigned n = count_of(s, address);
    if (s->n >= STRANGERS_FULL || n >= STRANGERS_OF_A_PLACE)
        return true;
    if (s->n < STRANGERS_BEGIN || n == 0)
        return false;
    unsigned percent = STRANGERS_RATE + (100 - STRANGERS_RATE) * (s->n - STRANGERS_BEGIN) /
                                            (STRANGERS_FULL - STRANGERS_BEGIN);
    uint8_t die[2];
    rng_bytes(rng, die, sizeof die);
    return (unsigned)(die[0] << 8 | die[1]) % 100 < percent;
}

void strangers_add(struct strangers *s, struct stranger *one, const char *address, uint64_t now_ms)
{
    place_of(address, one->place);
    one->since_ms = now_ms;
    one->next = s->first;
    if (one->next != NULL)
        one->next->at = &one->next;
    one->at = &s->first;
    s->first = one;
    s->n++;
}

void strangers_remove(struct strangers *s, struct stranger *one)
{
    if (one->at == NULL)
        return;
    *one->at = one->next;
    if (one->next != NULL)
        one->next->at = one->at;
    one->at = NULL;
    s->n--;
}
