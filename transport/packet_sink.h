/* Where the layer above puts its packets: the only thing channel/ needs of transport/, so that two
 * multiplexers can be tested against each other with no crypto between them.
 *
 * Payloads start with their message number. A slot is engine memory, valid until the next call on
 * the engine; a slot that is not committed is simply dropped. */
#ifndef TRANSPORT_PACKET_SINK_H
#define TRANSPORT_PACKET_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_sink {
    void *engine;
    /* Room for one bulk payload of payload_bytes, supposing that nth payloads of that very size are
     * committed before it. So slots 0..k-1 can be filled by one readv() and committed in order, the
     * last of them shorter. NULL when output is congested, when a key exchange is under way, or
     * (for nth > 0) when the engine has no such place: take what you have, come back later. */
    uint8_t *(*data_slot)(void *engine, size_t payload_bytes, unsigned nth);
    /* Room for one payload that must not wait for congestion (replies, credit, EOF, CLOSE). During
     * a key exchange it is held back and sent in order after it. NULL only after a fault: what a
     * peer can make us owe is bounded, past the bound the connection ends. */
    uint8_t *(*control_slot)(void *engine, size_t payload_bytes);
    /* Sends the first payload_bytes of the slot last given (for data slots: of the next in order).
     */
    void (*commit)(void *engine, size_t payload_bytes);
    /* True while bulk data should wait; data_slot gives NULL then. */
    bool (*congested)(void *engine);
};

#endif
