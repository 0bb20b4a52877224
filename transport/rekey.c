/* When new keys are due, and how long things may take.
 *
 * A rekey is started by bytes or packets under one key (at the next safe place: not between slots
 * that were given out), by time, or by call; never before login, and, of our own accord, never
 * without a packet since the last one. */
#include "transport/engine.h"

static bool may_rekey(const struct transport *t)
{
    return t->fault.code == ERR_OK && t->has_login && t->kex == NULL;
}

void rekey_count(
    struct transport *t, const struct packet_cipher *c, uint64_t bytes, uint64_t packets)
{
    uint64_t limit = packet_cipher_rekey_bytes(c);
    if (t->config.rekey_bytes != 0 && t->config.rekey_bytes < limit)
        limit = t->config.rekey_bytes;
    if (bytes >= limit || packets >= REKEY_PACKETS)
        t->is_rekey_due = true;
}

void rekey_if_due(struct transport *t)
{
    if (t->is_rekey_due && may_rekey(t))
        (void)kex_start(t);
}

void transport_rekey(struct transport *t)
{
    if (may_rekey(t))
        (void)kex_start(t);
}

bool transport_in_kex(const struct transport *t)
{
    return t->kex != NULL;
}

void rekey_began(struct transport *t)
{
    t->is_kex_clock_due = true; /* t->now_ms may be long ago */
    t->is_rekey_due = false;
}

void rekey_done(struct transport *t)
{
    uint64_t ms = t->config.rekey_ms;
    t->is_kex_clock_due = false;
    t->kex_deadline = NEVER;
    t->is_rekey_due = false;
    t->is_used = false;
    t->rekey_at = ms != 0 && t->now_ms < NEVER - ms ? t->now_ms + ms : NEVER;
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool rekeys_by_time(const struct transport *t)
{
    return may_rekey(t) && t->is_used;
}

uint64_t transport_deadline(const struct transport *t)
{
    if (t->fault.code != ERR_OK)
        return NEVER;
    if (t->is_kex_clock_due && t->config.kex_ms != 0)
        return t->now_ms; /* at once, to learn the time */
    uint64_t at = t->kex_deadline;
    if (!t->has_login)
        at = earlier(at, t->login_deadline);
    if (rekeys_by_time(t))
        at = earlier(at, t->rekey_at);
    return at;
}

static void start_kex_clock(struct transport *t)
{
    uint64_t ms = t->config.kex_ms;
    t->is_kex_clock_due = false;
    t->kex_deadline = ms != 0 && t->now_ms < NEVER - ms ? t->now_ms + ms : NEVER;
}

void transport_tick(struct transport *t, uint64_t now_ms)
{
    t->now_ms = now_ms;
    if (t->fault.code != ERR_OK)
        return;
    if (t->is_kex_clock_due)
        start_kex_clock(t);
    if (!t->has_login && now_ms >= t->login_deadline)
        (void)engine_fault(
            t, ERR_TIMEOUT, "login took longer than %g seconds", (double)t->config.login_ms / 1000);
    else if (now_ms >= t->kex_deadline)
        (void)engine_fault(t, ERR_TIMEOUT, "key exchange took longer than %g seconds",
            (double)t->config.kex_ms / 1000);
    else if (rekeys_by_time(t) && now_ms >= t->rekey_at)
        (void)kex_start(t);
}
