/* An input is a byte that picks a cipher and MAC, a byte that picks a place to damage, and bytes
 * that serve twice: as a payload, which must come back from sealing and opening, and as a packet
 * off the wire, which must be refused. */
#include <string.h>

#include "crypto/packet_cipher.h"
#include "crypto/rng.h"
#include "fuzz/fuzz.h"

enum { MAX_PAYLOAD = 2048, ROOM = MAX_PAYLOAD + 256 };

static const char *const formats[][2] = {
    {"chacha20-poly1305@openssh.com", ""},
    {"aes128-gcm@openssh.com", ""},
    {"aes256-gcm@openssh.com", ""},
    {"aes128-ctr", "hmac-sha2-256-etm@openssh.com"},
    {"aes192-ctr", "hmac-sha2-512-etm@openssh.com"},
    {"aes128-ctr", "hmac-sha2-256"},
    {"aes256-ctr", "hmac-sha2-512"},
    {"aes128-ctr", "umac-128-etm@openssh.com"},
    {"aes256-ctr", "umac-64@openssh.com"},
};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

static struct packet_cipher *make(size_t i)
{
    static const uint8_t key[64] = {1, 2, 3};
    struct bytes cipher = bytes_of(formats[i][0]), mac = bytes_of(formats[i][1]);
    struct packet_cipher_needs needs;
    fuzz_require(packet_cipher_needs(cipher, mac, &needs) == ERR_OK);
    return packet_cipher_new(cipher, mac, (struct bytes){key, needs.key_bytes},
        (struct bytes){key, needs.iv_bytes}, (struct bytes){key, needs.mac_key_bytes});
}

static uint32_t build(const struct packet_cipher *c, struct bytes payload, uint8_t *p)
{
    size_t block = packet_cipher_block(c);
    size_t counted = 1 + payload.n + (packet_cipher_length_is_outside(c) ? 0 : 4);
    size_t padding = 2 * block - counted % block;
    uint32_t n = (uint32_t)(1 + payload.n + padding);
    store_be32(p, n);
    p[4] = (uint8_t)padding;
    memcpy(p + 5, payload.p, payload.n);
    memset(p + 5 + payload.n, 0, padding);
    return n;
}

static void round_trip(size_t i, struct bytes payload, uint8_t damage)
{
    uint8_t plain[ROOM], p[ROOM];
    struct packet_cipher *tx = make(i), *rx = make(i);
    fuzz_require(tx != NULL && rx != NULL);
    uint32_t n = build(tx, payload, plain);
    memcpy(p, plain, sizeof p);
    packet_cipher_seal(tx, 1, p, n);
    fuzz_require(packet_cipher_open_length(rx, 1, p) == n);
    fuzz_require(packet_cipher_open(rx, 1, p, n) == ERR_OK);
    fuzz_require(memcmp(p, plain, 4 + (size_t)n) == 0);

    packet_cipher_seal(tx, 2, p, n);
    p[damage % (4 + n + packet_cipher_tag(tx))] ^= 1;
    fuzz_require(packet_cipher_open(rx, 2, p, n) == ERR_MAC);
    packet_cipher_free(tx);
    packet_cipher_free(rx);
}

/* What the caller checks before it opens: room for all of it, whole blocks. */
static void off_the_wire(size_t i, struct bytes wire)
{
    uint8_t p[ROOM];
    struct packet_cipher *rx = make(i);
    fuzz_require(rx != NULL);
    memcpy(p, wire.p, wire.n);
    size_t outer = 4 + packet_cipher_tag(rx), block = packet_cipher_block(rx);
    if (wire.n >= packet_cipher_lead(rx))
        (void)packet_cipher_open_length(rx, 0, p);
    if (wire.n >= outer + block) {
        size_t n = wire.n - outer;
        n -= (n + (packet_cipher_length_is_outside(rx) ? 0 : 4)) % block;
        fuzz_require(packet_cipher_open(rx, 0, p, (uint32_t)n) == ERR_MAC);
    }
    packet_cipher_free(rx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_require(crypto_init());
    if (n < 2 || n - 2 > MAX_PAYLOAD)
        return 0;
    size_t i = data[0] % N_FORMATS;
    struct bytes rest = {data + 2, n - 2};
    round_trip(i, rest, data[1]);
    off_the_wire(i, rest);
    return 0;
}
