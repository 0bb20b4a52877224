/* What becomes of a server's key, all options about it together. */
#include "cli/host_key.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/prompt.h"
#include "crypto/key.h"
#include "tests/unit/cli/fixture.h"

#define ED   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOa0GvrprnAyBZtMhyeJXR3b9A/IBAFDPe9VHLCDLZ7e"
#define ED_2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBHbL3nU8t1qQJR/KS228B6JyAmJp/pWY+ZkJr//i/wc"
#define EC                                                                                         \
    "ecdsa-sha2-nistp256 "                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLyH1LUtNrTZvjU8ncRWdTPEIk1xnKQy5Xu9Iw5f" \
    "vQPS/G0PWQQ7RfMwwNHr9v2VjwcV+Ifx9p4Ppw/4NZY2m2A="
#define RSA_2048                                                                                   \
    "ssh-rsa "                                                                                     \
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC/C9/iYbp7YmAxf4Kf8iiEhYOo02hccEwYMvyZIuvfqkLBdipHeoZx1BR6bu"   \
    "n3IVCdIuaZPruMehMsTcYbR6X7LYaJof2RDenuWwpNSnGNPZg5RlNNYJCNvVb4/EoDcEyKDObX5a14+GW7/i2CW4Qd"   \
    "Zw6BjDChUqnq1A/dbSD9eNfd11ASLAO5sfSJaFMwfOl00XmzIDtEa5c2W8r+TGO6iclXRv6qIJOHIG7aciwluKEUOd"   \
    "GBortfa6p0jDsaHuz2peHtiIV9sIv1o4abFf5ND6v9QDzFNmVP6WMNrA+MXwbibZv6OtUkXlyLuOpJQi1/hrOaPfeD"   \
    "yMhcNzDjqyG1"

#define ADDRESS "192.0.2.7"
#define KNOWN   "home/.ssh/known_hosts"

static struct fixture f; /* of the last decide() */
static bool has_begun;

static void begin_anew(void)
{
    if (has_begun)
        fixture_end(&f);
    has_begun = true;
    fixture_begin(&f);
}

static struct host_key_outcome decide_at(
    const char *options, const char *address, const char *known, const char *key)
{
    static uint8_t blob[1024];
    char command[512];
    size_t n;
    struct rng rng = rng_fixed(1);
    begin_anew();
    prompt_forbid();
    fixture_write(&f, KNOWN, known);
    fixture_write(&f, "etc/ssh_known_hosts", "global " ED "\n");
    bool is_named = strcmp(options, "global") == 0;
    snprintf(command, sizeof command, "%s%s", options, is_named ? "" : " h");
    CU_ASSERT_EQUAL(fixture_parse(&f, command), OPTIONS_RUN);
    CU_ASSERT_TRUE(options_finish(&f.o));
    struct bytes type = {(const uint8_t *)key, strcspn(key, " ")};
    CU_ASSERT_EQUAL(
        key_from_base64(type, bytes_of(key + type.n + 1), blob, sizeof blob, &n), ERR_OK);
    fixture_clear_log(&f);
    return host_key_decide(&f.o, address, (struct bytes){blob, n}, &rng);
}

static enum host_key_trust decide(const char *options, const char *known)
{
    return decide_at(options, ADDRESS, known, ED).trust;
}

#define OPT(keyword) "-o " keyword " "

/* ---- CheckHostIP -------------------------------------------------------------------------------
 */

static void an_address_is_noted_beside_its_name(void)
{
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes"), "h " ED "\n"), HOST_KEY_TRUSTED);
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, KNOWN), "h " ED "\n" ADDRESS " " ED "\n");
    CU_ASSERT(fixture_logged(
        &f, "Permanently added the ED25519 host key for IP address '" ADDRESS "' to the list"));
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes") OPT("StrictHostKeyChecking=accept-new"), ""),
        HOST_KEY_TRUSTED);
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, KNOWN), "h," ADDRESS " " ED "\n");
    CU_ASSERT(fixture_logged(&f, "Permanently added 'h," ADDRESS "' (ED25519) to the list"));
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes") OPT("StrictHostKeyChecking=no")
                               OPT("HashKnownHosts=yes") OPT("Port=2222"),
                        ""),
        HOST_KEY_TRUSTED);
    const char *text = fixture_read(&f, KNOWN);
    CU_ASSERT(strncmp(text, "|1|", 3) == 0 && strstr(text, "\n|1|") != NULL);
}

static void an_address_known_by_another_key_needs_a_word(void)
{
    static const char known[] = "h " ED "\n" ADDRESS " " ED_2 "\n";
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes"), known), HOST_KEY_REFUSED);
    CU_ASSERT_EQUAL(
        decide(OPT("CheckHostIP=yes") OPT("StrictHostKeyChecking=yes"), known), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "the ED25519 host key for 'h' differs from the key for the IP "
                                 "address '" ADDRESS "'\nOffending key for IP in "));
    CU_ASSERT(fixture_logged(&f, "known_hosts:2\nMatching host key in "));
    CU_ASSERT(fixture_logged(&f, "Exiting, you have requested strict checking."));
    CU_ASSERT_EQUAL(
        decide(OPT("CheckHostIP=yes") OPT("StrictHostKeyChecking=no"), known), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=no"), known), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes") OPT("HostKeyAlias=h"), known), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(
        decide_at(OPT("CheckHostIP=yes"), "127.0.0.1", "h " ED "\n127.0.0.1 " ED_2 "\n", ED).trust,
        HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes"), "h " ED "\n@revoked " ADDRESS " " ED "\n"),
        HOST_KEY_REFUSED);
}

static void a_name_that_changed_alone_may_be_spoofed(void)
{
    CU_ASSERT_EQUAL(decide(OPT("CheckHostIP=yes"), "h " ED_2 "\n"), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "POSSIBLE DNS SPOOFING DETECTED!"));
    CU_ASSERT(fixture_logged(&f, "IP address " ADDRESS "\nis unknown."));
    decide(OPT("CheckHostIP=yes"), "h " ED_2 "\n" ADDRESS " " ED "\n");
    CU_ASSERT(fixture_logged(&f, "is unchanged. This could"));
    decide(OPT("CheckHostIP=yes"), "h " ED_2 "\n" ADDRESS " " ED_2 "\n");
    CU_ASSERT(!fixture_logged(&f, "SPOOFING"));
    decide(OPT("CheckHostIP=no"), "h " ED_2 "\n");
    CU_ASSERT(!fixture_logged(&f, "SPOOFING"));
    CU_ASSERT(fixture_logged(&f, "Host key for h has changed and you have requested strict"));
}

/* ---- localhost ---------------------------------------------------------------------------------
 */

static void localhost_needs_no_key_when_told_so(void)
{
#define NO_LOCAL OPT("NoHostAuthenticationForLocalhost=yes")
    CU_ASSERT_EQUAL(decide_at(NO_LOCAL, "127.3.2.1", "h " ED_2 "\n", ED).trust, HOST_KEY_TRUSTED);
    CU_ASSERT(!decide_at(NO_LOCAL, "::1", "h " ED "\n", ED).may_update);
    CU_ASSERT_EQUAL(decide_at(NO_LOCAL, ADDRESS, "h " ED_2 "\n", ED).trust, HOST_KEY_REFUSED);
    CU_ASSERT_EQUAL(
        decide_at(NO_LOCAL OPT("HostKeyAlias=h"), "127.0.0.1", "h " ED_2 "\n", ED).trust,
        HOST_KEY_REFUSED);
}

/* ---- RevokedHostKeys, RequiredRSASize ----------------------------------------------------------
 */

static enum host_key_trust with_revoked(const char *text, const char *key)
{
    /* decide() makes the folder anew, so the list lies in a file of its own. */
    struct fixture list;
    char options[256];
    fixture_begin(&list);
    fixture_write(&list, "revoked", text);
    snprintf(options, sizeof options, "-o RevokedHostKeys=%s", fixture_path(&list, "revoked"));
    enum host_key_trust t = decide_at(options, ADDRESS, "h " ED "\nh " EC "\n", key).trust;
    fixture_end(&list);
    return t;
}

static void a_revoked_key_is_refused_whatever_known_hosts_says(void)
{
    CU_ASSERT_EQUAL(with_revoked("# none\n\n", ED), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(with_revoked(ED_2 " x\n", ED), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(with_revoked(ED_2 "\n" ED " comment\n", EC), HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(with_revoked(ED_2 "\n" ED " comment\n", ED), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "Host key ED25519 SHA256:"));
    CU_ASSERT(fixture_logged(&f, " revoked by file "));
    CU_ASSERT_EQUAL(with_revoked(" " ED "\n", ED), HOST_KEY_REFUSED);
}

static void a_list_that_cannot_be_used_refuses_every_key(void)
{
    CU_ASSERT_EQUAL(with_revoked("nonsense\n", ED), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "Error checking host key ED25519 SHA256:"));
    CU_ASSERT(fixture_logged(&f, "line 1: expected a public key"));
    CU_ASSERT_EQUAL(with_revoked(ED "\nnonsense\n", ED_2), HOST_KEY_REFUSED);
    CU_ASSERT_EQUAL(decide(OPT("RevokedHostKeys=/no/such/file"), "h " ED "\n"), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "No such file or directory"));
    CU_ASSERT_EQUAL(decide(OPT("RevokedHostKeys=none"), "h " ED "\n"), HOST_KEY_TRUSTED);
}

static void a_short_rsa_key_is_refused(void)
{
    static const char known[] = "h " RSA_2048 "\n";
    CU_ASSERT_EQUAL(decide_at("", ADDRESS, known, RSA_2048).trust, HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(
        decide_at(OPT("RequiredRSASize=2048"), ADDRESS, known, RSA_2048).trust, HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(
        decide_at(OPT("RequiredRSASize=2049"), ADDRESS, known, RSA_2048).trust, HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "an RSA key of 2048 bits, and RequiredRSASize is 2049"));
    CU_ASSERT_EQUAL(decide(OPT("RequiredRSASize=4096"), "h " ED "\n"), HOST_KEY_TRUSTED);
}

/* ---- KnownHostsCommand -------------------------------------------------------------------------
 */

/* fixture_parse() cuts at blanks, so the command goes where the parser would put it. */
static struct host_key_outcome with_command(const char *command, const char *known)
{
    uint8_t blob[64];
    size_t n;
    struct rng rng = rng_fixed(1);
    decide(OPT("StrictHostKeyChecking=yes"), known);
    fixture_clear_log(&f);
    f.o.known_hosts_command = command;
    CU_ASSERT_EQUAL(
        key_from_base64(BYTES_LIT("ssh-ed25519"), bytes_of(ED + 12), blob, sizeof blob, &n),
        ERR_OK);
    return host_key_decide(&f.o, ADDRESS, (struct bytes){blob, n}, &rng);
}

static void a_command_may_know_the_key(void)
{
    struct host_key_outcome out = with_command("/bin/echo %H %t %K", "");
    CU_ASSERT_EQUAL(out.trust, HOST_KEY_TRUSTED);
    CU_ASSERT(!out.may_update); /* it is not in the user's file */
    CU_ASSERT_EQUAL(with_command("/bin/echo other %t %K", "").trust, HOST_KEY_REFUSED);
    CU_ASSERT_EQUAL(with_command("/bin/echo %h,x %t \"%K\"", "").trust, HOST_KEY_TRUSTED);
    CU_ASSERT_EQUAL(
        with_command("/bin/echo @revoked %H %t %K", "h " ED "\n").trust, HOST_KEY_REFUSED);
    CU_ASSERT_EQUAL(with_command("/bin/echo %H " ED_2, "").trust, HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "Offending ED25519 key in KnownHostsCommand-HOSTNAME:1\n"));
    CU_ASSERT(!fixture_logged(&f, "ssh-keygen"));
    CU_ASSERT_EQUAL(
        with_command("/bin/sh -c 'test $0 = HOSTNAME -a $1 = h' %I %H", "h " ED "\n").trust,
        HOST_KEY_TRUSTED);
}

static void a_command_that_fails_refuses_the_key(void)
{
    static const char *const failing[][2] = {
        {"/bin/false", "KnownHostsCommand failed: exit status 1"},
        {"/bin/sh -c 'kill -9 $$'", "KnownHostsCommand failed: killed by signal 9"},
        {"echo x", "cannot run \"echo\": expected the whole path of a program"},
        {"/no/such/program", "cannot run \"/no/such/program\": No such file or directory"},
        {"/bin/echo %Z", "cannot expand \"%Z\": unknown %-token"},
        {"/bin/echo \"x", "KnownHostsCommand: "},
    };
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        CU_ASSERT_EQUAL(with_command(failing[i][0], "h " ED "\n").trust, HOST_KEY_REFUSED);
        CU_ASSERT(fixture_logged(&f, failing[i][1]));
        if (!fixture_logged(&f, failing[i][1]))
            printf("    %s gave: %s\n", failing[i][0], f.log);
    }
}

static void a_command_is_asked_which_key_is_known(void)
{
    char list[512];
    decide("", "");
    f.o.known_hosts_command = "/bin/echo %H " EC " %I %f %K %t";
    CU_ASSERT_TRUE(host_key_algorithms(&f.o, list, sizeof list));
    CU_ASSERT(strncmp(list, "ecdsa-sha2-nistp256,ssh-ed25519,", 32) == 0);
    f.o.known_hosts_command = "/bin/sh -c 'test \"$*\" = \"ORDER NONE NONE NONE\"' x %I %f %K %t";
    CU_ASSERT_TRUE(host_key_algorithms(&f.o, list, sizeof list));
    f.o.known_hosts_command = "/bin/false";
    CU_ASSERT_FALSE(host_key_algorithms(&f.o, list, sizeof list));
}

/* ---- what is shown, what may be learned --------------------------------------------------------
 */

static void the_picture_is_shown_of_a_known_key(void)
{
    decide("", "h " ED "\n");
    CU_ASSERT(!fixture_logged(&f, "Host key fingerprint is"));
    decide(OPT("VisualHostKey=yes"), "h " ED "\n");
    CU_ASSERT(fixture_logged(&f, "Host key fingerprint is SHA256:"));
    CU_ASSERT(fixture_logged(&f, "\n+--[ED25519 256]--+\n|"));
    CU_ASSERT(fixture_logged(&f, "|\n+----[SHA256]-----+\n"));
    decide(OPT("VisualHostKey=yes") OPT("FingerprintHash=md5"), "h " ED "\n");
    CU_ASSERT(fixture_logged(&f, "Host key fingerprint is MD5:"));
    CU_ASSERT(fixture_logged(&f, "+------[MD5]------+"));
    decide(OPT("FingerprintHash=md5"), "h " ED_2 "\n");
    CU_ASSERT(fixture_logged(&f, "sent by the remote host is\nMD5:"));
}

static void only_a_key_of_the_users_own_file_is_a_reason_to_learn_more(void)
{
    CU_ASSERT(decide_at("", ADDRESS, "h " ED "\n", ED).may_update);
    CU_ASSERT(!decide_at("global", ADDRESS, "", ED).may_update);
    CU_ASSERT(!decide_at(OPT("StrictHostKeyChecking=accept-new"), ADDRESS, "", ED).may_update);
    CU_ASSERT(!decide_at(OPT("StrictHostKeyChecking=no"), ADDRESS, "h " ED_2 "\n", ED).may_update);
}

/* Only a list that the user gave whole is left as it stands, as in ssh. */
static void known_keys_come_first_in_a_list_that_was_changed_only(void)
{
    static const struct {
        const char *options, *first;
    } rows[] = {
        {"", "ecdsa-sha2-nistp256"},
        {"-o HostKeyAlgorithms=-rsa-sha2-256", "ecdsa-sha2-nistp256"},
        {"-o HostKeyAlgorithms=+rsa-sha2-256", "ecdsa-sha2-nistp256"},
        {"-o HostKeyAlgorithms=^rsa-sha2-256", "rsa-sha2-256"},
        {"-o HostKeyAlgorithms=ssh-ed25519,ecdsa-sha2-nistp256", "ssh-ed25519"},
        {"-o HostKeyAlgorithms=ssh-ed25519 -o HostKeyAlgorithms=+rsa-sha2-256", "ssh-ed25519"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char list[512];
        decide(rows[i].options, "h " EC "\n");
        CU_ASSERT_TRUE(host_key_algorithms(&f.o, list, sizeof list));
        CU_ASSERT_EQUAL(strncmp(list, rows[i].first, strlen(rows[i].first)), 0);
    }
}

static void forwards_that_must_not_fail_fail_with_a_changed_key(void)
{
#define LAX OPT("StrictHostKeyChecking=no") "-L 1:a:1 "
    CU_ASSERT_EQUAL(decide(LAX, "h " ED_2 "\n"), HOST_KEY_RESTRICTED);
    CU_ASSERT_EQUAL(decide(LAX OPT("ExitOnForwardFailure=yes"), "h " ED_2 "\n"), HOST_KEY_REFUSED);
    CU_ASSERT(fixture_logged(&f, "Error: forwarding disabled due to host key check failure"));
}

static void update_host_keys_is_on_for_the_usual_file_only(void)
{
    static const struct {
        const char *options;
        int wanted;
    } rows[] = {
        {"", UPDATE_HOST_KEYS_YES},
        {"-o UserKnownHostsFile=~/.ssh/known_hosts", UPDATE_HOST_KEYS_YES},
        {"-o UserKnownHostsFile=~/other", UPDATE_HOST_KEYS_NO},
        {"-o UserKnownHostsFile=none", UPDATE_HOST_KEYS_NO},
        {"-o UserKnownHostsFile=~/other -o UpdateHostKeys=ask", UPDATE_HOST_KEYS_ASK},
        {"-o UpdateHostKeys=no", UPDATE_HOST_KEYS_NO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char command[200];
        begin_anew();
        snprintf(command, sizeof command, "%s h", rows[i].options);
        CU_ASSERT_EQUAL(fixture_parse(&f, command), OPTIONS_RUN);
        CU_ASSERT_TRUE(options_finish(&f.o));
        CU_ASSERT_EQUAL(f.o.update_host_keys, rows[i].wanted);
    }
}

static const struct unit_test tests[] = {
    UNIT(an_address_is_noted_beside_its_name),
    UNIT(an_address_known_by_another_key_needs_a_word),
    UNIT(a_name_that_changed_alone_may_be_spoofed),
    UNIT(localhost_needs_no_key_when_told_so),
    UNIT(a_revoked_key_is_refused_whatever_known_hosts_says),
    UNIT(a_list_that_cannot_be_used_refuses_every_key),
    UNIT(a_short_rsa_key_is_refused),
    UNIT(a_command_may_know_the_key),
    UNIT(a_command_that_fails_refuses_the_key),
    UNIT(a_command_is_asked_which_key_is_known),
    UNIT(the_picture_is_shown_of_a_known_key),
    UNIT(only_a_key_of_the_users_own_file_is_a_reason_to_learn_more),
    UNIT(known_keys_come_first_in_a_list_that_was_changed_only),
    UNIT(forwards_that_must_not_fail_fail_with_a_changed_key),
    UNIT(update_host_keys_is_on_for_the_usual_file_only),
};
UNIT_MAIN("host_key", tests)
