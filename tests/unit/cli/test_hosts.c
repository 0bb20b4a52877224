#include "cli/hosts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/base64.h"
#include "crypto/key.h"
#include "tests/unit/cli/fixture.h"

#define ED   "AAAAC3NzaC1lZDI1NTE5AAAAII2WikSXA/om+NBOiAn0LQSkPR7VpoVYZdYdapLI1yyy"
#define ED_2 "AAAAC3NzaC1lZDI1NTE5AAAAIFhCFBtSqmDtCNP4MfSY4kx2cmBVVkiT/vrHAuKD+N20"
#define EC                                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLyH1LUtNrTZvjU8ncRWdTPEIk1xnKQy5Xu9Iw5f" \
    "vQPS/G0PWQQ7RfMwwNHr9v2VjwcV+Ifx9p4Ppw/4NZY2m2A="
#define SK                                                                                         \
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAA" \
    "BHNzaDo="
#define DSA    "AAAAB3NzaC1kc3M="
#define L_ED   "ssh-ed25519 " ED "\n"
#define L_ED_2 "ssh-ed25519 " ED_2 "\n"
#define L_EC   "ecdsa-sha2-nistp256 " EC "\n"
#define L_SK   "sk-ssh-ed25519@openssh.com " SK "\n"

/* A key blob by its base64. */
struct blob {
    uint8_t bytes[256];
    size_t n;
};
static struct bytes key_of(struct blob *b, const char *type, const char *b64)
{
    enum err e = key_from_base64(bytes_of(type), bytes_of(b64), b->bytes, sizeof b->bytes, &b->n);
    CU_ASSERT_EQUAL(e, ERR_OK);
    return (struct bytes){b->bytes, b->n};
}

/* Asks the two files of f, user's then system's, for the Ed25519 key b64. */
static enum hosts_verdict ask(struct fixture *f, const char *host, uint16_t port, const char *b64,
    struct hosts_answer *answer)
{
    char user[128], system[128];
    struct blob b;
    struct hosts_answer ignored;
    snprintf(user, sizeof user, "%s", fixture_path(f, "home/.ssh/known_hosts"));
    snprintf(system, sizeof system, "%s", fixture_path(f, "etc/ssh_known_hosts"));
    const char *files[] = {user, system};
    struct hosts_query q = {.host = host, .port = port, .files = files, .n_files = 2};
    return hosts_lookup(&q, key_of(&b, "ssh-ed25519", b64), answer != NULL ? answer : &ignored);
}

static enum hosts_verdict ask_text(const char *text, const char *host, uint16_t port)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/known_hosts", text);
    enum hosts_verdict v = ask(&f, host, port, ED, NULL);
    fixture_end(&f);
    return v;
}

/* The server shows the key ED, as host "h" on port 22 unless the line says more. */
static void each_kind_of_line_gives_its_verdict(void)
{
    static const struct {
        const char *text;
        enum hosts_verdict verdict;
    } cases[] = {
        {"", HOSTS_UNKNOWN},
        {"h " L_ED, HOSTS_KNOWN},
        {"h ssh-ed25519 " ED, HOSTS_KNOWN}, /* no newline at the end */
        {"H " L_ED, HOSTS_KNOWN},
        {"a,h,b " L_ED, HOSTS_KNOWN},
        {"h " L_ED_2, HOSTS_CHANGED},
        {"h " L_ED_2 "h " L_ED, HOSTS_KNOWN},
        {"h " L_ED "h " L_ED_2, HOSTS_KNOWN},
        {"h " L_EC, HOSTS_OTHER_TYPE},
        {"h " L_SK, HOSTS_OTHER_TYPE},
        {"h " L_EC "h " L_ED_2, HOSTS_CHANGED},
        {"other " L_ED, HOSTS_UNKNOWN},
        {"[h]:2222 " L_ED, HOSTS_UNKNOWN},
        {"* " L_ED, HOSTS_KNOWN},
        {"*,!h " L_ED, HOSTS_UNKNOWN},
        {"?? " L_ED, HOSTS_UNKNOWN},
        {"@cert-authority h " L_ED, HOSTS_UNKNOWN},
        {"@cert-authority h " L_ED_2, HOSTS_UNKNOWN},
        {"@revoked h " L_ED, HOSTS_REVOKED},
        {"h " L_ED "@revoked * " L_ED, HOSTS_REVOKED},
        {"@revoked h " L_ED "h " L_ED, HOSTS_REVOKED},
        {"@revoked h " L_ED_2, HOSTS_UNKNOWN},
        {"@revoked other " L_ED, HOSTS_UNKNOWN},
        {"h ssh-dss " DSA "\n", HOSTS_UNKNOWN},
        {"h ssh-ed25519 !!!!\nh " L_ED, HOSTS_KNOWN},
        {"h ssh-rsa " ED "\n", HOSTS_UNKNOWN}, /* its inner type is another: a bad line */
        {"@bogus h " L_ED, HOSTS_UNKNOWN},
        {"# h " L_ED, HOSTS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(ask_text(cases[i].text, "h", 22), cases[i].verdict);
        if (ask_text(cases[i].text, "h", 22) != cases[i].verdict)
            printf("    case %zu: %.40s\n", i, cases[i].text);
    }
}

static void another_port_is_another_host(void)
{
    CU_ASSERT_EQUAL(ask_text("[h]:2222 " L_ED, "h", 2222), HOSTS_KNOWN);
    CU_ASSERT_EQUAL(ask_text("[h]:2222 " L_ED_2, "h", 2222), HOSTS_CHANGED);
    CU_ASSERT_EQUAL(ask_text("[h]:2223 " L_ED, "h", 2222), HOSTS_UNKNOWN);
    CU_ASSERT_EQUAL(ask_text("[::1]:2222 " L_ED, "::1", 2222), HOSTS_KNOWN);
    /* As in ssh: the plain name vouches for a key on any port, but does not accuse one. */
    CU_ASSERT_EQUAL(ask_text("h " L_ED, "h", 2222), HOSTS_KNOWN);
    CU_ASSERT_EQUAL(ask_text("h " L_ED_2, "h", 2222), HOSTS_UNKNOWN);
    CU_ASSERT_EQUAL(ask_text("[h]:2222 " L_ED_2 "h " L_ED, "h", 2222), HOSTS_CHANGED);
    CU_ASSERT_EQUAL(ask_text("@revoked h " L_ED, "h", 2222), HOSTS_REVOKED);
}

/* Made by ssh-keygen -H from "hashed.example.com" and "[hashed.example.com]:2222". */
static void hashed_names_of_ssh_keygen_match(void)
{
    static const char text[] = "|1|BnL2Zl7yCgcN+msT/Yym08MtABg=|5DJAddHLDoEy0ZQSYCzehbeF5Po= " L_ED;
    static const char with_port[] =
        "|1|yKv7s1MoaW1hD1lkfL6eTBokxPs=|ppZmA6aWQmkTRR7R0dlzZYFxyq4= " L_ED;
    CU_ASSERT_EQUAL(ask_text(text, "hashed.example.com", 22), HOSTS_KNOWN);
    CU_ASSERT_EQUAL(ask_text(text, "HASHED.example.com", 22), HOSTS_KNOWN);
    CU_ASSERT_EQUAL(ask_text(text, "hashed.example.co", 22), HOSTS_UNKNOWN);
    CU_ASSERT_EQUAL(ask_text(with_port, "hashed.example.com", 2222), HOSTS_KNOWN);
    CU_ASSERT_EQUAL(ask_text(with_port, "hashed.example.com", 22), HOSTS_UNKNOWN);
    CU_ASSERT_EQUAL(ask_text("|1|AAAA|BBBB " L_ED, "h", 22), HOSTS_UNKNOWN);
}

static void the_answer_names_file_and_line(void)
{
    struct fixture f;
    struct hosts_answer a;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/known_hosts", "# one\n\nh " L_EC "h " L_ED_2);
    fixture_write(&f, "etc/ssh_known_hosts", "x " L_ED "@revoked h " L_ED);
    CU_ASSERT_EQUAL(ask(&f, "h", 22, ED, &a), HOSTS_REVOKED);
    CU_ASSERT(strstr(a.file, "/etc/ssh_known_hosts") != NULL && a.line == 2);
    fixture_write(&f, "etc/ssh_known_hosts", "");
    CU_ASSERT_EQUAL(ask(&f, "h", 22, ED, &a), HOSTS_CHANGED);
    CU_ASSERT(strstr(a.file, "/home/.ssh/known_hosts") != NULL && a.line == 4);
    fixture_end(&f);
}

static void a_bad_line_is_skipped_with_a_warning(void)
{
    struct fixture f;
    static char text[HOSTS_LINE_MAX + 400];
    fixture_begin(&f);
    memset(text, 'x', HOSTS_LINE_MAX + 1);
    strcpy(text + HOSTS_LINE_MAX + 1, " " L_ED "nonsense\nh " L_ED);
    fixture_write(&f, "home/.ssh/known_hosts", text);
    CU_ASSERT_EQUAL(ask(&f, "h", 22, ED, NULL), HOSTS_KNOWN);
    CU_ASSERT(fixture_logged(&f, "known_hosts:1: skipped: line too long"));
    CU_ASSERT(fixture_logged(&f, "known_hosts:2: skipped: "));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 2);
    fixture_end(&f);
}

static void what_cannot_be_read_is_refused(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/known_hosts", "h " L_ED);
    mkfifo(fixture_path(&f, "etc/ssh_known_hosts"), 0600);
    CU_ASSERT_EQUAL(ask(&f, "h", 22, ED, NULL), HOSTS_REFUSED);
    CU_ASSERT(fixture_logged(&f, "cannot read known hosts from"));
    fixture_end(&f);
    CU_ASSERT_EQUAL((int)HOSTS_REFUSED, 0);
    CU_ASSERT_EQUAL((int)HOSTS_REFUSE, 0);

    struct hosts_query q = {.host = "h", .port = 22};
    struct hosts_answer a;
    uint8_t damaged[51] = {0, 0, 0, 11};
    fixture_begin(&f);
    CU_ASSERT_EQUAL(hosts_lookup(&q, (struct bytes){damaged, sizeof damaged}, &a), HOSTS_REFUSED);
    CU_ASSERT_EQUAL(hosts_lookup(&q, (struct bytes){NULL, 0}, &a), HOSTS_REFUSED);
    fixture_end(&f);
}

/* CVE-2025-26465: with each allocation, then each system call, failing in turn, a changed key is
 * never anything better than changed, and a known one at worst refused. */
static void no_failure_makes_a_key_trusted(void)
{
    struct fixture f;
    fixture_begin(&f);
    bool (*const fail[])(long) = {fixture_fail_allocation, fixture_fail_call};
    for (size_t k = 0; k < 2 && fail[k](-1); k++) {
        bool happened = true;
        long n_refused = 0;
        for (long n = 0; happened; n++) {
            fixture_write(&f, "home/.ssh/known_hosts", "h " L_ED_2);
            fixture_write(&f, "etc/ssh_known_hosts", "@revoked x " L_ED);
            fail[k](n);
            enum hosts_verdict v = ask(&f, "h", 22, ED, NULL);
            happened = fixture_has_failed();
            fail[k](-1);
            CU_ASSERT_EQUAL(v, happened ? HOSTS_REFUSED : HOSTS_CHANGED);
            n_refused += v == HOSTS_REFUSED ? 1 : 0;
        }
        CU_ASSERT(n_refused >= 2);
    }
    fixture_end(&f);
}

static void only_a_known_key_is_accepted_in_silence(void)
{
    static const enum strict_host_key all[] = {
        STRICT_YES, STRICT_ASK, STRICT_ACCEPT_NEW, STRICT_NO};
    for (size_t i = 0; i < 4; i++) {
        bool is_no = all[i] == STRICT_NO;
        CU_ASSERT_EQUAL(hosts_decide(HOSTS_KNOWN, all[i], false), HOSTS_ACCEPT);
        CU_ASSERT_EQUAL(hosts_decide(HOSTS_REFUSED, all[i], false), HOSTS_REFUSE);
        CU_ASSERT_EQUAL(hosts_decide(HOSTS_REVOKED, all[i], false), HOSTS_REFUSE);
        CU_ASSERT_EQUAL(hosts_decide(HOSTS_CHANGED, all[i], false),
            is_no ? HOSTS_ACCEPT_RESTRICTED : HOSTS_REFUSE);
        CU_ASSERT_EQUAL(hosts_decide(HOSTS_OTHER_TYPE, all[i], false),
            is_no ? HOSTS_ACCEPT_RESTRICTED : HOSTS_REFUSE);
    }
    CU_ASSERT_EQUAL(hosts_decide(HOSTS_UNKNOWN, STRICT_YES, false), HOSTS_REFUSE);
    CU_ASSERT_EQUAL(hosts_decide(HOSTS_UNKNOWN, STRICT_ASK, false), HOSTS_ASK);
    CU_ASSERT_EQUAL(hosts_decide(HOSTS_UNKNOWN, STRICT_ASK, true), HOSTS_REFUSE);
    CU_ASSERT_EQUAL(hosts_decide(HOSTS_UNKNOWN, STRICT_ACCEPT_NEW, true), HOSTS_ACCEPT_AND_ADD);
    CU_ASSERT_EQUAL(hosts_decide(HOSTS_UNKNOWN, STRICT_NO, false), HOSTS_ACCEPT_AND_ADD);
    CU_ASSERT_EQUAL(hosts_decide((enum hosts_verdict)99, STRICT_NO, false), HOSTS_REFUSE);
}

static void order_is(const char *text, const char *host, uint16_t port, const char *expected)
{
    struct fixture f;
    char out[256];
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/known_hosts", text);
    const char *files[] = {fixture_path(&f, "home/.ssh/known_hosts")};
    struct hosts_query q = {.host = host, .port = port, .files = files, .n_files = 1};
    CU_ASSERT(hosts_order_algorithms(&q, f.env.host_key_algorithms, out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, expected);
    CU_ASSERT(!hosts_order_algorithms(&q, f.env.host_key_algorithms, out, 20));
    fixture_end(&f);
}

static void the_known_key_is_asked_for_first(void)
{
    static const char plain[] = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    order_is("", "h", 22, plain);
    order_is("h " L_ED, "h", 22, plain);
    order_is("h " L_EC "h " L_ED, "h", 22, plain);
    order_is("h " L_EC, "h", 22, "ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512,rsa-sha2-256");
    order_is("other " L_EC, "h", 22, plain);
    order_is("@cert-authority h " L_EC, "h", 22, plain);
    order_is(
        "[h]:2222 " L_EC, "h", 2222, "ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512,rsa-sha2-256");
}

/* ---- adding ---------------------------------------------------------------------------------- */

static bool add(struct fixture *f, const char *name, const char *host, uint16_t port, bool hashed)
{
    struct rng rng = rng_fixed(1);
    struct blob b;
    struct bytes key = key_of(&b, "ssh-ed25519", ED);
    return hosts_add(fixture_path(f, name), host, port, key, hashed, &rng);
}

static void an_added_key_is_known_from_then_on(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        struct fixture f;
        fixture_begin(&f);
        CU_ASSERT(add(&f, "home/.ssh/known_hosts", "H.example.com", 22, hashed == 1));
        CU_ASSERT(add(&f, "home/.ssh/known_hosts", "h.example.com", 2222, hashed == 1));
        CU_ASSERT_EQUAL(ask(&f, "h.example.com", 22, ED, NULL), HOSTS_KNOWN);
        CU_ASSERT_EQUAL(ask(&f, "h.example.com", 2222, ED, NULL), HOSTS_KNOWN);
        CU_ASSERT_EQUAL(ask(&f, "h.example.com", 22, ED_2, NULL), HOSTS_CHANGED);
        const char *text = fixture_read(&f, "home/.ssh/known_hosts");
        CU_ASSERT_EQUAL(strstr(text, "example") == NULL, hashed == 1);
        if (!hashed)
            CU_ASSERT_STRING_EQUAL(text, "h.example.com " L_ED "[h.example.com]:2222 " L_ED);
        fixture_end(&f);
    }
}

static void adding_makes_a_missing_dot_ssh_and_mends_the_last_line(void)
{
    struct fixture f;
    struct stat st;
    fixture_begin(&f);
    rmdir(fixture_path(&f, "home/.ssh"));
    CU_ASSERT(add(&f, "home/.ssh/known_hosts", "h", 22, false));
    CU_ASSERT(stat(fixture_path(&f, "home/.ssh"), &st) == 0 && (st.st_mode & 0777) == 0700);
    CU_ASSERT(stat(fixture_path(&f, "home/.ssh/known_hosts"), &st) == 0);
    CU_ASSERT((st.st_mode & 0777) == 0600);
    CU_ASSERT(!add(&f, "home/mistyped/known_hosts", "h", 22, false));
    CU_ASSERT(stat(fixture_path(&f, "home/mistyped"), &st) != 0);
    fixture_write(&f, "cut", "h x y");
    CU_ASSERT(add(&f, "cut", "h", 22, false));
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "cut"), "h x y\nh " L_ED);
    fixture_end(&f);
}

static void what_cannot_be_added_leaves_the_file_alone(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "kh", "# mine\n");
    CU_ASSERT(!add(&f, "kh", "a b", 22, false));
    CU_ASSERT(!add(&f, "kh", "a\nb", 22, false));
    CU_ASSERT(!add(&f, "kh", "", 22, false));
    CU_ASSERT(!add(&f, "a/b/c", "h", 22, false));
    mkfifo(fixture_path(&f, "pipe"), 0600);
    CU_ASSERT(!add(&f, "pipe", "h", 22, false));
    if (fixture_fail_call(-1))
        for (long n = 0; n < 3; n++) {
            fixture_fail_call(n); /* open, fstat, fstat */
            CU_ASSERT(!add(&f, "kh", "h", 22, false));
            fixture_fail_call(-1);
        }
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "kh"), "# mine\n");
    CU_ASSERT(fixture_logged(&f, "cannot add the host key to "));
    struct rng rng = rng_fixed(1);
    struct blob b;
    CU_ASSERT(hosts_add("/dev/null", "h", 22, key_of(&b, "ssh-ed25519", ED), false, &rng));
    fixture_end(&f);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void the_texts_have_the_words_of_ssh(void)
{
    char out[4096], fingerprint[KEY_FINGERPRINT_MAX];
    struct blob b;
    struct bytes key = key_of(&b, "ssh-ed25519", ED);
    struct hosts_query q = {.host = "h", .port = 2222};
    struct hosts_answer a = {.verdict = HOSTS_CHANGED, .file = "/x/kh", .line = 7, .type = "RSA"};
    struct hosts_style plain = {FINGERPRINT_SHA256, false};
    key_fingerprint_sha256(key, fingerprint);
    hosts_text_changed(&q, key, &a, "/x/mine", FINGERPRINT_SHA256, out, sizeof out);
    CU_ASSERT(strstr(out, "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!") != NULL);
    CU_ASSERT(strstr(out, fingerprint) != NULL);
    CU_ASSERT(strstr(out, "Add correct host key in /x/mine to get rid") != NULL);
    CU_ASSERT(strstr(out, "Offending RSA key in /x/kh:7\n") != NULL);
    CU_ASSERT(strstr(out, "ssh-keygen -f '/x/kh' -R '[h]:2222'\n") != NULL);
    a.verdict = HOSTS_REVOKED;
    hosts_text_changed(&q, key, &a, NULL, FINGERPRINT_SHA256, out, sizeof out);
    CU_ASSERT(strstr(out, "WARNING: REVOKED HOST KEY DETECTED!") != NULL);
    a.verdict = HOSTS_UNKNOWN;
    q.port = 22;
    hosts_text_ask(&q, "10.0.0.1", key, &a, &plain, out, sizeof out);
    CU_ASSERT(
        strstr(out, "The authenticity of host 'h (10.0.0.1)' can't be established.\n") == out);
    CU_ASSERT(strstr(out, "ED25519 key fingerprint is SHA256:") != NULL);
    CU_ASSERT(strstr(out, "continue connecting (yes/no/[fingerprint])? ") != NULL);
    for (size_t cap = 1; cap < 400; cap++) {
        hosts_text_ask(&q, "10.0.0.1", key, &a, &plain, out, cap);
        CU_ASSERT(strlen(out) < cap);
    }
}

static void yes_is_yes_or_the_fingerprint(void)
{
    struct blob b, other;
    struct bytes key = key_of(&b, "ssh-ed25519", ED);
    char fingerprint[KEY_FINGERPRINT_MAX];
    key_fingerprint_sha256(key, fingerprint);
    CU_ASSERT_EQUAL(hosts_reply("yes\n", key, FINGERPRINT_SHA256), HOSTS_REPLY_YES);
    CU_ASSERT_EQUAL(hosts_reply(" YES ", key, FINGERPRINT_SHA256), HOSTS_REPLY_YES);
    CU_ASSERT_EQUAL(hosts_reply(fingerprint, key, FINGERPRINT_SHA256), HOSTS_REPLY_YES);
    CU_ASSERT_EQUAL(
        hosts_reply(fingerprint, key_of(&other, "ssh-ed25519", ED_2), FINGERPRINT_SHA256),
        HOSTS_REPLY_UNCLEAR);
    CU_ASSERT_EQUAL(hosts_reply("no", key, FINGERPRINT_SHA256), HOSTS_REPLY_NO);
    CU_ASSERT_EQUAL(hosts_reply("", key, FINGERPRINT_SHA256), HOSTS_REPLY_NO);
    CU_ASSERT_EQUAL(hosts_reply("y", key, FINGERPRINT_SHA256), HOSTS_REPLY_UNCLEAR);
    CU_ASSERT_EQUAL(hosts_reply("yes no", key, FINGERPRINT_SHA256), HOSTS_REPLY_UNCLEAR);
}

static const struct unit_test tests[] = {
    UNIT(each_kind_of_line_gives_its_verdict),
    UNIT(another_port_is_another_host),
    UNIT(hashed_names_of_ssh_keygen_match),
    UNIT(the_answer_names_file_and_line),
    UNIT(a_bad_line_is_skipped_with_a_warning),
    UNIT(what_cannot_be_read_is_refused),
    UNIT(no_failure_makes_a_key_trusted),
    UNIT(only_a_known_key_is_accepted_in_silence),
    UNIT(the_known_key_is_asked_for_first),
    UNIT(an_added_key_is_known_from_then_on),
    UNIT(adding_makes_a_missing_dot_ssh_and_mends_the_last_line),
    UNIT(what_cannot_be_added_leaves_the_file_alone),
    UNIT(the_texts_have_the_words_of_ssh),
    UNIT(yes_is_yes_or_the_fingerprint),
};
UNIT_MAIN("hosts", tests)
