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
    CU_ASSERT(takes("", "rsa-sha2-512")); /* none was sent */
}

/* As OpenSSH 7.4 sends it, which takes every key of its time. */
static void a_list_of_rsa_algorithms_says_nothing_of_other_keys(void)
{
    static const char list[] = "rsa-sha2-256,rsa-sha2-512";
    CU_ASSERT(takes(list, "ssh-ed25519") && takes(list, "ecdsa-sha2-nistp256"));
    CU_ASSERT(takes(list, "ssh-ed25519-cert-v01@openssh.com"));
}

static const struct unit_test tests[] = {
    UNIT(a_servers_list_chooses_among_the_algorithms_of_rsa),
    UNIT(a_list_of_rsa_algorithms_says_nothing_of_other_keys),
};

UNIT_MAIN("login", tests)
