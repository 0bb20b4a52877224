/* The hashes and HMAC over secret bytes of many lengths, SSH's key derivation from a secret K, and
 * ct_equal(). */
#include "crypto/hash.h"
#include "tests/ct/mark.h"

static uint8_t secret[300], out[200];

static int run_hashes(void)
{
    bool ok = true;
    for (enum hash_id id = HASH_SHA1; id <= HASH_MD5; id++)
        for (size_t n = 1; n <= sizeof secret; n += 13) {
            hash_once(id, (struct bytes){secret, n}, out);
            ok = ok && ct_is_secret(out, hash_bytes(id));
        }
    return ct_report("hashes", ok);
}

static int run_hmac(void)
{
    bool ok = true;
    for (enum hash_id id = HASH_SHA1; id <= HASH_SHA512; id++)
        for (size_t n = 1; n <= sizeof secret; n += 23) { /* keys longer than a block, too */
            hmac_once(id, (struct bytes){secret, n}, (struct bytes){secret, sizeof secret}, out);
            ok = ok && ct_is_secret(out, hash_bytes(id));
        }
    return ct_report("HMAC", ok);
}

static int run_kdf(void)
{
    bool ok = true;
    struct bytes k = {secret, 36}, hash = {secret + 36, 64}, session_id = {secret + 100, 64};
    for (enum hash_id id = HASH_SHA256; id <= HASH_SHA512; id++) {
        kdf_ssh(id, k, hash, 'C', session_id, out, sizeof out);
        ok = ok && ct_is_secret(out, sizeof out);
    }
    return ct_report("key derivation", ok);
}

/* That two secrets differ is told, but not where. */
static int run_equal(void)
{
    uint8_t a[64], b[64];
    bool ok = true;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)i;
    for (size_t at = 0; at < sizeof a; at++) {
        b[at] ^= 0x10;
        ct_secret(a, sizeof a);
        ct_secret(b, sizeof b);
        ok = ok && !ct_equal(a, b, sizeof a);
        uint8_t mask = ct_equal_mask(a, b, sizeof a); /* which is not told */
        ok = ok && ct_is_secret(&mask, 1);
        b[at] ^= 0x10;
        ok = ok && ct_equal(a, b, sizeof a);
    }
    return ct_report("ct_equal", ok);
}

int main(void)
{
    ct_start("ct_hash");
    ct_secret(secret, sizeof secret);
    return run_hashes() | run_hmac() | run_kdf() | run_equal();
}
