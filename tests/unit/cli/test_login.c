#include "cli/login_internal.h"
#include "tests/unit/unit.h"

static bool takes(const char *list, const char *alg)
{
    return login_server_takes(bytes_of(list), bytes_of(alg));
}

static void a_servers_list_chooses_among_the_algorithms_of_rsa(void)
{
    CU_ASSERT(takes("rsa-sha2-256", "rsa-sha2-256") && !takes("rsa-sha2-256", "rsa-sha2-512"));
    CU_ASSERT(takes("ssh-ed25519,rsa-sha2-512", "rsa-sha2-512-cert-v01@openssh.com"));
    CU_ASSERT(!takes("ssh-ed25519,rsa-sha2-256", "rsa-sha2-512-cert-v01@openssh.com"));
    CU_ASSERT(takes("rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com"));
    CU_ASSERT(!takes("ssh-ed25519,ssh-rsa", "rsa-sha2-512"));
    CU_ASSERT(!takes("rsa-sha2-256", "ssh-rsa") && takes("rsa-sha2-256,ssh-rsa", "ssh-rsa"));
    CU_ASSERT(takes("", "rsa-sha2-512")); /* none was sent */
}

/* As OpenSSH 7.4 sends it, which takes every key of its time. */
static void a_list_of_rsa_algorithms_says_nothing_of_other_keys(void)
{
    static const char list[] = "rsa-sha2-256,rsa-sha2-512";
    CU_ASSERT(takes(list, "ssh-ed25519") && takes(list, "ecdsa-sha2-nistp256"));
    CU_ASSERT(takes(list, "ssh-ed25519-cert-v01@openssh.com"));
}

static void is_chosen(const char *server, const char *ours, const char *wanted)
{
    static const struct bytes rsa = {(const uint8_t *)"\0\0\0\7ssh-rsa", 11};
    struct bytes alg;
    bool found = login_choose_algorithm(bytes_of(server), bytes_of(ours), rsa, &alg);
    CU_ASSERT_EQUAL(found, wanted != NULL);
    if (found && wanted != NULL)
        CU_ASSERT_TRUE(bytes_is(alg, wanted));
}

static void sha_1_is_for_who_names_it_and_a_server_that_tells_nothing_or_it(void)
{
    is_chosen("", "ssh-ed25519,rsa-sha2-512,rsa-sha2-256", "rsa-sha2-512");
    is_chosen("", "ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ssh-rsa", "ssh-rsa");
    is_chosen("ssh-rsa", "rsa-sha2-512,ssh-rsa", "ssh-rsa");
    is_chosen("ssh-rsa,rsa-sha2-512", "rsa-sha2-512,ssh-rsa", "rsa-sha2-512");
    is_chosen("ssh-rsa", "rsa-sha2-512", NULL);
    is_chosen("rsa-sha2-256", "ssh-rsa", NULL);
    is_chosen("", "ssh-ed25519", NULL);
}

static const struct unit_test tests[] = {
    UNIT(a_servers_list_chooses_among_the_algorithms_of_rsa),
    UNIT(a_list_of_rsa_algorithms_says_nothing_of_other_keys),
    UNIT(sha_1_is_for_who_names_it_and_a_server_that_tells_nothing_or_it),
};

UNIT_MAIN("login", tests)
