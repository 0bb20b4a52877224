/* A list that ssh-keygen -k made, with every kind of entry that ssh-keygen -Q -k finds in it, and
 * lists that it would not make. */
#include "proto/krl.h"
#include "tests/unit/unit.h"

#include <string.h>

/* ssh-keygen -k -s ca.pub -z 7 of: serials 1, 5-9, 100, 102, 104 and the highest of all, the id
 * bad-host, key 1 as such, key 2 by SHA-1, key 3 by SHA-256. */
static const char list_hex[] =
    "5353484b524c0a00000000010000000000000007000000006b02ec1e000000000000000000000000000000000100"
    "00007e000000330000000b7373682d6564323535313900000020e6ec81f4ec1ba596c42a0ac79bd3eb5b5929e303"
    "2720f70906a7ac7e86eeb15b00000000220000000e00000000000000010000000201f1220000000d000000000000"
    "006400000001152000000008ffffffffffffffff230000000c000000086261642d686f7374020000003700000033"
    "0000000b7373682d6564323535313900000020e6b41afae9ae7032059b4c8727895d1ddbf40fc80401433def551c"
    "b0832d9ede030000001800000014233c3bf705689831291e57e6d2c41d4c207e49e9050000002400000020962178"
    "859daa060658e4e58f09d4e0ca49fe912ab812abc977873d57960380dc";
static const char ca_hex[] =
    "0000000b7373682d6564323535313900000020e6ec81f4ec1ba596c42a0ac79bd3eb5b5929e3032720f70906a7ac"
    "7e86eeb15b";

/* Keys 1 to 4: the blob and its hashes. Key 4 is not on the list. */
static const struct {
    const char *blob, *sha1, *sha256;
} keys[] = {
    {"0000000b7373682d6564323535313900000020e6b41afae9ae7032059b4c8727895d1ddbf40fc80401433def551c"
     "b0832d9ede",
        "332fbbcc06793955e5ac17e245eaf48699bf4479",
        "cafce0cb076c45cc30fca6fbd338d1de0c6aaabc0f61fd8a0d649982dc5a3e92"},
    {"0000000b7373682d656432353531390000002011db2f79d4f2dd6a40947f292db6f01e89c80989a7fa5663e66426"
     "bfff8bfc1c",
        "233c3bf705689831291e57e6d2c41d4c207e49e9",
        "021ecd2caaa23008c2db257b5cf58fbf80f3da4813258f46819f5bfd8981d4bb"},
    {"0000000b7373682d65643235353139000000209c07facb6fc93d273a6910e898929bbb62c8e5a7ec5aa00d97867d"
     "91ba056aa7",
        "18676b5e8a802080f701ab8cff5ceba1c5ec53ab",
        "962178859daa060658e4e58f09d4e0ca49fe912ab812abc977873d57960380dc"},
    {"0000000b7373682d65643235353139000000200164d50a40369f655e0a8a9072e051b4aab926d25fa078071638a9"
     "b7fb51c843",
        "9038c6d623ffde3bb2be9cefa3c639371180ab4a",
        "71fa1fce1f9addca56e960fcae38656234045f3f324c5c78a2a06aabcc113b16"},
};

/* Everything a question points to. */
struct asked {
    uint8_t list[1024], key[64], ca[64], sha1[KRL_SHA1_BYTES], sha256[KRL_SHA256_BYTES];
    struct bytes file;
    struct krl_question q;
    const char *why;
};

static void ask_about(struct asked *a, int key)
{
    *a = (struct asked){.why = ""};
    a->file = (struct bytes){a->list, unit_hex(list_hex, a->list, sizeof a->list)};
    a->q.key = (struct bytes){a->key, unit_hex(keys[key - 1].blob, a->key, sizeof a->key)};
    a->q.ca_key = (struct bytes){a->ca, unit_hex(ca_hex, a->ca, sizeof a->ca)};
    unit_hex(keys[key - 1].sha1, a->sha1, sizeof a->sha1);
    unit_hex(keys[key - 1].sha256, a->sha256, sizeof a->sha256);
    a->q.sha1 = a->sha1;
    a->q.sha256 = a->sha256;
}

static enum krl_verdict check(struct asked *a)
{
    enum krl_verdict v = krl_check(a->file, &a->q, &a->why);
    CU_ASSERT_EQUAL(a->why != NULL, v == KRL_UNUSABLE);
    return v;
}

static void keys_are_revoked_as_such_and_by_both_hashes(void)
{
    struct asked a;
    for (int key = 1; key <= 4; key++) {
        ask_about(&a, key);
        CU_ASSERT_TRUE(krl_is_one(a.file));
        CU_ASSERT_EQUAL(check(&a), key == 4 ? KRL_CLEAR : KRL_REVOKED);
    }
}

static enum krl_verdict certificate(uint64_t serial, const char *id, bool other_ca)
{
    struct asked a;
    ask_about(&a, 4);
    a.q.is_certificate = true;
    a.q.serial = serial;
    a.q.key_id = bytes_of(id);
    if (other_ca)
        a.ca[sizeof a.ca - 20] ^= 1;
    return check(&a);
}

static void certificates_are_revoked_by_serial_and_by_id(void)
{
    static const uint64_t revoked[] = {1, 5, 6, 9, 100, 102, 104, UINT64_MAX};
    static const uint64_t good[] = {0, 2, 4, 10, 99, 101, 103, 105, 108, 109, 1000, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof revoked / sizeof revoked[0]; i++) {
        CU_ASSERT_EQUAL(certificate(revoked[i], "host", false), KRL_REVOKED);
        CU_ASSERT_EQUAL(certificate(revoked[i], "host", true), KRL_CLEAR);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_EQUAL(certificate(good[i], "host", false), KRL_CLEAR);
    CU_ASSERT_EQUAL(certificate(2, "bad-host", false), KRL_REVOKED);
    CU_ASSERT_EQUAL(certificate(2, "bad-host", true), KRL_CLEAR);
    CU_ASSERT_EQUAL(certificate(2, "bad-hos", false), KRL_CLEAR);
}

/* A plain key has no serial and no id, whatever lies in the fields for them. */
static void a_plain_key_is_no_certificate(void)
{
    struct asked a;
    ask_about(&a, 4);
    a.q.serial = 1;
    a.q.key_id = BYTES_LIT("bad-host");
    CU_ASSERT_EQUAL(check(&a), KRL_CLEAR);
}

/* But for where a section ends, a cut list is none, even where the key's own entry came before. */
static void a_cut_list_cannot_be_used(void)
{
    struct asked a;
    ask_about(&a, 1);
    size_t whole = a.file.n, n_usable = 0;
    for (size_t n = 0; n < whole; n++) {
        a.file.n = n;
        if (check(&a) != KRL_UNUSABLE)
            n_usable++;
    }
    CU_ASSERT_EQUAL(n_usable, 4); /* the head alone, and three of the four sections */
}

/* ---- lists by hand -----------------------------------------------------------------------------
 */

/* A list of one section, asked about key 4 as a certificate of serial 12. */
static enum krl_verdict one_section(unsigned type, struct bytes body)
{
    struct asked a;
    ask_about(&a, 4);
    a.q.is_certificate = true;
    a.q.serial = 12;
    a.q.key_id = BYTES_LIT("id");
    struct wire_writer w = wire_writer(a.list, sizeof a.list);
    w.len = 44; /* the head as ssh-keygen made it */
    wire_put_u8(&w, (uint8_t)type);
    wire_put_string(&w, body);
    a.file.n = w.len;
    return check(&a);
}

/* A certificate section of every CA with one section in it. */
static enum krl_verdict one_inner(unsigned type, struct bytes body)
{
    uint8_t room[256];
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_string(&w, (struct bytes){0});
    wire_put_string(&w, (struct bytes){0});
    wire_put_u8(&w, (uint8_t)type);
    wire_put_string(&w, body);
    return one_section(1, wire_written(&w));
}

#define ZEROS "\0\0\0\0\0\0\0"
static void sections_about_certificates_are_checked_whole(void)
{
    CU_ASSERT_EQUAL(one_inner(0x20, BYTES_LIT(ZEROS "\14")), KRL_REVOKED);
    CU_ASSERT_EQUAL(one_inner(0x20, BYTES_LIT(ZEROS "\14" ZEROS)), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x21, BYTES_LIT(ZEROS "\13" ZEROS "\15")), KRL_REVOKED);
    CU_ASSERT_EQUAL(one_inner(0x21, BYTES_LIT(ZEROS "\15" ZEROS "\13")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x21, BYTES_LIT(ZEROS "\13" ZEROS)), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x22, BYTES_LIT(ZEROS "\13\0\0\0\1\2")), KRL_REVOKED);
    CU_ASSERT_EQUAL(one_inner(0x22, BYTES_LIT(ZEROS "\13\0\0\0\1\1")), KRL_CLEAR);
    CU_ASSERT_EQUAL(one_inner(0x22, BYTES_LIT(ZEROS "\3\0\0\0\2\2\0")), KRL_REVOKED);
    CU_ASSERT_EQUAL(one_inner(0x22, BYTES_LIT(ZEROS "\13\0\0\0\1\x82")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x22, BYTES_LIT(ZEROS "\13\0\0\0\0")), KRL_CLEAR);
    CU_ASSERT_EQUAL(one_inner(0x23, BYTES_LIT("\0\0\0\1x\0\0\0\2id")), KRL_REVOKED);
    CU_ASSERT_EQUAL(one_inner(0x23, BYTES_LIT("\0\0\0\3id")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x24, BYTES_LIT("")), KRL_UNUSABLE);
}

static void only_a_critical_extension_makes_a_list_useless(void)
{
    CU_ASSERT_EQUAL(one_section(255, BYTES_LIT("\0\0\0\1x\0\0\0\0\0")), KRL_CLEAR);
    CU_ASSERT_EQUAL(one_section(255, BYTES_LIT("\0\0\0\1x\1\0\0\0\0")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_section(255, BYTES_LIT("\0\0\0\1x\0")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_inner(0x39, BYTES_LIT("\0\0\0\1x\0\0\0\0\0")), KRL_CLEAR);
    CU_ASSERT_EQUAL(one_inner(0x39, BYTES_LIT("\0\0\0\1x\1\0\0\0\0")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_section(6, BYTES_LIT("")), KRL_UNUSABLE);
}

static void fingerprints_have_the_length_of_their_hash(void)
{
    CU_ASSERT_EQUAL(one_section(3, BYTES_LIT("\0\0\0\1x")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_section(5, BYTES_LIT("\0\0\0\1x")), KRL_UNUSABLE);
    CU_ASSERT_EQUAL(one_section(5, BYTES_LIT("")), KRL_CLEAR);
    CU_ASSERT_EQUAL(one_section(2, BYTES_LIT("\0\0\0\2x")), KRL_UNUSABLE);
}

/* The key of a signature lies in its section, the signature itself behind it. */
static void signatures_are_passed_over(void)
{
    struct asked a;
    for (int key = 3; key <= 4; key++) {
        ask_about(&a, key);
        struct wire_writer w = wire_writer(a.list, sizeof a.list);
        w.len = a.file.n;
        wire_put_u8(&w, 4);
        wire_put_cstring(&w, "key");
        wire_put_cstring(&w, "signature");
        a.file.n = w.len;
        CU_ASSERT_EQUAL(check(&a), key == 3 ? KRL_REVOKED : KRL_CLEAR);
        a.file.n--;
        CU_ASSERT_EQUAL(check(&a), KRL_UNUSABLE);
    }
}

static void another_version_or_file_cannot_be_used(void)
{
    struct asked a;
    ask_about(&a, 1);
    a.list[11] = 2;
    CU_ASSERT_EQUAL(check(&a), KRL_UNUSABLE);
    ask_about(&a, 1);
    a.list[0] = 's';
    CU_ASSERT_EQUAL(check(&a), KRL_UNUSABLE);
    CU_ASSERT_FALSE(krl_is_one(a.file));
    CU_ASSERT_FALSE(krl_is_one((struct bytes){0}));
}

static const struct unit_test tests[] = {
    UNIT(keys_are_revoked_as_such_and_by_both_hashes),
    UNIT(certificates_are_revoked_by_serial_and_by_id),
    UNIT(a_plain_key_is_no_certificate),
    UNIT(a_cut_list_cannot_be_used),
    UNIT(sections_about_certificates_are_checked_whole),
    UNIT(only_a_critical_extension_makes_a_list_useless),
    UNIT(fingerprints_have_the_length_of_their_hash),
    UNIT(signatures_are_passed_over),
    UNIT(another_version_or_file_cannot_be_used),
};
UNIT_MAIN("krl", tests)
