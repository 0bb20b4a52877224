/* SHA-3: NIST's example values, and input and output in pieces of every size. */
#include "crypto/sha3.h"

#include <string.h>

#include "tests/unit/unit.h"

static void gives(enum sha3_id id, struct bytes message, const char *hex)
{
    uint8_t want[64], got[64];
    size_t n = unit_hex(hex, want, sizeof want);
    sha3_once(id, message, got, n);
    CU_ASSERT_EQUAL(memcmp(got, want, n), 0);
}

/* 1600 bits of a3, the message of NIST's examples: longer than any block. */
static struct bytes long_message(void)
{
    static uint8_t room[200];
    memset(room, 0xa3, sizeof room);
    return (struct bytes){room, sizeof room};
}
static const struct bytes empty = {NULL, 0};

static void sha3_256_gives_the_published_values(void)
{
    gives(SHA3_256, empty, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    gives(SHA3_256, BYTES_LIT("abc"),
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    gives(SHA3_256, BYTES_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376");
    gives(SHA3_256, long_message(),
        "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787");
}

static void sha3_512_gives_the_published_values(void)
{
    gives(SHA3_512, empty,
        "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
        "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
    gives(SHA3_512, BYTES_LIT("abc"),
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
        "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
    gives(SHA3_512, long_message(),
        "e76dfad22084a8b1467fcf2ffa58361bec7628edf5f3fdc0e4805dc48caeeca8"
        "1b7c13c30adf52a3659584739a2df46be589c51ca1a4a8416df6545a1ce8ba00");
}

/* 512 bytes of output, as the examples have it: their beginning and end. */
static void shake_gives(enum sha3_id id, struct bytes message, const char *first, const char *last)
{
    uint8_t want[32], got[512];
    sha3_once(id, message, got, sizeof got);
    unit_hex(first, want, sizeof want);
    CU_ASSERT_EQUAL(memcmp(got, want, 32), 0);
    unit_hex(last, want, sizeof want);
    CU_ASSERT_EQUAL(memcmp(got + 480, want, 32), 0);
}

static void shake_gives_the_published_values(void)
{
    shake_gives(SHAKE128, empty, "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
        "43e41b45a653f2a5c4492c1add544512dda2529833462b71a41a45be97290b6f");
    shake_gives(SHAKE128, long_message(),
        "131ab8d2b594946b9c81333f9bb6e0ce75c3b93104fa3469d3917457385da037",
        "44c9fb359fd56ac0a9a75a743cff6862f17d7259ab075216c0699511643b6439");
    shake_gives(SHAKE256, empty, "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f",
        "ab0bae316339894304e35877b0c28a9b1fd166c796b9cc258a064a8f57e27f2a");
    shake_gives(SHAKE256, long_message(),
        "cd8a920ed141aa0407a22d59288652e9d9f1a7ee0c1e7c1ca699424da84a904d",
        "6a1a9d7846436e4dca5728b6f760eef0ca92bf0be5615e96959d767197a0beeb");
}

static void pieces_of_every_size_give_the_same(void)
{
    static const enum sha3_id ids[] = {SHA3_256, SHA3_512, SHAKE128, SHAKE256};
    uint8_t message[600], whole[600], cut[600];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < 4; i++) {
        size_t n = ids[i] == SHA3_256 ? 32 : ids[i] == SHA3_512 ? 64 : sizeof whole;
        sha3_once(ids[i], (struct bytes){message, sizeof message}, whole, n);
        for (size_t step = 1; step < 300; step++) {
            struct sha3 s;
            sha3_init(&s, ids[i]);
            for (size_t at = 0; at < sizeof message; at += step)
                sha3_absorb(&s, (struct bytes){message + at,
                                    sizeof message - at < step ? sizeof message - at : step});
            for (size_t at = 0; at < n; at += step)
                sha3_squeeze(&s, cut + at, n - at < step ? n - at : step);
            CU_ASSERT_EQUAL(memcmp(whole, cut, n), 0);
        }
    }
}

static const struct unit_test tests[] = {
    UNIT(sha3_256_gives_the_published_values),
    UNIT(sha3_512_gives_the_published_values),
    UNIT(shake_gives_the_published_values),
    UNIT(pieces_of_every_size_give_the_same),
};

UNIT_MAIN("sha3", tests)
