/* Certificates in the client: of hosts against known_hosts, of users beside their identities. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/base64.h"
#include "cli/host_cert.h"
#include "cli/identity.h"
#include "tests/unit/cli/fixture.h"
#include "tests/unit/crypto/make_cert.h"
#include "tests/unit/crypto/read_key.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"

#define CA       "ssh-ed25519 ", sample_ed25519_public
#define OTHER_CA "ssh-rsa ", sample_rsa_public
#define HOST_KEY "ecdsa-sha2-nistp256 ", sample_p256_public

static struct fixture f;
static struct private_key *ca, *subject;
static uint8_t cert_room[KEY_BLOB_MAX];

static void begin(const char *line)
{
    fixture_begin(&f);
    ca = read_key(sample_ed25519_file);
    subject = read_key(sample_p256_file);
    CU_ASSERT_FATAL(fixture_parse(&f, line) == OPTIONS_RUN && options_finish(&f.o));
}

static void end(void)
{
    private_key_free(ca);
    private_key_free(subject);
    fixture_end(&f);
}

static struct make_cert order(enum cert_kind kind, const char *principals)
{
    return (struct make_cert){.key = private_key_blob(subject),
        .ca = ca,
        .kind = kind,
        .valid_before = CERT_FOREVER,
        .principals = principals};
}

static struct bytes made(const struct make_cert *m)
{
    return (struct bytes){cert_room, make_cert(m, cert_room, sizeof cert_room)};
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static char lines[4096];

static void line(const char *hosts, const char *type, const char *b64)
{
    size_t n = strlen(lines);
    snprintf(lines + n, sizeof lines - n, "%s %s%s\n", hosts, type, b64);
}

static enum host_cert decide(
    const char *host, uint16_t port, struct bytes key, struct hosts_answer *answer)
{
    struct hosts_answer ignored;
    char path[512];
    fixture_write(&f, "home/.ssh/known_hosts", lines);
    fixture_clear_log(&f);
    snprintf(path, sizeof path, "%s", fixture_path(&f, "home/.ssh/known_hosts"));
    const char *files[] = {path};
    struct hosts_query q = {.host = host, .port = port, .files = files, .n_files = 1};
    return host_cert_decide(&f.o, &q, key, answer != NULL ? answer : &ignored);
}

static void an_authority_of_the_host_vouches_for_its_certificate(void)
{
    begin("host");
    struct make_cert m = order(CERT_HOST, "gate,*.inner.example");
    struct bytes cert = made(&m);
    lines[0] = '\0';
    CU_ASSERT_EQUAL(decide("gate", 22, cert, NULL), HOST_CERT_PLAIN);
    line("@cert-authority other", CA);
    CU_ASSERT_EQUAL(decide("gate", 22, cert, NULL), HOST_CERT_PLAIN);
    line("@cert-authority gate,*.example", CA);
    CU_ASSERT_EQUAL(decide("gate", 22, cert, NULL), HOST_CERT_TRUSTED);
    CU_ASSERT_EQUAL(decide("gate", 2222, cert, NULL), HOST_CERT_TRUSTED); /* as for plain keys */
    CU_ASSERT_EQUAL(decide("a.inner.example", 22, cert, NULL), HOST_CERT_TRUSTED);
    CU_ASSERT_EQUAL(f.log_n, 0);
    CU_ASSERT_EQUAL(decide("b.example", 22, cert, NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "Host certificate \"made to order\" of b.example is not "
                                      "accepted: principal 'b.example' is not listed"));
    end();
}

static void lines_of_plain_keys_say_nothing_about_authorities(void)
{
    begin("host");
    struct make_cert m = order(CERT_HOST, "gate");
    struct bytes cert = made(&m);
    struct hosts_answer answer;
    lines[0] = '\0';
    line("gate", CA); /* not marked */
    line("gate", HOST_KEY);
    line("@cert-authority gate", HOST_KEY);
    CU_ASSERT_EQUAL(decide("gate", 22, cert, &answer), HOST_CERT_PLAIN);
    CU_ASSERT_EQUAL(answer.verdict, HOSTS_CHANGED);
    CU_ASSERT_EQUAL(answer.line, 3);
    uint8_t room[KEY_BLOB_MAX];
    CU_ASSERT_TRUE(bytes_equal(cert_plain_blob(cert, room), private_key_blob(subject)));
    CU_ASSERT_TRUE(bytes_equal(cert_plain_blob(private_key_blob(ca), room), private_key_blob(ca)));
    CU_ASSERT_EQUAL(decide("gate", 22, private_key_blob(ca), NULL), HOST_CERT_PLAIN);
    end();
}

static void a_revoked_key_or_authority_ends_it(void)
{
    begin("host");
    struct make_cert m = order(CERT_HOST, "gate");
    struct bytes cert = made(&m);
    struct hosts_answer answer;
    for (int i = 0; i < 4; i++) {
        lines[0] = '\0';
        line("@cert-authority gate", CA);
        if (i == 0)
            line("@revoked gate", CA);
        else if (i == 1)
            line("@revoked *", HOST_KEY);
        else if (i == 2)
            line("@revoked gate", OTHER_CA);
        else
            line("@revoked other", CA);
        enum host_cert want = i < 2 ? HOST_CERT_REFUSED : HOST_CERT_TRUSTED;
        CU_ASSERT_EQUAL(decide("gate", 22, cert, &answer), want);
        CU_ASSERT_EQUAL(answer.verdict, i < 2 ? HOSTS_REVOKED : HOSTS_KNOWN);
    }
    lines[0] = '\0'; /* without a line that trusts it, too */
    line("@revoked gate", CA);
    CU_ASSERT_EQUAL(decide("gate", 22, cert, NULL), HOST_CERT_REFUSED);
    end();
}

static void a_file_that_cannot_be_read_refuses(void)
{
    begin("host");
    struct make_cert m = order(CERT_HOST, "gate");
    const char *files[] = {f.root}; /* a folder */
    struct hosts_query q = {.host = "gate", .port = 22, .files = files, .n_files = 1};
    struct hosts_answer answer;
    CU_ASSERT_EQUAL(host_cert_decide(&f.o, &q, made(&m), &answer), HOST_CERT_REFUSED);
    CU_ASSERT_EQUAL(answer.verdict, HOSTS_REFUSED);
    end();
}

static void a_bad_host_certificate_is_named_and_passed_over(void)
{
    begin("-oCASignatureAlgorithms=ssh-ed25519 host");
    lines[0] = '\0';
    line("@cert-authority gate", CA);
    line("@cert-authority gate", OTHER_CA);
    struct make_cert m = order(CERT_HOST, "gate");
    m.valid_before = 1700000000;
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "expired since 2023-11-14T22:13:20Z"));
    m = order(CERT_HOST, "gate");
    m.valid_after = CERT_FOREVER - 1;
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "not valid until"));
    m = order(CERT_USER, "gate");
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "it is a user certificate, not a host certificate"));
    m = order(CERT_HOST, "gate");
    m.critical = "force-command=x"; /* known for users, not for hosts */
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "critical option 'force-command' is not known"));
    struct private_key *rsa = read_key(sample_rsa_file);
    m = order(CERT_HOST, "gate");
    m.ca = rsa;
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "signed with rsa-sha2-512, which CASignatureAlgorithms"));
    m.ca_blob = private_key_blob(ca);
    m.ca = subject;
    CU_ASSERT_EQUAL(decide("gate", 22, made(&m), NULL), HOST_CERT_PLAIN);
    CU_ASSERT_TRUE(fixture_logged(&f, "which CASignatureAlgorithms"));
    private_key_free(rsa);
    end();
}

static void order_is(const char *list, const char *expected)
{
    char out[512], path[512];
    fixture_write(&f, "home/.ssh/known_hosts", lines);
    snprintf(path, sizeof path, "%s", fixture_path(&f, "home/.ssh/known_hosts"));
    const char *files[] = {path};
    struct hosts_query q = {.host = "gate", .port = 22, .files = files, .n_files = 1};
    CU_ASSERT(hosts_order_algorithms(&q, list, out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, expected);
}

#define C_ED  "ssh-ed25519-cert-v01@openssh.com"
#define C_EC  "ecdsa-sha2-nistp256-cert-v01@openssh.com"
#define C_RSA "rsa-sha2-512-cert-v01@openssh.com"
#define PLAIN "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512"

static void certificates_are_asked_for_first_where_an_authority_is_known(void)
{
    static const char all[] = C_ED "," C_EC "," C_RSA "," PLAIN;
    begin("host");
    lines[0] = '\0';
    order_is(all, all);
    line("gate", OTHER_CA); /* a plain RSA key */
    order_is(all, C_RSA ",rsa-sha2-512," C_ED "," C_EC ",ssh-ed25519,ecdsa-sha2-nistp256");
    line("@cert-authority gate", HOST_KEY);
    order_is(all, C_ED "," C_EC "," C_RSA ",rsa-sha2-512,ssh-ed25519,ecdsa-sha2-nistp256");
    order_is(PLAIN "," C_ED, "rsa-sha2-512," C_ED ",ssh-ed25519,ecdsa-sha2-nistp256");
    line("gate", CA); /* a plain key of the first type: the list as it stands */
    order_is(all, all);
    end();
}

/* ---- users ----------------------------------------------------------------------------------- */

static const struct identity_asker nobody = {NULL, NULL, 0};

static void write_text(const char *name, const char *type, struct bytes blob)
{
    static char b64[2 * KEY_BLOB_MAX], text[2 * KEY_BLOB_MAX + 128];
    base64_encode(blob, b64);
    snprintf(text, sizeof text, "%s %s a comment\n", type, b64);
    fixture_write(&f, name, text);
}

#define C_P256 "ecdsa-sha2-nistp256-cert-v01@openssh.com"

static void write_cert(const char *name, const struct make_cert *m)
{
    write_text(name, C_P256, made(m));
}

/* id_ecdsa with its .pub, both keys below ~/.ssh. */
static void write_keys(bool with_public)
{
    fixture_write(&f, "home/.ssh/id_rsa", sample_rsa_file);
    fixture_write(&f, "home/.ssh/id_ecdsa", sample_p256_file);
    if (with_public)
        write_text("home/.ssh/id_ecdsa.pub", "ecdsa-sha2-nistp256", private_key_blob(subject));
}

static bool ends_with(const char *text, const char *end_text)
{
    size_t n = strlen(text), m = strlen(end_text);
    return n >= m && strcmp(text + n - m, end_text) == 0;
}

static void a_certificate_beside_a_key_follows_it(void)
{
    begin("host");
    struct identities ids;
    struct make_cert m = order(CERT_USER, "alice");
    write_keys(true);
    write_cert("home/.ssh/id_ecdsa-cert.pub", &m);
    CU_ASSERT_TRUE(identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    CU_ASSERT_TRUE(ends_with(ids.list[0].path, "/id_rsa") && !ids.list[0].is_certificate);
    CU_ASSERT_TRUE(ends_with(ids.list[1].path, "/id_ecdsa") && !ids.list[1].is_certificate);
    CU_ASSERT_TRUE(ends_with(ids.list[2].path, "/id_ecdsa") && ids.list[2].is_certificate);
    CU_ASSERT_TRUE(bytes_equal((struct bytes){ids.list[2].blob, ids.list[2].blob_n},
        (struct bytes){cert_room, ids.list[2].blob_n}));
    CU_ASSERT_PTR_EQUAL(identities_signer(&ids, &ids.list[2], &nobody), &ids.list[1]);
    CU_ASSERT_PTR_EQUAL(identities_signer(&ids, &ids.list[0], &nobody), &ids.list[0]);
    CU_ASSERT_EQUAL(f.log_n, 0);
    identities_free(&ids);
    end();
}

static void certificates_that_are_named_come_first_and_alone(void)
{
    begin("-oCertificateFile=~/%r-cert -oCertificateFile=~/gone -l alice host");
    struct identities ids;
    struct make_cert m = order(CERT_USER, "alice");
    write_keys(true);
    write_cert("home/.ssh/id_ecdsa-cert.pub", &m);
    write_cert("home/alice-cert", &m);
    CU_ASSERT_TRUE(identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    CU_ASSERT_TRUE(ends_with(ids.list[0].path, "/alice-cert") && ids.list[0].is_certificate);
    CU_ASSERT_TRUE(!ids.list[1].is_certificate && !ids.list[2].is_certificate);
    CU_ASSERT_PTR_EQUAL(identities_signer(&ids, &ids.list[0], &nobody), &ids.list[2]);
    CU_ASSERT_TRUE(fixture_logged(&f, "no such certificate: "));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
    identities_free(&ids);
    end();
}

static void a_signer_is_found_by_what_its_file_tells(void)
{
    begin("-i ~/.ssh/id_rsa -i ~/.ssh/id_ecdsa host");
    struct identities ids;
    struct make_cert m = order(CERT_USER, "alice");
    write_keys(false);
    write_cert("home/.ssh/id_rsa-cert.pub", &m); /* beside the wrong key */
    CU_ASSERT_TRUE(identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    CU_ASSERT_TRUE(ids.list[1].is_certificate);
    CU_ASSERT_PTR_EQUAL(identities_signer(&ids, &ids.list[1], &nobody), &ids.list[2]);
    CU_ASSERT_PTR_NULL(ids.list[2].key); /* no passphrase was needed for that */
    identities_free(&ids);
    m.key = private_key_blob(ca);
    write_text("home/.ssh/id_rsa-cert.pub", "ssh-ed25519-cert-v01@openssh.com", made(&m));
    CU_ASSERT_TRUE(identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    CU_ASSERT_PTR_NULL(identities_signer(&ids, &ids.list[1], &nobody));
    identities_free(&ids);
    end();
}

static void files_that_hold_no_user_certificate_are_passed_over(void)
{
    static const char name[] = "home/cert.pub";
    struct identities ids;
    begin("-oCertificateFile=~/cert.pub host");
    struct make_cert m = order(CERT_HOST, "gate");
    write_cert(name, &m);
    CU_ASSERT_TRUE(identities_find(&ids, &f.o) && ids.n == 0);
    CU_ASSERT_TRUE(fixture_logged(&f, "cert.pub: not a user certificate"));
    identities_free(&ids);
    write_text(name, "ecdsa-sha2-nistp256", private_key_blob(subject));
    CU_ASSERT_TRUE(identities_find(&ids, &f.o) && ids.n == 0);
    CU_ASSERT_TRUE(fixture_logged(&f, "cert.pub: expected one line: type, base64, comment"));
    identities_free(&ids);
    fixture_write(&f, name, "");
    CU_ASSERT_TRUE(identities_find(&ids, &f.o) && ids.n == 0);
    CU_ASSERT_TRUE(fixture_logged(&f, "cert.pub: the file is empty"));
    identities_free(&ids);
    end();
}

/* As ssh does: the server's clock is the one that counts. */
static void a_certificate_out_of_its_time_is_kept_and_noted(void)
{
    struct identities ids;
    begin("host");
    struct make_cert m = order(CERT_USER, "alice");
    m.valid_before = 86400;
    write_keys(true);
    write_cert("home/.ssh/id_ecdsa-cert.pub", &m);
    CU_ASSERT_TRUE(identities_find(&ids, &f.o) && ids.n == 3);
    CU_ASSERT_TRUE(fixture_logged(&f, "not valid now, but before 1970-01-02T00:00:00Z"));
    identities_free(&ids);
    end();
}

static void running_out_of_memory_is_an_error(void)
{
    if (!fixture_fail_allocation(-1))
        return;
    bool happened = true;
    for (long n = 0; happened && n < 200; n++) {
        struct identities ids;
        begin("-oCertificateFile=~/cert.pub host");
        struct make_cert m = order(CERT_USER, "alice");
        write_keys(true);
        write_cert("home/cert.pub", &m);
        fixture_fail_allocation(n);
        bool ok = identities_find(&ids, &f.o) && ids.n == 3;
        happened = fixture_has_failed();
        fixture_fail_allocation(-1);
        CU_ASSERT(ok || (happened && f.log_n > 0));
        identities_free(&ids);
        end();
    }
    CU_ASSERT(!happened);
}

static void keywords_of_certificates_are_read_and_printed(void)
{
    begin("-oCertificateFile=~/a -oCertificateFile=/b -oCASignatureAlgorithms=-rsa-sha2-* host");
    char *text = options_print_dup(&f.o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/home/a\ncertificatefile /b\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
        "casignaturealgorithms ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
        "ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com\n"));
    free(text);
    end();
    fixture_begin(&f);
    CU_ASSERT_EQUAL(
        fixture_parse(&f, "-oCASignatureAlgorithms=ssh-ed25519-cert-v01@openssh.com host"),
        OPTIONS_BAD);
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(an_authority_of_the_host_vouches_for_its_certificate),
    UNIT(lines_of_plain_keys_say_nothing_about_authorities),
    UNIT(a_revoked_key_or_authority_ends_it),
    UNIT(a_file_that_cannot_be_read_refuses),
    UNIT(a_bad_host_certificate_is_named_and_passed_over),
    UNIT(certificates_are_asked_for_first_where_an_authority_is_known),
    UNIT(a_certificate_beside_a_key_follows_it),
    UNIT(certificates_that_are_named_come_first_and_alone),
    UNIT(a_signer_is_found_by_what_its_file_tells),
    UNIT(files_that_hold_no_user_certificate_are_passed_over),
    UNIT(a_certificate_out_of_its_time_is_kept_and_noted),
    UNIT(running_out_of_memory_is_an_error),
    UNIT(keywords_of_certificates_are_read_and_printed),
};
UNIT_MAIN("certificate", tests)
