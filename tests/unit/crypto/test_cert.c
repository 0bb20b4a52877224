/* Certificates: what ssh-keygen makes, every rule broken by itself, every byte flipped. */
#include "crypto/cert.h"

#include <stdio.h>
#include <string.h>

#include "proto/namelist.h"
#include "tests/unit/crypto/make_cert.h"
#include "tests/unit/crypto/read_key.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/unit.h"

static const struct sample {
    const char *type, *base64, *plain, *plain_base64, *short_name, *algorithm, *file, *fingerprint;
    enum cert_kind kind;
    unsigned bits;
    const char *ca_algorithm;
} samples[] = {
    {"ssh-ed25519-cert-v01@openssh.com", sample_ed25519_cert, "ssh-ed25519", sample_ed25519_public,
        "ED25519-CERT", "ssh-ed25519-cert-v01@openssh.com", sample_ed25519_file,
        sample_ed25519_fingerprint, CERT_USER, 256, "rsa-sha2-512"},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", sample_p256_cert, "ecdsa-sha2-nistp256",
        sample_p256_public, "ECDSA-CERT", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        sample_p256_file, sample_p256_fingerprint, CERT_HOST, 256, "ssh-ed25519"},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", sample_p384_cert, "ecdsa-sha2-nistp384",
        sample_p384_public, "ECDSA-CERT", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        sample_p384_file, sample_p384_fingerprint, CERT_USER, 384, "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", sample_p521_cert, "ecdsa-sha2-nistp521",
        sample_p521_public, "ECDSA-CERT", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        sample_p521_file, sample_p521_fingerprint, CERT_HOST, 521, "ecdsa-sha2-nistp384"},
    {"ssh-rsa-cert-v01@openssh.com", sample_rsa_cert, "ssh-rsa", sample_rsa_public, "RSA-CERT",
        "rsa-sha2-512-cert-v01@openssh.com", sample_rsa_file, sample_rsa_fingerprint, CERT_USER,
        2048, "ecdsa-sha2-nistp521"},
    {"sk-ssh-ed25519-cert-v01@openssh.com", sample_sk_ed25519_cert, "sk-ssh-ed25519@openssh.com",
        sample_sk_ed25519_public, "ED25519-SK-CERT", "sk-ssh-ed25519-cert-v01@openssh.com", NULL,
        "SHA256:5qbORflGJKrlJHzOQ+to23S3+CHNx48Hl3flViqG2l0", CERT_USER, 256, "ssh-ed25519"},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", sample_sk_p256_cert,
        "sk-ecdsa-sha2-nistp256@openssh.com", sample_sk_p256_public, "ECDSA-SK-CERT",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", NULL, NULL, CERT_USER, 256, "rsa-sha2-256"},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };
enum { MIDDLE_OF_2026 = 1780000000 };

static uint8_t room[KEY_BLOB_MAX + 1], plain_room[KEY_BLOB_MAX];
static char why[CERT_WHY_MAX];

static struct bytes decode(const char *type, const char *b64, uint8_t *out)
{
    size_t n;
    CU_ASSERT_EQUAL_FATAL(
        key_from_base64(bytes_of(type), bytes_of(b64), out, KEY_BLOB_MAX, &n), ERR_OK);
    return (struct bytes){out, n};
}

static struct bytes blob_of(const struct sample *s)
{
    return decode(s->type, s->base64, room);
}

static struct cert_rules rules_for(const struct sample *s)
{
    return (struct cert_rules){.kind = s->kind,
        .now_s = MIDDLE_OF_2026,
        .critical = "force-command,source-address,verify-required",
        .name = s->kind == CERT_HOST ? BYTES_LIT("gate.example") : BYTES_LIT("alice")};
}

static void certificates_of_every_type_are_read(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const struct sample *s = &samples[i];
        struct bytes blob = blob_of(s), plain = decode(s->plain, s->plain_base64, plain_room);
        uint8_t inside[KEY_BLOB_MAX];
        char fingerprint[KEY_FINGERPRINT_MAX], of_plain[KEY_FINGERPRINT_MAX];
        const char *type;
        struct cert c;
        CU_ASSERT_EQUAL(key_check(blob, &type), ERR_OK);
        CU_ASSERT_STRING_EQUAL(type, s->type);
        CU_ASSERT_TRUE(cert_is(blob) && !cert_is(plain));
        CU_ASSERT_EQUAL_FATAL(cert_parse(blob, &c), ERR_OK);
        CU_ASSERT_STRING_EQUAL(c.key_type, s->plain);
        CU_ASSERT_EQUAL(c.kind, s->kind);
        CU_ASSERT_EQUAL(c.serial, 7);
        CU_ASSERT_TRUE(bytes_is(c.key_id, "sample id"));
        CU_ASSERT_EQUAL(key_bits(blob), s->bits);
        CU_ASSERT_STRING_EQUAL(key_short_name(blob), s->short_name);
        size_t n = cert_plain_key(&c, inside, sizeof inside);
        CU_ASSERT_TRUE(bytes_equal((struct bytes){inside, n}, plain));
        CU_ASSERT_EQUAL(cert_plain_key(&c, inside, n - 1), 0);
        key_fingerprint_sha256(blob, fingerprint);
        key_fingerprint_sha256(plain, of_plain);
        CU_ASSERT_STRING_EQUAL(fingerprint, of_plain);
        if (s->fingerprint != NULL)
            CU_ASSERT_STRING_EQUAL(fingerprint, s->fingerprint);
    }
}

static void every_algorithm_has_its_type_and_the_name_it_signs_under(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes alg = bytes_of(samples[i].algorithm);
        CU_ASSERT_STRING_EQUAL(key_type_of_algorithm(alg), samples[i].type);
        CU_ASSERT_TRUE(key_algorithm_is_certificate(alg));
        CU_ASSERT_TRUE(namelist_has(bytes_of(key_algorithm_names()), alg));
        CU_ASSERT_FALSE(namelist_has(bytes_of(key_signature_names()), alg));
        CU_ASSERT_STRING_EQUAL(key_plain_type(samples[i].type), samples[i].plain);
        CU_ASSERT_STRING_EQUAL(key_plain_type(samples[i].plain), samples[i].plain);
    }
    static const char *const pairs[][2] = {
        {"rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512"},
        {"rsa-sha2-256-cert-v01@openssh.com", "rsa-sha2-256"},
        {"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com"},
        {"rsa-sha2-256", "rsa-sha2-256"},
        {"ssh-rsa-cert-v01@openssh.com", "ssh-rsa"},
        {"ssh-rsa", "ssh-rsa"},
        {"ssh-dss", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        CU_ASSERT_TRUE(bytes_is(key_signature_name(bytes_of(pairs[i][0])), pairs[i][1]));
    CU_ASSERT_FALSE(key_algorithm_is_certificate(BYTES_LIT("ssh-ed25519")));
    struct bytes list = bytes_of(key_algorithm_names()), name;
    while (namelist_next(&list, &name))
        CU_ASSERT_TRUE(namelist_has(bytes_of(key_signature_names()), key_signature_name(name)));
}

static void certificates_by_ssh_keygen_are_good_in_their_time(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct cert c;
        struct cert_rules rules = rules_for(&samples[i]);
        char text[CERT_VALIDITY_MAX];
        CU_ASSERT_EQUAL_FATAL(cert_parse(blob_of(&samples[i]), &c), ERR_OK);
        CU_ASSERT_EQUAL(cert_check(&c, &rules, why), ERR_OK);
        CU_ASSERT_STRING_EQUAL(why, "");
        cert_validity_text(&c, text);
        CU_ASSERT_STRING_EQUAL(text, "from 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z");
        rules.ca_algorithms = samples[i].ca_algorithm;
        CU_ASSERT_EQUAL(cert_check(&c, &rules, why), ERR_OK);
        rules.ca_algorithms = "ssh-rsa";
        CU_ASSERT_EQUAL(cert_check(&c, &rules, why), ERR_SIGNATURE);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, samples[i].ca_algorithm));
        CU_ASSERT_PTR_NOT_NULL(strstr(why, "CASignatureAlgorithms does not allow"));
    }
}

static void the_key_inside_signs_under_the_plain_name(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (samples[i].file == NULL)
            continue;
        struct private_key *k = read_key(samples[i].file);
        struct bytes blob = blob_of(&samples[i]), alg = bytes_of(samples[i].algorithm);
        struct private_key *certified = private_key_certify(k, blob);
        uint8_t signature[KEY_SIGNATURE_MAX];
        size_t n;
        CU_ASSERT_PTR_NOT_NULL_FATAL(certified);
        CU_ASSERT_TRUE(bytes_equal(private_key_blob(certified), blob));
        CU_ASSERT_TRUE(namelist_has(bytes_of(private_key_algorithms(certified)), alg));
        CU_ASSERT_EQUAL(private_key_sign(certified, alg, BYTES_LIT("data"), signature, &n), ERR_OK);
        struct bytes made = {signature, n};
        struct wire_reader r = wire_reader(made);
        CU_ASSERT_TRUE(bytes_equal(wire_string(&r), key_signature_name(alg)));
        CU_ASSERT_EQUAL(key_verify(blob, alg, made, BYTES_LIT("data")), ERR_OK);
        CU_ASSERT_EQUAL(key_verify(blob, alg, made, BYTES_LIT("other")), ERR_SIGNATURE);
        /* The plain name is no algorithm for a certificate, nor the other way round. */
        struct bytes plain = key_signature_name(alg);
        CU_ASSERT_EQUAL(key_verify(blob, plain, made, BYTES_LIT("data")), ERR_SIGNATURE);
        CU_ASSERT_EQUAL(
            key_verify(private_key_blob(k), alg, made, BYTES_LIT("data")), ERR_SIGNATURE);
        CU_ASSERT_EQUAL(key_verify(private_key_blob(k), plain, made, BYTES_LIT("data")), ERR_OK);
        CU_ASSERT_EQUAL(
            private_key_sign(certified, plain, BYTES_LIT("data"), signature, &n), ERR_UNSUPPORTED);
        private_key_free(certified);
        private_key_free(k);
    }
}

static void a_certificate_fits_its_own_key_only(void)
{
    struct private_key *k = read_key(sample_p256_file);
    struct private_key *certified = private_key_certify(k, blob_of(&samples[1]));
    CU_ASSERT_PTR_NOT_NULL_FATAL(certified);
    CU_ASSERT_PTR_NULL(private_key_certify(k, blob_of(&samples[0])));
    CU_ASSERT_PTR_NULL(private_key_certify(k, private_key_blob(k)));
    CU_ASSERT_PTR_NULL(private_key_certify(k, (struct bytes){NULL, 0}));
    CU_ASSERT_PTR_NULL(private_key_certify(certified, blob_of(&samples[1])));
    char text[4096];
    CU_ASSERT_EQUAL(private_key_write(certified, "", text, sizeof text), 0);
    private_key_free(certified);
    private_key_free(k);
}

/* The signed part is everything that says anything; the rest is the signature itself, where ECDSA
 * alone has a second form that verifies (s negated), no flip away. */
static void every_flipped_byte_of_a_certificate_is_noticed(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes blob = blob_of(&samples[i]);
        struct cert_rules rules = rules_for(&samples[i]);
        bool fast = strncmp(samples[i].ca_algorithm, "ecdsa", 5) != 0;
        for (size_t at = 0; at < blob.n; at += fast ? 1 : 7) {
            struct cert c;
            room[at] ^= 0x10;
            CU_ASSERT_TRUE(cert_parse(blob, &c) != ERR_OK || cert_check(&c, &rules, why) != ERR_OK);
            room[at] ^= 0x10;
        }
    }
}

static void only_the_exact_length_parses(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes blob = blob_of(&samples[i]);
        struct cert c;
        for (size_t n = 0; n < blob.n; n++) {
            CU_ASSERT_NOT_EQUAL(cert_parse((struct bytes){blob.p, n}, &c), ERR_OK);
            CU_ASSERT_PTR_NULL(c.key_type);
            CU_ASSERT_EQUAL(c.ca.n, 0);
        }
        room[blob.n] = 0;
        CU_ASSERT_EQUAL(cert_parse((struct bytes){blob.p, blob.n + 1}, &c), ERR_MALFORMED);
        CU_ASSERT_EQUAL(key_check((struct bytes){blob.p, blob.n + 1}, NULL), ERR_MALFORMED);
    }
}

/* ---- made to order --------------------------------------------------------------------------- */

static struct private_key *ca, *subject;

static struct make_cert order(void)
{
    return (struct make_cert){.key = private_key_blob(subject),
        .ca = ca,
        .kind = CERT_USER,
        .valid_after = 1000,
        .valid_before = 2000,
        .principals = "alice,bob"};
}

static enum err parse_order(const struct make_cert *m)
{
    struct cert c;
    return cert_parse((struct bytes){room, make_cert(m, room, sizeof room)}, &c);
}

/* Checks one made to order; the rules are a user's at time 1500 unless told otherwise. */
static enum err check_order(const struct make_cert *m, const struct cert_rules *rules)
{
    struct cert c;
    CU_ASSERT_EQUAL_FATAL(
        cert_parse((struct bytes){room, make_cert(m, room, sizeof room)}, &c), ERR_OK);
    return cert_check(&c, rules, why);
}

static struct cert_rules user_rules(const char *name)
{
    return (struct cert_rules){.kind = CERT_USER, .now_s = 1500, .name = bytes_of(name)};
}

static void setup(void)
{
    ca = read_key(sample_ed25519_file);
    subject = read_key(sample_p256_file);
}

static void teardown(void)
{
    private_key_free(ca);
    private_key_free(subject);
}

static void the_wrong_kind_is_refused(void)
{
    setup();
    struct make_cert m = order();
    struct cert_rules rules = user_rules("alice");
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    rules.kind = CERT_HOST;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "it is a user certificate, not a host certificate");
    m.kind = CERT_HOST;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    rules.kind = CERT_USER;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "it is a host certificate, not a user certificate");
    static const uint32_t unknown[] = {0, 3, 0x100, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        m.kind = unknown[i];
        CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    }
    teardown();
}

static void time_begins_with_the_first_second_and_ends_before_the_last(void)
{
    static const struct {
        uint64_t after, before, now;
        const char *why;
    } cases[] = {
        {1000, 2000, 999, "not valid until 1970-01-01T00:16:40Z"},
        {1000, 2000, 1000, ""},
        {1000, 2000, 1999, ""},
        {1000, 2000, 2000, "expired since 1970-01-01T00:33:20Z"},
        {0, CERT_FOREVER, 0, ""},
        {0, CERT_FOREVER, CERT_FOREVER - 1, ""},
        {2000, 1000, 1500, "not valid until 1970-01-01T00:33:20Z"},
        {0, 1709164800, 1709164800, "expired since 2024-02-29T00:00:00Z"},
        {0, 4107542399, 4107542400, "expired since 2100-02-28T23:59:59Z"},
        {0, 951782400, 1709164800, "expired since 2000-02-29T00:00:00Z"},
        {CERT_FOREVER - 5, CERT_FOREVER, 9, "not valid until 9999-12-31T23:59:59Z"},
    };
    setup();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct make_cert m = order();
        struct cert_rules rules = user_rules("alice");
        m.valid_after = cases[i].after;
        m.valid_before = cases[i].before;
        rules.now_s = cases[i].now;
        enum err want = cases[i].why[0] == '\0' ? ERR_OK : ERR_SIGNATURE;
        CU_ASSERT_EQUAL(check_order(&m, &rules), want);
        CU_ASSERT_STRING_EQUAL(why, cases[i].why);
    }
    teardown();
}

static void validity_is_told_as_ssh_keygen_tells_it(void)
{
    static const struct {
        uint64_t after, before;
        const char *text;
    } cases[] = {
        {0, CERT_FOREVER, "forever"},
        {86400, CERT_FOREVER, "after 1970-01-02T00:00:00Z"},
        {0, 86400, "before 1970-01-02T00:00:00Z"},
        {86400, 172800, "from 1970-01-02T00:00:00Z to 1970-01-03T00:00:00Z"},
    };
    for (size_t i = 0; i < 4; i++) {
        char text[CERT_VALIDITY_MAX];
        struct cert c = {.valid_after = cases[i].after, .valid_before = cases[i].before};
        cert_validity_text(&c, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

static void a_name_must_be_listed_to_the_letter(void)
{
    setup();
    struct make_cert m = order();
    static const char *const others[] = {"carol", "", "alic", "alice ", "Alice", "alice,bob"};
    struct cert_rules rules = user_rules("bob");
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        rules = user_rules(others[i]);
        CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    }
    rules = user_rules("a\x1b[2Jb");
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "principal 'a\\x1b[2Jb' is not listed");
    rules.any_principal = true;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    m.principals = NULL;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "it lists no principals");
    teardown();
}

static void host_certificates_may_have_patterns_and_users_none(void)
{
    setup();
    struct make_cert m = order();
    m.kind = CERT_HOST;
    m.principals = "gate,*.inner.example";
    struct cert_rules rules = {.kind = CERT_HOST, .now_s = 1500, .has_patterns = true};
    static const char *const good[] = {"gate", "a.inner.example", "a.b.inner.example"};
    static const char *const bad[] = {"gat", "gate2", "inner.example", "a.inner.example.evil"};
    for (size_t i = 0; i < 3; i++) {
        rules.name = bytes_of(good[i]);
        CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        rules.name = bytes_of(bad[i]);
        CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    }
    rules.name = bytes_of("a.inner.example");
    rules.has_patterns = false;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    teardown();
}

static void an_unknown_critical_option_refuses_and_an_unknown_extension_does_not(void)
{
    setup();
    struct make_cert m = order();
    struct cert_rules rules = user_rules("alice");
    m.critical = "force-command=x;verify-required";
    m.extensions = "permit-pty;unheard-of@example.com";
    rules.critical = "verify-required,force-command";
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    rules.critical = "force-command";
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "critical option 'verify-required' is not known");
    rules.critical = NULL;
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "critical option 'force-command' is not known");
    teardown();
}

static void options_stand_in_order_and_once(void)
{
    static const char *const bad[] = {"b;a", "a;a", "a;b;b", "", "=x", "b;a;c", "force;forc"};
    setup();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct make_cert m = order();
        m.critical = bad[i];
        CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
        m.critical = NULL;
        m.extensions = bad[i];
        CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    }
    struct make_cert m = order();
    m.raw_critical = BYTES_LIT("\0\0\0\1a\0\0\0\1"); /* data cut short */
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    m.raw_critical = BYTES_LIT("\0\0\0\1a");
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    teardown();
}

static void principals_are_whole_and_few(void)
{
    setup();
    struct make_cert m = order();
    m.raw_principals = BYTES_LIT("\0\0\0\3ab");
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    m.raw_principals = BYTES_LIT("\0\0\0\3a\0b");
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    m = order();
    m.principals = NULL;
    m.n_principals = CERT_PRINCIPALS_MAX;
    CU_ASSERT_EQUAL(parse_order(&m), ERR_OK);
    m.n_principals++;
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    teardown();
}

static void an_authority_is_a_plain_key_that_did_sign(void)
{
    setup();
    struct make_cert m = order();
    struct cert_rules rules = user_rules("alice");
    uint8_t inner[KEY_BLOB_MAX];
    m.ca_blob = private_key_blob(subject); /* another key of another type */
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "its authority's signature does not verify");
    struct private_key *other = read_key(sample_rsa_file);
    m = order();
    m.ca = other;
    m.ca_algorithm = "rsa-sha2-256";
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_OK);
    m.ca_blob = private_key_blob(ca);
    CU_ASSERT_EQUAL(check_order(&m, &rules), ERR_SIGNATURE);
    private_key_free(other);

    m = order(); /* a chain: the authority is itself certified */
    m.ca_blob = (struct bytes){inner, make_cert(&m, inner, sizeof inner)};
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    m.ca_blob = BYTES_LIT("\0\0\0\7ssh-dss\0\0\0\0");
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    m.ca_blob = (struct bytes){private_key_blob(ca).p, private_key_blob(ca).n - 1};
    CU_ASSERT_EQUAL(parse_order(&m), ERR_MALFORMED);
    teardown();
}

/* An RSA authority that signs with SHA-1 cannot even be named. */
static void sha1_is_not_among_the_algorithms_of_authorities(void)
{
    CU_ASSERT_FALSE(namelist_has_cstr(bytes_of(key_signature_names()), "ssh-rsa"));
    struct cert c;
    struct bytes blob = blob_of(&samples[0]); /* its authority signs with rsa-sha2-512 */
    struct cert_rules rules = rules_for(&samples[0]);
    CU_ASSERT_EQUAL_FATAL(cert_parse(blob, &c), ERR_OK);
    uint8_t signature[KEY_SIGNATURE_MAX];
    struct wire_writer w = wire_writer(signature, sizeof signature);
    struct wire_reader r = wire_reader(c.signature);
    (void)wire_string(&r);
    wire_put_cstring(&w, "ssh-rsa");
    wire_put_string(&w, wire_string(&r));
    c.signature = wire_written(&w);
    CU_ASSERT_EQUAL(cert_check(&c, &rules, why), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(
        why, "its authority signed with ssh-rsa, which CASignatureAlgorithms does not allow");
    rules.ca_algorithms = "ssh-rsa"; /* not even when asked for */
    CU_ASSERT_EQUAL(cert_check(&c, &rules, why), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(why, "its authority's signature does not verify");
}

static void options_are_found_by_name(void)
{
    setup();
    struct make_cert m = order();
    struct bytes data = {NULL, 0}, inner;
    struct cert c;
    m.critical = "force-command=/bin/true;verify-required";
    CU_ASSERT_EQUAL_FATAL(
        cert_parse((struct bytes){room, make_cert(&m, room, sizeof room)}, &c), ERR_OK);
    CU_ASSERT_TRUE(cert_has_option(c.critical, "force-command", &data));
    struct wire_reader r = wire_reader(data);
    inner = wire_string(&r);
    CU_ASSERT_TRUE(wire_done(&r) && bytes_is(inner, "/bin/true"));
    CU_ASSERT_TRUE(cert_has_option(c.critical, "verify-required", NULL));
    CU_ASSERT_FALSE(cert_has_option(c.critical, "force", NULL));
    CU_ASSERT_FALSE(cert_has_option(c.extensions, "force-command", NULL));
    CU_ASSERT_TRUE(cert_has_principal(&c, BYTES_LIT("bob")));
    CU_ASSERT_FALSE(cert_has_principal(&c, BYTES_LIT("bo")));
    teardown();
}

static const struct unit_test tests[] = {
    UNIT(certificates_of_every_type_are_read),
    UNIT(every_algorithm_has_its_type_and_the_name_it_signs_under),
    UNIT(certificates_by_ssh_keygen_are_good_in_their_time),
    UNIT(the_key_inside_signs_under_the_plain_name),
    UNIT(a_certificate_fits_its_own_key_only),
    UNIT(every_flipped_byte_of_a_certificate_is_noticed),
    UNIT(only_the_exact_length_parses),
    UNIT(the_wrong_kind_is_refused),
    UNIT(time_begins_with_the_first_second_and_ends_before_the_last),
    UNIT(validity_is_told_as_ssh_keygen_tells_it),
    UNIT(a_name_must_be_listed_to_the_letter),
    UNIT(host_certificates_may_have_patterns_and_users_none),
    UNIT(an_unknown_critical_option_refuses_and_an_unknown_extension_does_not),
    UNIT(options_stand_in_order_and_once),
    UNIT(principals_are_whole_and_few),
    UNIT(an_authority_is_a_plain_key_that_did_sign),
    UNIT(sha1_is_not_among_the_algorithms_of_authorities),
    UNIT(options_are_found_by_name),
};
UNIT_MAIN("cert", tests)
