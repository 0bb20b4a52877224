#include "cli/query.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/fixture.h"

static void answer_is(const char *name, const char *wanted)
{
    struct fixture f;
    fixture_begin(&f);
    f.env.ciphers = "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr";
    f.env.macs = "hmac-b,hmac-a";
    f.env.kex = "kex-b,kex-a";
    f.env.all_host_key_algorithms = "ssh-ed25519,ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512,"
                                    "ssh-rsa";
    char *text = query_dup(&f.env, name);
    CU_ASSERT_PTR_NOT_NULL(text);
    if (text != NULL)
        CU_ASSERT_STRING_EQUAL(text, wanted);
    free(text);
    fixture_end(&f);
}

static void every_query_lists_what_we_have(void)
{
    answer_is("cipher", "aes128-gcm@openssh.com\nchacha20-poly1305@openssh.com\naes128-ctr\n");
    answer_is("Ciphers", "aes128-gcm@openssh.com\nchacha20-poly1305@openssh.com\naes128-ctr\n");
    answer_is("cipher-auth", "chacha20-poly1305@openssh.com\naes128-gcm@openssh.com\n");
    answer_is("mac", "hmac-b\nhmac-a\n");
    answer_is("kex", "kex-b\nkex-a\n");
    answer_is("kexalgorithms", "kex-b\nkex-a\n");
    answer_is("compression", "none\nzlib@openssh.com\n");
    answer_is("protocol-version", "2\n");
}

static void keys_are_told_as_types_and_as_algorithms(void)
{
    answer_is("key", "ssh-ed25519\nssh-rsa\nssh-ed25519-cert-v01@openssh.com\n");
    answer_is("key-plain", "ssh-ed25519\nssh-rsa\n");
    answer_is("key-cert", "ssh-ed25519-cert-v01@openssh.com\n");
    answer_is("sig", "ssh-ed25519\nrsa-sha2-512\nssh-rsa\n");
    answer_is("HostKeyAlgorithms",
        "ssh-ed25519\nssh-ed25519-cert-v01@openssh.com\nrsa-sha2-512\nssh-rsa\n");
}

static void an_unknown_query_names_those_there_are(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT_PTR_NULL(query_dup(&f.env, "ciphres"));
    CU_ASSERT(fixture_logged(&f, "Unsupported query \"ciphres\": expected one of cipher, "));
    CU_ASSERT(fixture_logged(&f, ", PubkeyAcceptedKeyTypes\n"));
    CU_ASSERT_EQUAL(fixture_parse(&f, "-Q kex"), OPTIONS_QUERY);
    CU_ASSERT_STRING_EQUAL(f.o.query, "kex");
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(every_query_lists_what_we_have),
    UNIT(keys_are_told_as_types_and_as_algorithms),
    UNIT(an_unknown_query_names_those_there_are),
};
UNIT_MAIN("query", tests)
