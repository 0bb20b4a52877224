/* Who may log in to aditd: lines of authorized_keys, authorities and what their certificates allow,
 * security keys, lists of networks. */
#include "cli/authorized.h"

#include <stdio.h>
#include <string.h>

#include "cli/cidr.h"
#include "tests/unit/cli/fixture.h"
#include "tests/unit/crypto/make_cert.h"
#include "tests/unit/crypto/read_key.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"

#define AUTHORITY "ssh-ed25519 ", sample_ed25519_public
#define SUBJECT   "ecdsa-sha2-nistp256 ", sample_p256_public

static struct fixture f;
static struct private_key *ca, *subject;
static uint8_t cert_room[KEY_BLOB_MAX];

static void begin(void)
{
    fixture_begin(&f);
    ca = read_key(sample_ed25519_file);
    subject = read_key(sample_p256_file);
}

static void end(void)
{
    private_key_free(ca);
    private_key_free(subject);
    fixture_end(&f);
}

static struct authorized_query query(struct bytes key)
{
    return (struct authorized_query){
        .key = key, .user = BYTES_LIT("alice"), .address = "192.0.2.7", .now_s = 1500};
}

static struct make_cert order(void)
{
    return (struct make_cert){.key = private_key_blob(subject),
        .ca = ca,
        .kind = CERT_USER,
        .valid_after = 1000,
        .valid_before = 2000,
        .principals = "alice,bob",
        .extensions = "permit-port-forwarding;permit-pty"};
}

static struct authorized_query query_cert(const struct make_cert *m)
{
    return query((struct bytes){cert_room, make_cert(m, cert_room, sizeof cert_room)});
}

/* Asks with one line: options, type and a blank, base64. */
static bool asks(
    const struct authorized_query *q, const char *options, const char *type, const char *b64)
{
    char text[2048];
    snprintf(text, sizeof text, "# comment\n%s%s%s%s comment\n", options,
        *options != '\0' ? " " : "", type, b64);
    fixture_clear_log(&f);
    return authorized_check_text(bytes_of(text), "keys", q) == AUTHORIZED_YES;
}

static bool asks_authorities(const struct authorized_query *q, const char *text)
{
    fixture_clear_log(&f);
    return authorized_check_authorities_text(bytes_of(text), "cas", q) == AUTHORIZED_YES;
}

static void a_plain_key_is_found_by_its_line(void)
{
    begin();
    struct authorized_query q = query(private_key_blob(subject));
    static const char *const good[] = {"", "no-pty", "no-pty,no-X11-forwarding",
        "restrict,port-forwarding", "no-port-forwarding,port-forwarding", "verify-required",
        "NO-PTY", "principals=\"x\""};
    static const char *const bad[] = {"restrict", "no-port-forwarding", "cert-authority",
        "from=\"192.0.2.0/24\"", "command=\"x\"", "permitopen=\"a:1\"", "no-pty,unheard-of",
        "principals=alice", "principals=\"\"", "principals=\"a\",principals=\"b\"",
        "cert-authority=\"x\""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_TRUE(asks(&q, good[i], SUBJECT));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(asks(&q, bad[i], SUBJECT));
    CU_ASSERT_TRUE(asks(&q, "no-port-forwarding", SUBJECT) == false &&
                   fixture_logged(&f, "keys line 2: the key is not accepted: it may not forward"));
    CU_ASSERT_FALSE(asks(&q, "", AUTHORITY));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 0);
    end();
}

static void a_certificate_is_as_good_as_its_line_of_an_authority(void)
{
    begin();
    struct make_cert m = order();
    struct authorized_query q = query_cert(&m);
    CU_ASSERT_TRUE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(asks(&q, "cert-authority,no-pty", AUTHORITY));
    CU_ASSERT_FALSE(asks(&q, "", AUTHORITY));             /* a plain key's line */
    CU_ASSERT_FALSE(asks(&q, "", SUBJECT));               /* the key inside alone */
    CU_ASSERT_FALSE(asks(&q, "cert-authority", SUBJECT)); /* another authority */
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 0);
    CU_ASSERT_FALSE(asks(&q, "cert-authority,no-port-forwarding", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "may not forward ports"));
    CU_ASSERT_FALSE(asks(&q, "cert-authority,expiry-time=\"2030\"", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "is not supported here"));
    struct authorized_query plain = query(private_key_blob(ca)); /* the authority itself */
    CU_ASSERT_FALSE(asks(&plain, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(asks(&plain, "", AUTHORITY));
    end();
}

static void principals_are_the_users_name_or_those_of_the_line(void)
{
    begin();
    struct make_cert m = order();
    struct authorized_query q = query_cert(&m);
    q.user = BYTES_LIT("carol");
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f,
        "keys line 2: certificate \"made to order\" is not accepted: principal 'carol' is not "
        "listed"));
    CU_ASSERT_TRUE(asks(&q, "cert-authority,principals=\"x,bob\"", AUTHORITY));
    CU_ASSERT_TRUE(asks(&q, "principals=\"bob\",cert-authority", AUTHORITY));
    CU_ASSERT_FALSE(asks(&q, "cert-authority,principals=\"x,bobby\"", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "lists none of the line's principals"));
    CU_ASSERT_FALSE(asks(&q, "cert-authority,principals=\"carol\"", AUTHORITY));
    m.principals = NULL;
    q = query_cert(&m);
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_FALSE(asks(&q, "cert-authority,principals=\"alice\"", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "it lists no principals"));
    end();
}

static void each_rule_of_certificates_holds_at_login(void)
{
    begin();
    struct make_cert m = order();
    struct authorized_query q = query_cert(&m);
    q.now_s = 2000;
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "expired since 1970-01-01T00:33:20Z"));
    q.now_s = 999;
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "not valid until 1970-01-01T00:16:40Z"));
    m.kind = CERT_HOST;
    q = query_cert(&m);
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "host certificate, not a user certificate"));
    m = order();
    m.critical = "unheard-of";
    q = query_cert(&m);
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "critical option 'unheard-of' is not known"));
    m = order();
    q = query_cert(&m);
    cert_room[60] ^= 1; /* inside the certified key's point, or near it */
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    end();
}

/* Someone else's signature under a trusted authority's key. */
static void a_certificate_that_the_authority_did_not_sign_is_refused(void)
{
    begin();
    struct make_cert m = order();
    m.ca = subject;
    m.ca_blob = private_key_blob(ca);
    struct authorized_query q = query_cert(&m);
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    CU_ASSERT_TRUE(fixture_logged(&f, "signature does not verify"));
    end();
}

static void forwarding_must_be_allowed_by_the_certificate_too(void)
{
    static const char *const without[] = {
        NULL, "permit-pty", "permit-port-forwarding=x", "permit-port-forwarding2"};
    begin();
    for (size_t i = 0; i < 4; i++) {
        struct make_cert m = order();
        m.extensions = without[i];
        struct authorized_query q = query_cert(&m);
        CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
        CU_ASSERT_TRUE(fixture_logged(&f, "may not forward ports"));
    }
    struct make_cert m = order();
    m.critical = "force-command=/bin/true"; /* no command is run anyway */
    struct authorized_query q = query_cert(&m);
    CU_ASSERT_TRUE(asks(&q, "cert-authority", AUTHORITY));
    m.critical = "force-command"; /* without its text */
    q = query_cert(&m);
    CU_ASSERT_FALSE(asks(&q, "cert-authority", AUTHORITY));
    end();
}

static void source_addresses_are_held_to(void)
{
    static const struct {
        const char *critical, *address;
        bool good;
    } cases[] = {
        {"source-address=192.0.2.0/24", "192.0.2.7", true},
        {"source-address=2001:db8::/32,192.0.2.7", "192.0.2.7", true},
        {"source-address=192.0.2.0/24", "192.0.3.7", false},
        {"source-address=2001:db8::/32", "2001:db8:1::1", true},
        {"source-address=192.0.2.0/24,nonsense", "192.0.2.7", false},
        {"source-address=", "192.0.2.7", false},
        {"source-address", "192.0.2.7", false},
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct make_cert m = order();
        m.critical = cases[i].critical;
        struct authorized_query q = query_cert(&m);
        q.address = cases[i].address;
        CU_ASSERT_EQUAL(asks(&q, "cert-authority", AUTHORITY), cases[i].good);
    }
    end();
}

static void trusted_authorities_certify_users_for_their_own_names(void)
{
    char text[512];
    begin();
    struct make_cert m = order();
    struct authorized_query q = query_cert(&m);
    snprintf(text, sizeof text, "# ours\n\nssh-ed25519 %s ca\n", sample_ed25519_public);
    CU_ASSERT_TRUE(asks_authorities(&q, text));
    q.user = BYTES_LIT("carol");
    CU_ASSERT_FALSE(asks_authorities(&q, text));
    CU_ASSERT_TRUE(fixture_logged(&f, "cas line 3: certificate \"made to order\""));
    struct authorized_query plain = query(private_key_blob(ca));
    CU_ASSERT_FALSE(asks_authorities(&plain, text));
    q.user = BYTES_LIT("alice");
    snprintf(text, sizeof text, "cert-authority ssh-ed25519 %s\n", sample_ed25519_public);
    CU_ASSERT_FALSE(asks_authorities(&q, text));
    CU_ASSERT_TRUE(fixture_logged(&f, "cas line 1: not an authority's key"));
    CU_ASSERT_FALSE(asks_authorities(&q, ""));
    end();
}

/* ---- security keys --------------------------------------------------------------------------- */

#define SK "sk-ssh-ed25519@openssh.com ", sample_sk_ed25519_public

static void a_security_key_is_touched_unless_the_line_says_otherwise(void)
{
    static const struct {
        const char *options;
        uint8_t flags;
        bool good;
    } cases[] = {
        {"", KEY_SK_PRESENCE, true},
        {"", 0, false},
        {"", KEY_SK_VERIFIED, false},
        {"no-touch-required", 0, true},
        {"no-touch-required,touch-required", 0, false},
        {"verify-required", KEY_SK_PRESENCE, false},
        {"verify-required", KEY_SK_PRESENCE | KEY_SK_VERIFIED, true},
        {"verify-required", KEY_SK_VERIFIED, false},
        {"verify-required,no-touch-required", KEY_SK_VERIFIED, true},
        {"verify-required,no-touch-required", 0, false},
    };
    uint8_t blob[KEY_BLOB_MAX];
    size_t n;
    begin();
    CU_ASSERT_EQUAL_FATAL(key_from_base64(BYTES_LIT("sk-ssh-ed25519@openssh.com"),
                              bytes_of(sample_sk_ed25519_public), blob, sizeof blob, &n),
        ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct authorized_query q = query((struct bytes){blob, n});
        CU_ASSERT_TRUE(asks(&q, cases[i].options, SK)); /* a query: nothing was signed yet */
        q.is_signed = true;
        q.facts = (struct key_sk_facts){.is_sk = true, .flags = cases[i].flags};
        CU_ASSERT_EQUAL(asks(&q, cases[i].options, SK), cases[i].good);
    }
    end();
}

/* Line and certificate must both let a touch go; either may ask for verification. */
static void certificates_of_security_keys_add_their_own_wishes(void)
{
    static const struct {
        const char *options, *critical, *extensions;
        uint8_t flags;
        bool good;
    } cases[] = {
        {"cert-authority", NULL, "permit-port-forwarding", KEY_SK_PRESENCE, true},
        {"cert-authority", NULL, "permit-port-forwarding", 0, false},
        {"cert-authority", NULL, "no-touch-required;permit-port-forwarding", 0, false},
        {"cert-authority,no-touch-required", NULL, "permit-port-forwarding", 0, false},
        {"cert-authority,no-touch-required", NULL, "no-touch-required;permit-port-forwarding", 0,
            true},
        {"cert-authority", "verify-required", "permit-port-forwarding", KEY_SK_PRESENCE, false},
        {"cert-authority,verify-required", NULL, "permit-port-forwarding", KEY_SK_PRESENCE, false},
        {"cert-authority,verify-required", "verify-required", "permit-port-forwarding",
            KEY_SK_PRESENCE | KEY_SK_VERIFIED, true},
        {"cert-authority", "verify-required=x", "permit-port-forwarding",
            KEY_SK_PRESENCE | KEY_SK_VERIFIED, false},
    };
    begin();
    uint8_t blob[KEY_BLOB_MAX];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(key_from_base64(BYTES_LIT("sk-ssh-ed25519@openssh.com"),
                              bytes_of(sample_sk_ed25519_public), blob, sizeof blob, &n),
        ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct make_cert m = order();
        m.key = (struct bytes){blob, n};
        m.critical = cases[i].critical;
        m.extensions = cases[i].extensions;
        struct authorized_query q = query_cert(&m);
        q.is_signed = true;
        q.facts = (struct key_sk_facts){.is_sk = true, .flags = cases[i].flags};
        CU_ASSERT_EQUAL(asks(&q, cases[i].options, AUTHORITY), cases[i].good);
    }
    end();
}

/* ---- networks -------------------------------------------------------------------------------- */

static void networks_match_by_their_bits(void)
{
    static const struct {
        const char *address, *list;
        enum cidr_match match;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7", CIDR_YES},
        {"192.0.2.7", "192.0.2.8", CIDR_NO},
        {"192.0.2.7", "192.0.2.0/24", CIDR_YES},
        {"192.0.2.7", "192.0.2.4/30", CIDR_YES},
        {"192.0.2.8", "192.0.2.4/30", CIDR_NO},
        {"192.0.2.7", "0.0.0.0/0", CIDR_YES},
        {"192.0.2.7", "::/0", CIDR_NO},
        {"2001:db8::1", "0.0.0.0/0", CIDR_NO},
        {"2001:db8::1", "::/0", CIDR_YES},
        {"2001:db8:ffff::1", "2001:db8::/33", CIDR_NO},
        {"2001:db8:7fff::1", "2001:db8::/33", CIDR_YES},
        {"::ffff:192.0.2.7", "192.0.2.0/24", CIDR_YES},
        {"fe80::1%eth0", "fe80::/10", CIDR_YES},
        {"192.0.2.7", "10.0.0.0/8,192.0.2.0/24", CIDR_YES},
        {"192.0.2.7", "10.0.0.0/8,172.16.0.0/12", CIDR_NO},
        {"192.0.2.7", "192.0.2.1/24", CIDR_BAD}, /* a bit behind the mask */
        {"192.0.2.7", "192.0.2.0/33", CIDR_BAD},
        {"192.0.2.7", "192.0.2.0/-1", CIDR_BAD},
        {"192.0.2.7", "192.0.2.0/", CIDR_BAD},
        {"192.0.2.7", "192.0.2.7,", CIDR_BAD},
        {"192.0.2.7", ",192.0.2.7", CIDR_BAD},
        {"192.0.2.7", "", CIDR_BAD},
        {"192.0.2.7", "host.example", CIDR_BAD},
        {"192.0.2.7", "192.0.2.7,!10.0.0.0/8", CIDR_BAD},
        {"192.0.2.7", "192.0.2", CIDR_BAD},
        {"nonsense", "192.0.2.7", CIDR_BAD},
        {"", "192.0.2.7", CIDR_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CU_ASSERT_EQUAL(cidr_list_match(cases[i].address, bytes_of(cases[i].list)), cases[i].match);
}

static const struct unit_test tests[] = {
    UNIT(a_plain_key_is_found_by_its_line),
    UNIT(a_certificate_is_as_good_as_its_line_of_an_authority),
    UNIT(principals_are_the_users_name_or_those_of_the_line),
    UNIT(each_rule_of_certificates_holds_at_login),
    UNIT(a_certificate_that_the_authority_did_not_sign_is_refused),
    UNIT(forwarding_must_be_allowed_by_the_certificate_too),
    UNIT(source_addresses_are_held_to),
    UNIT(trusted_authorities_certify_users_for_their_own_names),
    UNIT(a_security_key_is_touched_unless_the_line_says_otherwise),
    UNIT(certificates_of_security_keys_add_their_own_wishes),
    UNIT(networks_match_by_their_bits),
};
UNIT_MAIN("authorized", tests)
