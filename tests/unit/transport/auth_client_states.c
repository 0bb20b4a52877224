#include "tests/unit/transport/auth_client_states.h"

void ready(struct rig *r)
{
    rig_client(r, "ada");
    (void)rig_take(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_service_of(MSG_SERVICE_ACCEPT, "ssh-userauth")), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_READY, NULL));
}

void to_none(struct rig *r)
{
    ready(r);
    auth_none(r->a);
}

void to_query(struct rig *r)
{
    ready(r);
    auth_publickey(r->a, ALG, KEY);
}

void to_signing(struct rig *r)
{
    to_query(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_SIGN, NULL));
}

void to_signed(struct rig *r)
{
    to_signing(r);
    auth_signature(r->a, BYTES_LIT("signature"));
}

void to_password(struct rig *r)
{
    ready(r);
    auth_password(r->a, BYTES_LIT("secret"));
}

void to_new_password(struct rig *r)
{
    to_password(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_changereq("expired")), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_PASSWORD_CHANGE, NULL));
}

void to_interactive(struct rig *r)
{
    ready(r);
    auth_keyboard_interactive(r->a);
}

void to_answering(struct rig *r)
{
    to_interactive(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_prompts(1)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_PROMPTS, NULL));
}

void to_done(struct rig *r)
{
    to_none(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_SUCCESS, NULL));
}

void to_service(struct rig *r)
{
    rig_client(r, "ada");
}
