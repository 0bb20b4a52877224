/* The two halves of user authentication back to back: what one sends the other is fed, with real
 * Ed25519 keys. What people and policy decide stands in struct pair. */
#include <stdlib.h>
#include <string.h>

#include "crypto/key.h"
#include "tests/unit/transport/auth_rig.h"
#include "tests/unit/unit.h"

#define ALG BYTES_LIT("ssh-ed25519")
enum { N_KEYS = 3 };

static struct private_key *keys[N_KEYS];

struct pair {
    struct rig client, server;
    /* The client has keys[0] .. keys[n_offers - 1], and with wrong_signer signs with another. */
    unsigned n_offers, next_offer;
    bool wrong_signer, has_no_signature;
    /* The server lets in user "ada" with keys[good_key]. */
    unsigned good_key;
    /* What came of it. */
    unsigned n_questions, n_verified, n_failures, n_banners;
    char methods[64];
    bool client_in, server_in, is_hostbound;
};

static void offer(struct pair *p)
{
    if (p->next_offer < p->n_offers)
        auth_publickey(p->client.a, ALG, private_key_blob(keys[p->next_offer++]));
}

static void sign(struct pair *p, const struct transport_event *e)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = 0;
    unsigned i = p->next_offer - 1;
    CU_ASSERT_TRUE(bytes_equal(e->key, private_key_blob(keys[i])));
    const struct private_key *k = keys[p->wrong_signer ? (i + 1) % N_KEYS : i];
    CU_ASSERT_EQUAL(private_key_sign(k, e->algorithm, e->data, signature, &n), ERR_OK);
    auth_signature(p->client.a, (struct bytes){signature, p->has_no_signature ? 0 : n});
}

static void on_client(struct pair *p, const struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_AUTH_READY: auth_none(p->client.a); break;
    case TRANSPORT_AUTH_SIGN: sign(p, e); break;
    case TRANSPORT_AUTH_BANNER: p->n_banners++; break;
    case TRANSPORT_AUTH_SUCCESS: p->client_in = true; break;
    case TRANSPORT_AUTH_FAILURE:
        p->n_failures++;
        CU_ASSERT_TRUE(bytes_is(e->text, "publickey"));
        offer(p);
        break;
    default: CU_FAIL("no such event was to be expected"); break;
    }
}

static void on_server(struct pair *p, const struct transport_event *e)
{
    if (e->type == TRANSPORT_AUTH_SUCCESS) {
        p->server_in = true;
        return;
    }
    CU_ASSERT_EQUAL(e->type, TRANSPORT_AUTH_KEY);
    p->n_questions++;
    p->n_verified += e->verified ? 1 : 0;
    auth_decide(p->server.a,
        bytes_is(e->user, "ada") && bytes_equal(e->key, private_key_blob(keys[p->good_key])));
}

/* Lets the next message or event of from go where it belongs; false when there was none. */
static bool step(struct pair *p, struct rig *from, struct rig *to)
{
    struct transport_event e;
    if (auth_next(from->a, &e)) {
        (from == &p->client ? on_client : on_server)(p, &e);
        return true;
    }
    struct bytes m = {NULL, 0};
    if (!auth_waiting(to->a))
        m = rig_take(from);
    if (m.n == 0)
        return false;
    const char hostbound[] = "publickey-hostbound-v00";
    for (size_t i = 0; i + sizeof hostbound <= m.n; i++)
        p->is_hostbound |= memcmp(m.p + i, hostbound, sizeof hostbound - 1) == 0;
    (void)rig_feed(to, m);
    return true;
}

static void run(struct pair *p)
{
    for (bool busy = true; busy;) {
        busy = step(p, &p->client, &p->server);
        busy = step(p, &p->server, &p->client) || busy;
    }
}

static void start(struct pair *p, const char *user, unsigned max_tries)
{
    *p = (struct pair){.n_offers = 1};
    rig_client(&p->client, user);
    rig_server(&p->server, max_tries, "welcome\n");
}

static void end(struct pair *p)
{
    rig_free(&p->client);
    rig_free(&p->server);
}

static void a_known_key_logs_in(void)
{
    struct pair p;
    start(&p, "ada", 0);
    run(&p);
    CU_ASSERT_TRUE(p.client_in && p.server_in);
    CU_ASSERT_TRUE(auth_done(p.client.a) && auth_done(p.server.a));
    CU_ASSERT_EQUAL(p.n_questions, 2);
    CU_ASSERT_EQUAL(p.n_verified, 1);
    CU_ASSERT_EQUAL(p.n_failures, 1); /* none */
    CU_ASSERT_EQUAL(p.n_banners, 1);
    CU_ASSERT_FALSE(p.is_hostbound);
    end(&p);
}

static void a_host_bound_signature_logs_in(void)
{
    struct pair p;
    start(&p, "ada", 0);
    auth_set_hostbound(p.client.a, true);
    run(&p);
    CU_ASSERT_TRUE(p.client_in && p.server_in);
    CU_ASSERT_TRUE(p.is_hostbound);
    end(&p);
}

static void the_third_key_logs_in(void)
{
    struct pair p;
    start(&p, "ada", 0);
    p.n_offers = N_KEYS;
    p.good_key = N_KEYS - 1;
    run(&p);
    CU_ASSERT_TRUE(p.client_in && p.server_in);
    CU_ASSERT_EQUAL(p.n_failures, 1 + 2);
    CU_ASSERT_EQUAL(p.n_verified, 1);
    end(&p);
}

static void an_unknown_key_or_user_is_only_told_no(void)
{
    static const char *const users[] = {"ada", "bob"};
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;
        start(&p, users[i], 0);
        p.good_key = i == 0 ? 2 : 0;
        run(&p);
        CU_ASSERT_FALSE(p.client_in || p.server_in);
        CU_ASSERT_EQUAL(p.n_failures, 2);
        CU_ASSERT_EQUAL(p.n_verified, 0);
        CU_ASSERT_EQUAL(p.client.fault.code, ERR_OK);
        CU_ASSERT_EQUAL(p.server.fault.code, ERR_OK);
        end(&p);
    }
}

static void a_signature_of_another_key_is_refused_before_policy_hears_of_it(void)
{
    struct pair p;
    start(&p, "ada", 0);
    p.wrong_signer = true;
    run(&p);
    CU_ASSERT_FALSE(p.client_in || p.server_in);
    CU_ASSERT_EQUAL(p.n_questions, 1);
    CU_ASSERT_EQUAL(p.n_verified, 0);
    CU_ASSERT_EQUAL(p.n_failures, 2);
    end(&p);
}

static void a_key_that_cannot_sign_is_passed_over(void)
{
    struct pair p;
    start(&p, "ada", 0);
    p.n_offers = 2;
    p.has_no_signature = true;
    run(&p);
    CU_ASSERT_FALSE(p.client_in || p.server_in);
    CU_ASSERT_EQUAL(p.n_failures, 3); /* none, the signature, the other key */
    CU_ASSERT_EQUAL(p.next_offer, 2);
    end(&p);
}

/* The session id is signed: what one connection was given opens no other. */
static void a_signature_for_another_session_is_refused(void)
{
    struct pair p;
    start(&p, "ada", 0);
    rig_free(&p.server);
    rig_server_in(&p.server, 0, NULL, BYTES_LIT("another session id"));
    run(&p);
    CU_ASSERT_FALSE(p.client_in || p.server_in);
    CU_ASSERT_EQUAL(p.n_verified, 0);
    end(&p);
}

static void too_many_keys_end_the_connection(void)
{
    struct pair p;
    start(&p, "ada", 3);
    p.n_offers = N_KEYS;
    p.good_key = N_KEYS - 1;
    run(&p);
    CU_ASSERT_FALSE(p.client_in || p.server_in);
    CU_ASSERT_EQUAL(p.server.fault.code, ERR_AUTH);
    end(&p);
}

static void other_methods_are_told_that_keys_are_wanted(void)
{
    struct pair p;
    start(&p, "ada", 0);
    p.n_offers = 0;
    run(&p);
    auth_password(p.client.a, BYTES_LIT("secret"));
    run(&p);
    auth_keyboard_interactive(p.client.a);
    run(&p);
    CU_ASSERT_EQUAL(p.n_failures, 3);
    CU_ASSERT_EQUAL(p.client.fault.code, ERR_OK);
    CU_ASSERT_EQUAL(p.server.fault.code, ERR_OK);
    end(&p);
}

static const struct unit_test tests[] = {
    UNIT(a_known_key_logs_in),
    UNIT(a_host_bound_signature_logs_in),
    UNIT(the_third_key_logs_in),
    UNIT(an_unknown_key_or_user_is_only_told_no),
    UNIT(a_signature_of_another_key_is_refused_before_policy_hears_of_it),
    UNIT(a_key_that_cannot_sign_is_passed_over),
    UNIT(a_signature_for_another_session_is_refused),
    UNIT(too_many_keys_end_the_connection),
    UNIT(other_methods_are_told_that_keys_are_wanted),
};

int main(void)
{
    if (!crypto_init())
        return 2;
    for (unsigned i = 0; i < N_KEYS; i++) {
        struct rng rng = rng_fixed(i + 1);
        keys[i] = private_key_generate(&rng);
        if (keys[i] == NULL)
            return 2;
    }
    int status = unit_main("auth_pair", tests, sizeof tests / sizeof tests[0]);
    for (unsigned i = 0; i < N_KEYS; i++)
        private_key_free(keys[i]);
    return status;
}
