/* Hashes against FIPS 180-4's examples (MD5: RFC 1321's, and md5sum's of the same texts), HMAC
 * against RFC 2202 and RFC 4231, key derivation against NIST's CAVS 14.1 vectors for SSH. */
#include "crypto/hash.h"

#include <string.h>

#include "crypto/hmac.h"
#include "tests/unit/unit.h"

static const char long_message[] =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
    "lmnopqrsmnopqrstnopqrstu";

struct hash_case {
    enum hash_id id;
    const char *abc, *empty, *of_long, *million;
};

static const struct hash_case hashes[] = {
    {HASH_MD5, "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e",
        "03dd8807a93175fb062dfb55dc7d359c", "7707d6ae4e027c70eea2a935c2296f21"},
    {HASH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709", "a49b2446a02c645bf419f995b67091253a04a259",
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    {HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {HASH_SHA384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca1"
        "34c825a7",
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f1"
        "4898b95b",
        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa"
        "91746039",
        "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd8"
        "7f3d8985"},
    {HASH_SHA512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
        "a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2"
        "877eec2f63b931bd47417a81a538327af927da3e",
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99de"
        "c4b5433ac7d329eeb6dd26545e96e55b874be909",
        "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432c"
        "e577c31beb009c5c2c49aa2e4eadb217ad8cc09b"},
};
enum { N_HASHES = sizeof hashes / sizeof hashes[0] };

static bool is_hex(const uint8_t *got, size_t n, const char *hex)
{
    uint8_t want[256];
    return unit_hex(hex, want, sizeof want) == n && memcmp(got, want, n) == 0;
}

static bool hash_is(enum hash_id id, const char *message, const char *hex)
{
    uint8_t out[HASH_MAX_BYTES];
    hash_once(id, bytes_of(message), out);
    return is_hex(out, hash_bytes(id), hex);
}

static void every_hash_gives_the_published_digests(void)
{
    for (size_t i = 0; i < N_HASHES; i++) {
        CU_ASSERT_TRUE(hash_is(hashes[i].id, "abc", hashes[i].abc));
        CU_ASSERT_TRUE(hash_is(hashes[i].id, "", hashes[i].empty));
        CU_ASSERT_TRUE(hash_is(hashes[i].id, long_message, hashes[i].of_long));
    }
}

static void a_million_letters_in_uneven_pieces_give_the_published_digest(void)
{
    uint8_t piece[997], out[HASH_MAX_BYTES];
    memset(piece, 'a', sizeof piece);
    for (size_t i = 0; i < N_HASHES; i++) {
        struct hash h;
        hash_init(&h, hashes[i].id);
        size_t n = 1;
        for (size_t left = 1000000; left > 0;) {
            n = n % sizeof piece + 1;
            n = n < left ? n : left;
            hash_update(&h, (struct bytes){piece, n});
            left -= n;
        }
        hash_final(&h, out);
        CU_ASSERT_TRUE(is_hex(out, hash_bytes(hashes[i].id), hashes[i].million));
    }
}

static void hash_final_wipes_its_state(void)
{
    for (size_t i = 0; i < N_HASHES; i++) {
        struct hash h;
        uint8_t out[HASH_MAX_BYTES];
        memset(&h, 0, sizeof h);
        hash_init(&h, hashes[i].id);
        hash_update(&h, BYTES_LIT("a secret"));
        hash_final(&h, out);
        for (size_t j = 0; j < sizeof h.state.room; j++)
            CU_ASSERT_EQUAL(h.state.room[j], 0);
    }
}

static void a_string_is_hashed_with_its_length(void)
{
    uint8_t a[HASH_MAX_BYTES], b[HASH_MAX_BYTES];
    struct hash h;
    hash_init(&h, HASH_SHA256);
    hash_update_string(&h, BYTES_LIT("ssh"));
    hash_update_string(&h, (struct bytes){NULL, 0});
    hash_final(&h, a);
    hash_once(HASH_SHA256, BYTES_LIT("\0\0\0\3ssh\0\0\0\0"), b);
    CU_ASSERT_EQUAL(memcmp(a, b, 32), 0);
}

static const struct {
    const char *key_hex; /* one byte, repeated */
    size_t key_n;
    const char *message;
    const char *mac[4]; /* by hash_id; NULL where nothing is published */
} hmacs[] = {
    {"0b", 20, "Hi There",
        {"b617318655057264e28bc0b6fb378c8ef146be00",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af1"
            "52e8b2fa9cb6",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b"
            "274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
    {"4a656665", 4, "what do ya want for nothing?",
        {"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b32"
            "39ecfab21649",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d03"
            "4f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
    {"aa", 131, "Test Using Larger Than Block-Size Key - Hash Key First",
        {NULL, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe829624"
            "8df163f44952",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0f"
            "d2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
};

static void hmac_gives_the_published_values(void)
{
    for (size_t i = 0; i < sizeof hmacs / sizeof hmacs[0]; i++) {
        uint8_t key[131], out[HASH_MAX_BYTES];
        size_t unit = unit_hex(hmacs[i].key_hex, key, sizeof key);
        for (size_t j = unit; j < hmacs[i].key_n; j++)
            key[j] = key[j - unit];
        for (int id = HASH_SHA1; id <= HASH_SHA512; id++) {
            if (hmacs[i].mac[id] == NULL)
                continue;
            hmac_once((enum hash_id)id, (struct bytes){key, hmacs[i].key_n},
                bytes_of(hmacs[i].message), out);
            CU_ASSERT_TRUE(is_hex(out, hash_bytes((enum hash_id)id), hmacs[i].mac[id]));
        }
    }
}

static void one_hmac_key_serves_many_messages(void)
{
    struct hmac_key k;
    hmac_key_init(&k, HASH_SHA512, BYTES_LIT("Jefe"));
    for (int i = 0; i < 3; i++) {
        struct hash h;
        uint8_t out[HASH_MAX_BYTES];
        hmac_begin(&k, &h);
        hash_update(&h, BYTES_LIT("what do ya want "));
        hash_update(&h, BYTES_LIT("for nothing?"));
        hmac_end(&k, &h, out);
        CU_ASSERT_TRUE(is_hex(out, 64, hmacs[1].mac[HASH_SHA512]));
    }
}

/* CAVS 14.1, "ssh.rsp", SHA-1, first case. C and D are longer than the hash. */
static void key_derivation_gives_the_published_keys(void)
{
    static const char k_hex[] =
        "0000008055bae931c07fd824bf10add1902b6fbc7c665347383498a686929ff5a25f8e40cb6645ea814fb1a5"
        "e0a11f852f86255641e5ed986e83a78bc8269480eac0b0dfd770cab92e7a28dd87ff452466d6ae867cead63b"
        "366b1c286e6c4811a9f14c27aea14c5171d49b78c06e3735d36e6a3be321dd5fc82308f34ee1cb17fba94a59";
    static const char *const keys[] = {"e2f627c0b43f1ac1", "58471445f342b181",
        "1ca9d310f86d51f6cb8e7007cb2b220d55c5281ce680b533",
        "2c60df8603d34cc1dbb03c11f725a44b44008851c73d6844",
        "472eb8a26166ae6aa8e06868e45c3b26e6eeed06", "e3e2fdb9d7bc21165a3dbe47e1eceb7764390bab"};
    uint8_t k[256], h[20], out[64];
    size_t k_n = unit_hex(k_hex, k, sizeof k);
    struct bytes hash = {h, unit_hex("a4ebd45934f56792b5112dcd75a1075fdc889245", h, sizeof h)};
    for (size_t i = 0; i < 6; i++) {
        size_t n = strlen(keys[i]) / 2;
        kdf_ssh(HASH_SHA1, (struct bytes){k, k_n}, hash, (char)('A' + i), hash, out, n);
        CU_ASSERT_TRUE(is_hex(out, n, keys[i]));
    }
}

/* RFC 4253 section 7.2 word by word: K2 = HASH(K || H || K1), K3 = HASH(K || H || K1 || K2). */
static void key_derivation_of_any_length_is_a_prefix_of_the_longest(void)
{
    for (int id = HASH_SHA1; id <= HASH_SHA512; id++) {
        size_t n = hash_bytes((enum hash_id)id);
        uint8_t whole[3 * HASH_MAX_BYTES], part[3 * HASH_MAX_BYTES], text[256];
        struct bytes k = BYTES_LIT("\0\0\0\1\7"), h = BYTES_LIT("hash"), sid = BYTES_LIT("sid");
        kdf_ssh((enum hash_id)id, k, h, 'E', sid, whole, 3 * n);
        memcpy(text, "\0\0\0\1\7hash", 9);
        memcpy(text + 9, whole, 2 * n);
        hash_once((enum hash_id)id, (struct bytes){text, 9 + 2 * n}, part);
        CU_ASSERT_EQUAL(memcmp(part, whole + 2 * n, n), 0);
        for (size_t cut = 1; cut < 3 * n; cut++) {
            kdf_ssh((enum hash_id)id, k, h, 'E', sid, part, cut);
            CU_ASSERT_EQUAL(memcmp(part, whole, cut), 0);
        }
    }
}

static const struct unit_test tests[] = {
    UNIT(every_hash_gives_the_published_digests),
    UNIT(a_million_letters_in_uneven_pieces_give_the_published_digest),
    UNIT(hash_final_wipes_its_state),
    UNIT(a_string_is_hashed_with_its_length),
    UNIT(hmac_gives_the_published_values),
    UNIT(one_hmac_key_serves_many_messages),
    UNIT(key_derivation_gives_the_published_keys),
    UNIT(key_derivation_of_any_length_is_a_prefix_of_the_longest),
};
UNIT_MAIN("hash", tests)
