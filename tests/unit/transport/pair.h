/* Two engines back to back in memory: a client that trusts and logs in with one key, a server that
 * lets it in, and everything that may go between them wrong on request. */
#ifndef TESTS_UNIT_TRANSPORT_PAIR_H
#define TESTS_UNIT_TRANSPORT_PAIR_H

#include "crypto/rng.h"
#include "tests/unit/unit.h"
#include "transport/engine.h"

enum { PAIR_LOG = 4096 };

struct side {
    struct transport *t;
    struct rng rng;
    char log[PAIR_LOG]; /* one letter an event, see pair.c; packets are only counted */
    size_t n_log;
    uint64_t n_packets, n_payload_bytes;
    struct hash digest;   /* over all PACKET payloads with their lengths */
    bool refuses_reading; /* takes nothing from the wire */
    bool is_gone;         /* DISCONNECTED was given */
    /* Sees each PACKET; may be NULL. */
    void (*on_packet)(struct side *s, struct transport_event *event);
    void *context;
};

struct pair {
    struct side client, server;
    struct private_key *host, *user;
    const struct private_key *host_list[2];
    struct transport_config client_config, server_config;
    uint64_t now_ms;
    uint64_t cuts; /* 0: as much as fits; 1: byte by byte; else the seed of random pieces */
    bool holds_host_key, holds_auth; /* decisions are left to the test */
    uint8_t *tape[2];                /* everything that went client to server, server to client */
    size_t n_tape[2];
    bool has_tape;
};

/* Fills *p: configs with defaults, to be changed before pair_open(). */
void pair_init(struct pair *p);
/* Makes both engines. */
void pair_open(struct pair *p);
/* pair_open(), and on until both are logged in (asserted). */
void pair_login(struct pair *p);
void pair_close(struct pair *p);

/* Moves bytes both ways and takes events, until nothing moves. */
void pair_run(struct pair *p);
/* Moves at most max bytes from one to the other and takes the other's events; returns how many. */
size_t pair_move(struct pair *p, struct side *from, struct side *to, size_t max);
/* Hands bytes of the test's own to one side (in one read) and takes its events. */
void pair_feed(struct pair *p, struct side *to, struct bytes b);
void pair_events(struct pair *p, struct side *s);

/* Sends a CHANNEL_DATA-like payload of n bytes with this fill; false when congested. */
bool pair_data(struct side *s, size_t n, uint8_t fill);
/* A payload as a hostile peer would: sealed at once, whatever the phase. */
void pair_rogue(struct side *s, struct bytes payload);

/* Has the side not offered strict key exchange: to be called right after pair_open(). */
void pair_drop_strict(struct side *s);
/* Writes over the KEXINIT that waits in a side's output, and its own copy: n bytes at offset. */
void pair_patch_kexinit(struct side *s, size_t offset, const void *bytes, size_t n);

/* The same for one of its name-lists, by one of the same length. */
void pair_patch_list(struct side *s, enum kexinit_list list, const char *names);

/* Fault's code of a side. */
enum err pair_err(const struct side *s);
bool pair_both_open(const struct pair *p);

#endif
