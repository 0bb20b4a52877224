/* Packets under every cipher and every MAC, sealed and opened, a forged one too: keys, IVs and
 * plain text are secret. Public are what goes over the wire, and a length once it was read. */
#include <stdio.h>
#include <string.h>

#include "crypto/packet_cipher.h"
#include "proto/namelist.h"
#include "tests/ct/mark.h"

enum { LENGTH_MAX = 9008, ROOM = 4 + LENGTH_MAX + 64 }; /* more than one chunk of both passes */

static uint8_t packet[ROOM];

static struct packet_cipher *make(struct bytes cipher, struct bytes mac)
{
    static uint8_t keys[3][64];
    struct packet_cipher_needs n;
    if (packet_cipher_needs(cipher, mac, &n) != ERR_OK)
        return NULL;
    memset(keys, 0x3c, sizeof keys);
    ct_secret(keys, sizeof keys);
    return packet_cipher_new(cipher, mac, (struct bytes){keys[0], n.key_bytes},
        (struct bytes){keys[1], n.iv_bytes}, (struct bytes){keys[2], n.mac_key_bytes});
}

/* The peer's reading of it: the length first, which is believed from there on. */
static bool opens(struct packet_cipher *in, uint32_t seq, uint32_t length)
{
    uint32_t told = packet_cipher_open_length(in, seq, packet);
    ct_public(&told, sizeof told);
    return told == length && packet_cipher_open(in, seq, packet, told) == ERR_OK;
}

static bool run(struct packet_cipher *out, struct packet_cipher *in, uint32_t seq, uint32_t length)
{
    bool forged = seq == 2;
    memset(packet, 0x11, sizeof packet);
    store_be32(packet, length);
    ct_secret(packet + 4, length);
    packet_cipher_seal(out, seq, packet, length);
    ct_public(packet, sizeof packet);
    packet[4 + length / 2] ^= forged; /* behind the block with the length */
    bool good = opens(in, seq, length);
    return forged ? !good : good && ct_is_secret(packet + 4, length);
}

static int run_pair(struct bytes cipher, struct bytes mac)
{
    char name[128];
    struct packet_cipher *out = make(cipher, mac), *in = make(cipher, mac);
    uint32_t overhang = out != NULL && packet_cipher_length_is_outside(out) ? 0 : 4;
    bool ok = out != NULL && in != NULL && run(out, in, 0, 48 - overhang) &&
              run(out, in, 1, LENGTH_MAX - overhang) && run(out, in, 2, 512 - overhang);
    packet_cipher_free(out);
    packet_cipher_free(in);
    snprintf(name, sizeof name, "%.*s %.*s", (int)cipher.n, (const char *)cipher.p, (int)mac.n,
        (const char *)mac.p);
    return ct_report(name, ok);
}

int main(void)
{
    struct bytes ciphers = bytes_of(packet_cipher_names()), cipher, mac;
    int status = 0;
    ct_start("ct_packet");
    while (namelist_next(&ciphers, &cipher)) {
        struct bytes macs = bytes_of(packet_mac_names());
        if (packet_cipher_is_aead(cipher))
            status |= run_pair(cipher, (struct bytes){NULL, 0});
        else
            while (namelist_next(&macs, &mac))
                status |= run_pair(cipher, mac);
    }
    return status;
}
