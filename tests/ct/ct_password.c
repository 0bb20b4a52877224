/* The authentication client with secret passwords and answers: from the call to the message in its
 * slot, where packets are sealed (ct_packet). Their lengths show. */
#include <string.h>

#include "proto/msg.h"
#include "tests/ct/mark.h"
#include "transport/auth.h"

static uint8_t slot[4096]; /* the last message, where it was written */
static size_t sent_n;

static uint8_t *give_slot(void *engine, size_t n)
{
    (void)engine;
    return n <= sizeof slot ? slot : NULL;
}

static void commit(void *engine, size_t n)
{
    (void)engine;
    sent_n = n;
}

/* Is a secret of n bytes, as a string, what ends the message? */
static bool ends_in_secret(size_t n)
{
    return sent_n > n && ct_is_secret(slot + sent_n - n, n) &&
           load_be32(slot + sent_n - n - 4) == n;
}

/* The server's message, and the event that it makes. */
static bool hears(struct auth *a, struct bytes message, enum transport_event_type type)
{
    struct transport_event e;
    return auth_packet(a, message) == ERR_OK && auth_next(a, &e) && e.type == type;
}

#define MESSAGE(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static bool run(struct auth *a, struct bytes secret)
{
    struct bytes answers[] = {BYTES_LIT("known"), secret};
    auth_begin(a, BYTES_LIT("session"), BYTES_LIT("host key"));
    bool ok = hears(a, MESSAGE("\6\0\0\0\14ssh-userauth"), TRANSPORT_AUTH_READY);
    auth_password(a, secret);
    ok = ok && ends_in_secret(secret.n);
    ok = ok && hears(a, MESSAGE("\74\0\0\0\3old\0\0\0\0"), TRANSPORT_AUTH_PASSWORD_CHANGE);
    auth_new_password(a, secret, secret);
    ok = ok && ends_in_secret(secret.n);
    ok = ok && hears(a, MESSAGE("\63\0\0\0\10password\0"), TRANSPORT_AUTH_FAILURE);
    auth_keyboard_interactive(a);
    ok = ok && hears(a, MESSAGE("\74\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\1?\0\0\0\0\1?\0"),
                   TRANSPORT_AUTH_PROMPTS);
    auth_answers(a, answers, 2);
    return ok && ends_in_secret(secret.n);
}

int main(void)
{
    static uint8_t secret[40];
    struct fault fault = {.code = ERR_OK};
    struct auth_config config = {.role = ROLE_CLIENT,
        .user = "user",
        .fault = &fault,
        .sink = {.control_slot = give_slot, .commit = commit}};
    ct_start("ct_password");
    struct auth *a = auth_new(&config);
    ct_secret(secret, sizeof secret);
    bool ok = a != NULL && run(a, (struct bytes){secret, sizeof secret}) && fault.code == ERR_OK;
    auth_free(a);
    return ct_report("passwords and answers", ok);
}
