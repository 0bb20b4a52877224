/* UMAC with a secret key and a secret message, of every length up to a few of its 32-byte steps and
 * of some up to several chunks. */
#include "crypto/umac.h"
#include "tests/ct/mark.h"

static bool run(size_t tag_bytes)
{
    static struct umac u;
    static uint8_t key[UMAC_KEY_BYTES], message[3000];
    uint8_t tag[UMAC_MAX_TAG_BYTES] = {0};
    bool ok = true;
    ct_secret(key, sizeof key);
    ct_secret(message, sizeof message);
    umac_init(&u, tag_bytes, key);
    for (size_t n = 0; n <= sizeof message; n += n < 100 ? 1 : 61) {
        const uint8_t nonce[UMAC_NONCE_BYTES] = {[7] = (uint8_t)n};
        umac_tag(&u, nonce, (struct bytes){message, n}, tag);
        ok = ok && ct_is_secret(tag, tag_bytes);
    }
    return ok;
}

int main(void)
{
    ct_start("ct_umac");
    return ct_report("tags of 8 bytes", run(8)) | ct_report("tags of 16 bytes", run(16));
}
