/* Certificates and security keys where blobs of plain keys go: in key exchanges and logins. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/crypto/make_cert.h"
#include "tests/unit/crypto/read_key.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/transport/auth_rig.h"
#include "tests/unit/transport/pair.h"

#define CERT_ALG "ssh-ed25519-cert-v01@openssh.com"
#define SK_ALG   "sk-ssh-ed25519@openssh.com"

static uint8_t cert_room[KEY_BLOB_MAX];

static struct bytes certificate_for(const struct private_key *k, const struct private_key *ca)
{
    struct make_cert m = {.key = private_key_blob(k),
        .ca = ca,
        .kind = CERT_HOST,
        .valid_before = CERT_FOREVER,
        .principals = "gate"};
    return (struct bytes){cert_room, make_cert(&m, cert_room, sizeof cert_room)};
}

/* ---- key exchange ---------------------------------------------------------------------------- */

static struct private_key *certified;

/* A server that shows its key with a certificate and without. */
static void certified_pair(struct pair *p)
{
    pair_init(p);
    certified = private_key_certify(p->host, certificate_for(p->host, p->user));
    CU_ASSERT_PTR_NOT_NULL_FATAL(certified);
    p->host_list[0] = certified;
    p->host_list[1] = p->host;
    p->server_config.n_host_keys = 2;
}

static void close_pair(struct pair *p)
{
    pair_close(p);
    private_key_free(certified);
}

static void a_host_certificate_is_shown_and_signed_for_and_stays(void)
{
    for (int i = 0; i < 2; i++) {
        struct pair p;
        certified_pair(&p);
        pair_login(&p);
        struct transport *c = p.client.t;
        CU_ASSERT(bytes_is(transport_algorithms(c).host_key, CERT_ALG));
        CU_ASSERT(
            bytes_equal((struct bytes){c->host_key, c->host_key_n}, private_key_blob(certified)));
        transport_rekey(i ? p.client.t : p.server.t);
        struct transport *starts = i ? p.client.t : p.server.t;
        struct msg_kexinit m;
        struct wire_reader r =
            wire_reader((struct bytes){starts->kex->my_init + 1, starts->kex->my_init_n - 1});
        CU_ASSERT_EQUAL(msg_kexinit_decode(&r, &m), ERR_OK);
        CU_ASSERT(bytes_is(m.lists[KEXINIT_HOST_KEY], CERT_ALG));
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
        close_pair(&p);
    }
}

static void a_client_that_wants_plain_keys_is_shown_one(void)
{
    struct pair p;
    certified_pair(&p);
    p.client_config.host_key_algorithms = "ssh-ed25519";
    pair_login(&p);
    CU_ASSERT(bytes_is(transport_algorithms(p.client.t).host_key, "ssh-ed25519"));
    close_pair(&p);
}

static void a_client_that_wants_certificates_alone_finds_none(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.host_key_algorithms = CERT_ALG;
    pair_open(&p);
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_KEX);
    pair_close(&p);
}

/* ---- logins ---------------------------------------------------------------------------------- */

static size_t put_request(
    uint8_t *out, size_t cap, bool is_signed, const char *alg, struct bytes key)
{
    struct wire_writer w = wire_writer(out, cap);
    wire_put_bool(&w, is_signed);
    wire_put_cstring(&w, alg);
    wire_put_string(&w, key);
    return w.len;
}

/* What RFC 4252 section 7 has signed. */
static struct bytes signed_data(const char *alg, struct bytes key)
{
    static uint8_t out[KEY_BLOB_MAX + 512];
    struct wire_writer w = wire_writer(out, sizeof out);
    wire_put_string(&w, rig_session_id);
    wire_put_u8(&w, MSG_USERAUTH_REQUEST);
    wire_put_cstring(&w, "alice");
    wire_put_cstring(&w, "ssh-connection");
    wire_put_cstring(&w, "publickey");
    w.len += put_request(out + w.len, sizeof out - w.len, true, alg, key);
    return wire_written(&w);
}

static void ready(struct rig *r)
{
    rig_server(r, 6, NULL);
    CU_ASSERT_EQUAL(rig_feed(r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_OK);
    (void)rig_take(r);
}

/* signature empty: a query. */
static void request(struct rig *r, const char *alg, struct bytes key, struct bytes signature)
{
    static uint8_t fields[KEY_BLOB_MAX + KEY_SIGNATURE_MAX];
    struct wire_writer w = wire_writer(fields, sizeof fields);
    w.len = put_request(fields, sizeof fields, signature.n > 0, alg, key);
    if (signature.n > 0)
        wire_put_string(&w, signature);
    CU_ASSERT_EQUAL(rig_feed(r, msg_request("alice", "publickey", wire_written(&w))), ERR_OK);
}

static void a_user_certificate_asks_and_signs_by_its_own_algorithm(void)
{
    struct private_key *k = read_key(sample_ed25519_file), *ca = read_key(sample_p256_file);
    struct bytes cert = certificate_for(k, ca);
    struct private_key *user = private_key_certify(k, cert);
    CU_ASSERT_PTR_NOT_NULL_FATAL(user);
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(
        private_key_sign(user, BYTES_LIT(CERT_ALG), signed_data(CERT_ALG, cert), signature, &n),
        ERR_OK);
    struct rig r;
    struct transport_event e;
    ready(&r);
    request(&r, CERT_ALG, cert, (struct bytes){NULL, 0});
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
    CU_ASSERT_TRUE(!e.verified && !e.facts.is_sk && bytes_equal(e.key, cert));
    auth_decide(r.a, true);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), msg_pk_ok(BYTES_LIT(CERT_ALG), cert)));
    request(&r, CERT_ALG, cert, (struct bytes){signature, n});
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && e.verified && !e.facts.is_sk);
    auth_decide(r.a, false);
    (void)rig_take(&r);
    /* Under the plain algorithm's name a certificate is no key at all, nor may its fields change.
     */
    request(&r, "ssh-ed25519", cert, (struct bytes){NULL, 0});
    CU_ASSERT_FALSE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
    (void)rig_take(&r);
    cert_room[cert.n - 1] ^= 1;
    request(&r, CERT_ALG, cert, (struct bytes){signature, n});
    CU_ASSERT_FALSE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
    rig_free(&r);
    private_key_free(user);
    private_key_free(k);
    private_key_free(ca);
}

static void what_a_security_key_says_reaches_policy(void)
{
    static const uint8_t flags[] = {0, KEY_SK_PRESENCE, KEY_SK_PRESENCE | KEY_SK_VERIFIED};
    struct private_key *k = read_key(sample_ed25519_file);
    uint8_t blob[KEY_BLOB_MAX], signature[KEY_SIGNATURE_MAX];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(key_from_base64(BYTES_LIT(SK_ALG), bytes_of(sample_sk_ed25519_public),
                              blob, sizeof blob, &n),
        ERR_OK);
    struct bytes key = {blob, n};
    struct rig r;
    struct transport_event e;
    ready(&r);
    for (size_t i = 0; i < 3; i++) {
        size_t m = make_sk_signature(
            k, SK_ALG, "ssh:", flags[i], 5, signed_data(SK_ALG, key), signature, sizeof signature);
        request(&r, SK_ALG, key, (struct bytes){signature, m});
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && e.verified);
        CU_ASSERT_TRUE(e.facts.is_sk && e.facts.flags == flags[i] && e.facts.counter == 5);
        auth_decide(r.a, false);
        (void)rig_take(&r);
    }
    /* A query carries none of the last signature's. */
    request(&r, SK_ALG, key, (struct bytes){NULL, 0});
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && !e.verified);
    CU_ASSERT_TRUE(!e.facts.is_sk && e.facts.flags == 0);
    rig_free(&r);
    private_key_free(k);
}

static const struct unit_test tests[] = {
    UNIT(a_host_certificate_is_shown_and_signed_for_and_stays),
    UNIT(a_client_that_wants_plain_keys_is_shown_one),
    UNIT(a_client_that_wants_certificates_alone_finds_none),
    UNIT(a_user_certificate_asks_and_signs_by_its_own_algorithm),
    UNIT(what_a_security_key_says_reaches_policy),
};

int main(void)
{
    if (!crypto_init())
        return 2;
    return unit_main("certificate", tests, sizeof tests / sizeof tests[0]);
}
