/* What sealing and opening packets costs, and nothing else: adit's own packet ciphers, in memory.
 *
 *     aead PACKET_BYTES TOTAL_BYTES    prints a line for each: name, "seal" or "open", CPU s per GB
 */
#include "crypto/packet_cipher.h"
#include "crypto/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 8, ROOM = 64, MAX_PACKET = 256 * 1024, KEY_MAX = 128, PADDING = 4 };

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct packet_cipher *new_cipher(const char *name)
{
    static const uint8_t key[KEY_MAX] = {1, 2, 3};
    struct packet_cipher_needs needs;
    struct packet_cipher *c = NULL;
    if (packet_cipher_needs(bytes_of(name), bytes_of(""), &needs) == ERR_OK &&
        needs.key_bytes <= KEY_MAX && needs.iv_bytes <= KEY_MAX)
        c = packet_cipher_new(bytes_of(name), bytes_of(""), (struct bytes){key, needs.key_bytes},
            (struct bytes){key, needs.iv_bytes}, (struct bytes){key, 0});
    if (c == NULL) {
        fprintf(stderr, "aead: no cipher %s\n", name);
        exit(1);
    }
    return c;
}

static void write_header(uint8_t *p, uint32_t packet_length)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(packet_length >> (24 - 8 * i));
    p[4] = PADDING;
}

static void measure(const char *name, size_t packet_bytes, uint64_t total)
{
    struct packet_cipher *sealer = new_cipher(name), *opener = new_cipher(name);
    size_t block = packet_cipher_block(sealer);
    uint32_t length = (uint32_t)((packet_bytes + block - 1) / block * block);
    size_t stride = 4 + (size_t)length + packet_cipher_tag(sealer) + ROOM;
    uint8_t *packets = calloc(BATCH, stride);
    double seal_s = 0, open_s = 0, done = 0;
    if (packets == NULL)
        exit(1);
    for (uint32_t seq = 0; done < (double)total; seq += BATCH, done += (double)length * BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            write_header(packets + i * stride, length);
        double t0 = cpu_s();
        for (uint32_t i = 0; i < BATCH; i++)
            packet_cipher_seal(sealer, seq + i, packets + i * stride, length);
        double t1 = cpu_s();
        for (uint32_t i = 0; i < BATCH; i++) {
            uint8_t *p = packets + i * stride;
            if (packet_cipher_open_length(opener, seq + i, p) != length ||
                packet_cipher_open(opener, seq + i, p, length) != ERR_OK)
                exit(1);
        }
        open_s += cpu_s() - t1;
        seal_s += t1 - t0;
    }
    printf(
        "%s seal %.4f\n%s open %.4f\n", name, seal_s / (done / 1e9), name, open_s / (done / 1e9));
    packet_cipher_free(sealer);
    packet_cipher_free(opener);
    free(packets);
}

int main(int argc, char *argv[])
{
    size_t packet_bytes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    uint64_t total = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (packet_bytes == 0 || packet_bytes > MAX_PACKET || total == 0) {
        fprintf(stderr, "usage: aead PACKET_BYTES TOTAL_BYTES\n");
        return 2;
    }
    if (!crypto_init()) { /* it also chooses libsodium's code for this processor */
        fprintf(stderr, "aead: no randomness\n");
        return 1;
    }
    measure("aes128-gcm@openssh.com", packet_bytes, total);
    measure("chacha20-poly1305@openssh.com", packet_bytes, total);
    return 0;
}
