/* SHA-3, ML-KEM-768 and mlkem768x25519-sha256 with every random byte secret. What is public of what
 * comes of them is made so by ct_public() inside, and here as it would go to the other side. */
#include "crypto/kex.h"
#include "crypto/mlkem768.h"
#include "crypto/sha3.h"
#include "tests/ct/mark.h"

static bool run_sha3(void)
{
    static const enum sha3_id ids[] = {SHA3_256, SHA3_512, SHAKE128, SHAKE256};
    uint8_t in[300], out[32];
    rng_bytes(&ct_rng, in, sizeof in);
    for (size_t i = 0; i < 4; i++)
        sha3_once(ids[i], (struct bytes){in, sizeof in}, out, sizeof out);
    return true;
}

static bool run_mlkem(void)
{
    static uint8_t ek[MLKEM768_EK_BYTES], dk[MLKEM768_DK_BYTES], ct[MLKEM768_CT_BYTES];
    uint8_t secret[MLKEM768_SECRET_BYTES];
    struct bytes ct_bytes = {ct, sizeof ct};
    mlkem768_keygen(&ct_rng, ek, dk);
    bool ok = ct_is_secret(dk, 1152) && ct_is_secret(dk + sizeof dk - 32, 32);
    ok &= mlkem768_encaps(&ct_rng, (struct bytes){ek, sizeof ek}, ct, secret) == ERR_OK;
    ok &= ct_is_secret(secret, sizeof secret) && ct_is_secret(ct, sizeof ct);
    ct_public(ct, sizeof ct);
    for (int wrong = 0; wrong < 2; wrong++) {
        ct[7] ^= (uint8_t)wrong; /* the second is rejected, and nothing may show it */
        ok &= mlkem768_decaps((struct bytes){dk, sizeof dk}, ct_bytes, secret) == ERR_OK;
        ok &= ct_is_secret(secret, sizeof secret);
    }
    return ok;
}

static bool run_hybrid(void)
{
    static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
    static uint8_t secret[KEX_SECRET_MAX];
    const struct kex_method *m = kex_find(BYTES_LIT("mlkem768x25519-sha256"));
    size_t client_n, server_n, n;
    if (m->start(&ct_rng, state, client, &client_n) != ERR_OK)
        return false;
    ct_public(client, client_n);
    if (m->reply(&ct_rng, (struct bytes){client, client_n}, server, &server_n, secret, &n) !=
        ERR_OK)
        return false;
    bool ok = ct_is_secret(secret + 4, n - 4);
    ct_public(server, server_n);
    if (m->finish(state, (struct bytes){server, server_n}, secret, &n) != ERR_OK)
        return false;
    return ok && ct_is_secret(secret + 4, n - 4);
}

int main(void)
{
    ct_start("ct_mlkem");
    return ct_report("SHA-3", run_sha3()) | ct_report("ML-KEM-768", run_mlkem()) |
           ct_report("mlkem768x25519-sha256", run_hybrid());
}
