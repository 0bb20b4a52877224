/* Every packet format: what comes out of the table, round trips, tampering, order, limits. */
#include "crypto/packet_cipher.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/packet_format.h"
#include "crypto/rng.h"
#include "proto/namelist.h"
#include "tests/unit/unit.h"

enum { ROOM = 4 + 256 * 1024 + 64 + 64 };
static uint8_t packet[ROOM], plain[ROOM];
static uint8_t keys[128];

/* Calls fn with each cipher and MAC that can be negotiated. */
static void for_each_format(void (*fn)(struct bytes cipher, struct bytes mac))
{
    struct bytes ciphers = bytes_of(packet_cipher_names());
    struct bytes cipher, mac;
    while (namelist_next(&ciphers, &cipher)) {
        struct bytes macs = bytes_of(packet_mac_names());
        while (namelist_next(&macs, &mac)) {
            fn(cipher, mac);
            if (packet_cipher_is_aead(cipher))
                break;
        }
    }
}

static struct packet_cipher *make(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher_needs needs;
    for (size_t i = 0; i < sizeof keys; i++)
        keys[i] = (uint8_t)(i * 13 + 5);
    CU_ASSERT_EQUAL_FATAL(packet_cipher_needs(cipher, mac, &needs), ERR_OK);
    struct packet_cipher *c = packet_cipher_new(cipher, mac, (struct bytes){keys, needs.key_bytes},
        (struct bytes){keys + 1, needs.iv_bytes}, (struct bytes){keys + 2, needs.mac_key_bytes});
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

/* Writes a packet with payload_n bytes of payload into plain; returns its packet_length. */
static uint32_t build(const struct packet_cipher *c, size_t payload_n)
{
    size_t block = packet_cipher_block(c);
    size_t counted = 1 + payload_n + (packet_cipher_length_is_outside(c) ? 0 : 4);
    size_t padding = block - counted % block;
    padding += padding < 4 ? block : 0;
    uint32_t n = (uint32_t)(1 + payload_n + padding);
    store_be32(plain, n);
    plain[4] = (uint8_t)padding;
    for (size_t i = 0; i < payload_n + padding; i++)
        plain[5 + i] = (uint8_t)(i * 7 + payload_n);
    return n;
}

static void seal(struct packet_cipher *c, uint32_t seq, uint32_t n)
{
    memcpy(packet, plain, 4 + (size_t)n);
    packet_cipher_seal(c, seq, packet, n);
}

static void round_trip(
    struct packet_cipher *tx, struct packet_cipher *rx, uint32_t seq, size_t payload_n)
{
    uint32_t n = build(tx, payload_n);
    seal(tx, seq, n);
    CU_ASSERT_EQUAL(packet_cipher_open_length(rx, seq, packet), n);
    CU_ASSERT_EQUAL(packet_cipher_open_length(rx, seq, packet), n); /* it changed nothing */
    CU_ASSERT_EQUAL(packet_cipher_open(rx, seq, packet, n), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(packet, plain, 4 + (size_t)n), 0);
}

static void round_trips(struct bytes cipher, struct bytes mac)
{
    static const size_t large[] = {1000, 8187, 8188, 8192, 8200, 32768, 65536, 256 * 1024};
    struct packet_cipher *tx = make(cipher, mac), *rx = make(cipher, mac);
    uint32_t seq = UINT32_MAX - 100; /* and across the wrap */
    for (size_t n = 0; n <= 300; n++)
        round_trip(tx, rx, seq++, n);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        round_trip(tx, rx, seq++, large[i]);
    packet_cipher_free(tx);
    packet_cipher_free(rx);
}

static void what_was_sealed_opens_at_every_length(void)
{
    for_each_format(round_trips);
}

/* Each flip is tried on a fresh object, since opening steps counters. */
static void flips(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher *tx = make(cipher, mac);
    uint32_t n = build(tx, 20);
    size_t total = 4 + n + packet_cipher_tag(tx);
    seal(tx, 3, n);
    static uint8_t sealed[512];
    memcpy(sealed, packet, total);
    for (size_t bit = 0; bit < total * 8; bit++) {
        struct packet_cipher *rx = make(cipher, mac);
        memcpy(packet, sealed, total);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_EQUAL(packet_cipher_open(rx, 3, packet, n), ERR_MAC);
        CU_ASSERT_NOT_EQUAL(memcmp(packet + 5, plain + 5, 16), 0); /* nothing got out */
        packet_cipher_free(rx);
    }
    packet_cipher_free(tx);
}

static void every_flipped_bit_is_refused(void)
{
    for_each_format(flips);
}

static void wrong_lengths(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher *tx = make(cipher, mac);
    uint32_t n = build(tx, 100);
    seal(tx, 3, n);
    static uint8_t sealed[512];
    memcpy(sealed, packet, 4 + n + packet_cipher_tag(tx));
    for (uint32_t other = 16 - 4; other < n + 64; other += 4) {
        struct packet_cipher *rx = make(cipher, mac);
        memcpy(packet, sealed, sizeof sealed);
        CU_ASSERT_EQUAL(packet_cipher_open(rx, 3, packet, other), other == n ? ERR_OK : ERR_MAC);
        packet_cipher_free(rx);
    }
    packet_cipher_free(tx);
}

static void another_length_than_the_sealed_one_is_refused(void)
{
    for_each_format(wrong_lengths);
}

/* A packet replayed, or after one that was dropped, or under another number. GCM has a counter of
 * its own and ignores the number; it too must refuse a replay. */
static void order(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher *tx = make(cipher, mac), *rx = make(cipher, mac);
    uint32_t n = build(tx, 10);
    seal(tx, 7, n);
    size_t total = 4 + n + packet_cipher_tag(tx);
    static uint8_t first[128];
    memcpy(first, packet, total);
    CU_ASSERT_EQUAL(packet_cipher_open(rx, 7, packet, n), ERR_OK);
    memcpy(packet, first, total);
    CU_ASSERT_EQUAL(packet_cipher_open(rx, 8, packet, n), ERR_MAC);
    packet_cipher_free(rx);

    rx = make(cipher, mac);
    seal(tx, 8, n); /* the second packet, received as the first */
    CU_ASSERT_EQUAL(packet_cipher_open(rx, 7, packet, n), ERR_MAC);
    packet_cipher_free(rx);
    packet_cipher_free(tx);
}

static void replayed_and_reordered_packets_are_refused(void)
{
    for_each_format(order);
}

static void the_edge(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher *tx = make(cipher, mac), *rx = make(cipher, mac);
    tx->n_packets = rx->n_packets = PACKET_CIPHER_MAX_PACKETS - 1;
    round_trip(tx, rx, 5, 40); /* the last one */
    uint32_t n = build(tx, 40);
    seal(tx, 6, n);
    for (size_t i = 0; i < 4 + n + packet_cipher_tag(tx); i++)
        CU_ASSERT_EQUAL(packet[i], 0); /* sent as zeros: no nonce is used twice */
    CU_ASSERT_EQUAL(packet_cipher_open(rx, 6, packet, n), ERR_MAC);
    packet_cipher_free(tx);
    packet_cipher_free(rx);
}

static void a_key_ends_after_2_to_the_32_packets(void)
{
    for_each_format(the_edge);
}

static void key_lengths(struct bytes cipher, struct bytes mac)
{
    struct packet_cipher_needs needs;
    CU_ASSERT_EQUAL(packet_cipher_needs(cipher, mac, &needs), ERR_OK);
    for (int which = 0; which < 3; which++)
        for (int d = -1; d <= 1; d += 2) {
            size_t n[3] = {needs.key_bytes, needs.iv_bytes, needs.mac_key_bytes};
            if (n[which] == 0 && d < 0)
                continue;
            n[which] += (size_t)d;
            CU_ASSERT_PTR_NULL(packet_cipher_new(cipher, mac, (struct bytes){keys, n[0]},
                (struct bytes){keys, n[1]}, (struct bytes){keys, n[2]}));
        }
}

static void keys_of_wrong_length_are_refused(void)
{
    for_each_format(key_lengths);
}

static void unknown_names_are_refused(void)
{
    static const char *const bad[] = {
        "", "none", "aes128-cbc", "aes128-ctr ", "3des-cbc", "chacha20-poly1305", "aes128-gcm"};
    struct packet_cipher_needs needs;
    struct bytes mac = BYTES_LIT("hmac-sha2-256");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(packet_cipher_needs(bytes_of(bad[i]), mac, &needs), ERR_UNSUPPORTED);
        CU_ASSERT_FALSE(packet_cipher_is_aead(bytes_of(bad[i])));
        CU_ASSERT_EQUAL(packet_cipher_needs(BYTES_LIT("aes128-ctr"), bytes_of(bad[i]), &needs),
            ERR_UNSUPPORTED);
    }
    /* An AEAD's MAC is not looked at. */
    CU_ASSERT_EQUAL(
        packet_cipher_needs(BYTES_LIT("aes128-gcm@openssh.com"), BYTES_LIT("hmac-md5"), &needs),
        ERR_OK);
    CU_ASSERT_EQUAL(needs.mac_key_bytes, 0);
}

static void the_formats_have_the_documented_shapes(void)
{
    static const struct {
        const char *cipher, *mac;
        size_t block, tag, lead;
        bool is_outside;
    } shapes[] = {
        {"chacha20-poly1305@openssh.com", "", 8, 16, 4, true},
        {"aes256-gcm@openssh.com", "", 16, 16, 4, true},
        {"aes192-ctr", "hmac-sha2-256-etm@openssh.com", 16, 32, 4, true},
        {"aes256-ctr", "hmac-sha2-512-etm@openssh.com", 16, 64, 4, true},
        {"aes128-ctr", "hmac-sha2-256", 16, 32, 16, false},
        {"aes128-ctr", "hmac-sha2-512", 16, 64, 16, false},
        {"aes192-ctr", "umac-128-etm@openssh.com", 16, 16, 4, true},
        {"aes256-ctr", "umac-64-etm@openssh.com", 16, 8, 4, true},
        {"aes128-ctr", "umac-128@openssh.com", 16, 16, 16, false},
        {"aes128-ctr", "umac-64@openssh.com", 16, 8, 16, false},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct packet_cipher *c = make(bytes_of(shapes[i].cipher), bytes_of(shapes[i].mac));
        CU_ASSERT_EQUAL(packet_cipher_block(c), shapes[i].block);
        CU_ASSERT_EQUAL(packet_cipher_tag(c), shapes[i].tag);
        CU_ASSERT_EQUAL(packet_cipher_lead(c), shapes[i].lead);
        CU_ASSERT_EQUAL(packet_cipher_length_is_outside(c), shapes[i].is_outside);
        CU_ASSERT_EQUAL(packet_cipher_rekey_bytes(c), (uint64_t)1 << (i == 0 ? 30 : 36));
        packet_cipher_free(c);
    }
}

static void none_changes_nothing_and_has_no_end(void)
{
    struct packet_cipher *c = packet_cipher_none();
    CU_ASSERT_EQUAL(packet_cipher_block(c), 8);
    CU_ASSERT_EQUAL(packet_cipher_tag(c), 0);
    CU_ASSERT_EQUAL(packet_cipher_lead(c), 4);
    CU_ASSERT_FALSE(packet_cipher_length_is_outside(c));
    for (size_t n = 0; n < 100; n++)
        round_trip(c, c, 0, n);
    CU_ASSERT_EQUAL(c->n_packets, 0);
    packet_cipher_free(c);
    packet_cipher_free(NULL);
}

/* PROTOCOL.chacha20poly1305 built a second time from RFC 8439's functions: its 96-bit nonce is four
 * zero bytes (the high half of the 64-bit block counter) and our 8. */
static void chacha20_poly1305_is_openssh_s_construction(void)
{
    struct packet_cipher *c = make(BYTES_LIT("chacha20-poly1305@openssh.com"), BYTES_LIT(""));
    uint32_t n = build(c, 200), seq = 0x01020304;
    uint8_t want[512], poly_key[32] = {0};
    uint8_t nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4};
    memcpy(want, plain, 4 + (size_t)n);
    crypto_stream_chacha20_ietf_xor_ic(want, want, 4, nonce, 0, keys + 32);
    crypto_stream_chacha20_ietf_xor_ic(want + 4, want + 4, n, nonce, 1, keys);
    crypto_stream_chacha20_ietf_xor_ic(poly_key, poly_key, 32, nonce, 0, keys);
    crypto_onetimeauth_poly1305(want + 4 + n, want, 4 + (size_t)n, poly_key);
    seal(c, seq, n);
    CU_ASSERT_EQUAL(memcmp(packet, want, 4 + (size_t)n + 16), 0);
    packet_cipher_free(c);
}

/* RFC 8439 sections 2.4.2 (start) and 2.5.2, so that the two functions above are what they say. */
static void chacha20_and_poly1305_give_the_published_values(void)
{
    static const char text[] = "Ladies and Gentlemen of the class of '99";
    uint8_t key[32], nonce[12] = {0, 0, 0, 0, 0, 0, 0, 0x4a}, out[40], want[40], tag[16];
    for (size_t i = 0; i < 32; i++)
        key[i] = (uint8_t)i;
    crypto_stream_chacha20_ietf_xor_ic(out, (const uint8_t *)text, 40, nonce, 1, key);
    unit_hex("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab",
        want, sizeof want);
    CU_ASSERT_EQUAL(memcmp(out, want, sizeof want), 0);
    unit_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b", key, 32);
    crypto_onetimeauth_poly1305(
        tag, (const uint8_t *)"Cryptographic Forum Research Group", 34, key);
    unit_hex("a8061dc1305136c6c22b8baf0c0127a9", want, 16);
    CU_ASSERT_EQUAL(memcmp(tag, want, 16), 0);
}

/* RFC 4253 section 6.4 and OpenSSH PROTOCOL section 1.5, from hmac_once() and AES-CTR by itself. */
static void the_mac_covers_number_and_packet_in_the_documented_order(void)
{
    static const char *const macs[] = {"hmac-sha2-256", "hmac-sha2-512-etm@openssh.com"};
    for (size_t i = 0; i < 2; i++) {
        struct packet_cipher *c = make(BYTES_LIT("aes128-ctr"), bytes_of(macs[i]));
        uint32_t n = build(c, 50);
        seal(c, 0x0a0b0c0d, n);
        uint8_t message[256] = {0x0a, 0x0b, 0x0c, 0x0d}, tag[HASH_MAX_BYTES];
        memcpy(message + 4, i == 0 ? plain : packet, 4 + (size_t)n);
        enum hash_id hash = i == 0 ? HASH_SHA256 : HASH_SHA512;
        hmac_once(hash, (struct bytes){keys + 2, hash_bytes(hash)},
            (struct bytes){message, 8 + (size_t)n}, tag);
        CU_ASSERT_EQUAL(memcmp(packet + 4 + n, tag, hash_bytes(hash)), 0);
        CU_ASSERT_EQUAL(memcmp(packet, plain, 4) == 0, i == 1); /* the length is plain with EtM */
        packet_cipher_free(c);
    }
}

/* RFC 5647 section 7.1: the last 8 bytes of the IV count packets; the first 4 stay. */
static void the_gcm_invocation_counter_carries_within_its_64_bits(void)
{
    static const char *const edges[][2] = {
        {"0102030400000000ffffffff", "010203040000000100000000"},
        {"01020304ffffffffffffffff", "010203040000000000000000"},
        {"0102030400000000000000ff", "010203040000000000000100"},
    };
    struct bytes cipher = BYTES_LIT("aes128-gcm@openssh.com"), none = {NULL, 0};
    for (size_t i = 0; i < 3; i++) {
        uint8_t before[12], after[12], second[64];
        struct bytes key = {keys, 16}, iv = {before, 12}, next = {after, 12};
        unit_hex(edges[i][0], before, 12);
        unit_hex(edges[i][1], after, 12);
        struct packet_cipher *a = packet_cipher_new(cipher, none, key, iv, none);
        struct packet_cipher *b = packet_cipher_new(cipher, none, key, next, none);
        CU_ASSERT_TRUE_FATAL(a != NULL && b != NULL);
        uint32_t n = build(a, 20);
        seal(a, 0, n);
        seal(a, 1, n);
        memcpy(second, packet, 4 + n + 16);
        seal(b, 1, n);
        CU_ASSERT_EQUAL(memcmp(second, packet, 4 + n + 16), 0);
        packet_cipher_free(a);
        packet_cipher_free(b);
    }
}

static const struct unit_test tests[] = {
    UNIT(what_was_sealed_opens_at_every_length),
    UNIT(every_flipped_bit_is_refused),
    UNIT(another_length_than_the_sealed_one_is_refused),
    UNIT(replayed_and_reordered_packets_are_refused),
    UNIT(a_key_ends_after_2_to_the_32_packets),
    UNIT(keys_of_wrong_length_are_refused),
    UNIT(unknown_names_are_refused),
    UNIT(the_formats_have_the_documented_shapes),
    UNIT(none_changes_nothing_and_has_no_end),
    UNIT(chacha20_poly1305_is_openssh_s_construction),
    UNIT(chacha20_and_poly1305_give_the_published_values),
    UNIT(the_gcm_invocation_counter_carries_within_its_64_bits),
    UNIT(the_mac_covers_number_and_packet_in_the_documented_order),
};

int main(void)
{
    return crypto_init() ? unit_main("packet_cipher", tests, sizeof tests / sizeof tests[0]) : 2;
}
