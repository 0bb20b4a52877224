#include "cli/server_host_keys.h"

#include "cli/log.h"
#include "proto/namelist.h"

static const char tell[] = "hostkeys-00@openssh.com", prove[] = "hostkeys-prove-00@openssh.com";
enum { BODY_MAX = 32 * 1024, SIGNED_MAX = sizeof prove + 3 * 4 + 256 + KEY_BLOB_MAX };

void server_host_keys_tell(const struct server_host_keys *k, struct mux *m)
{
    static uint8_t body[BODY_MAX];
    struct wire_writer w = wire_writer(body, sizeof body);
    for (size_t i = 0; i < k->n; i++)
        wire_put_string(&w, private_key_blob(k->keys[i]));
    if (w.bad || mux_global_request(m, bytes_of(tell), false, wire_written(&w), 0) != ERR_OK)
        log_debug("host keys were not told to the client");
}

static const struct private_key *find(const struct server_host_keys *k, struct bytes blob)
{
    for (size_t i = 0; i < k->n; i++)
        if (bytes_equal(private_key_blob(k->keys[i]), blob))
            return k->keys[i];
    return NULL;
}

/* A client that has an RSA key of ours in use holds us to the algorithm it was proved by. */
static struct bytes algorithm_of(const struct private_key *key, struct bytes in_use)
{
    struct bytes list = bytes_of(private_key_algorithms(key)), first = {NULL, 0};
    if (namelist_has(list, in_use))
        return in_use;
    namelist_next(&list, &first);
    return first;
}

/* One signature more in the answer; false: the key is not ours, or there is no room. */
static bool put_proof(
    const struct server_host_keys *k, struct bytes blob, struct wire_writer *answer)
{
    static uint8_t text[SIGNED_MAX];
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = sizeof signature;
    const struct private_key *key = find(k, blob);
    struct wire_writer w = wire_writer(text, sizeof text);
    wire_put_cstring(&w, prove);
    wire_put_string(&w, k->session_id);
    wire_put_string(&w, blob);
    if (key == NULL || w.bad ||
        private_key_sign(key, algorithm_of(key, k->algorithm), wire_written(&w), signature, &n) !=
            ERR_OK)
        return false;
    wire_put_string(answer, (struct bytes){signature, n});
    return !answer->bad;
}

bool server_host_keys_request(
    const struct server_host_keys *k, struct mux *m, const struct mux_event *e)
{
    static uint8_t body[BODY_MAX];
    struct wire_writer answer = wire_writer(body, sizeof body);
    struct wire_reader r = wire_reader(e->rest);
    if (e->type != MUX_GLOBAL_REQUEST || !bytes_is(e->name, prove))
        return false;
    if (!e->want_reply)
        return true;
    bool ok = r.left > 0;
    for (size_t i = 0; ok && r.left > 0; i++) /* each key once at most: signing is work */
        ok = i < k->n && put_proof(k, wire_string(&r), &answer) && !r.bad;
    mux_global_reply(m, e->ticket, ok, ok ? wire_written(&answer) : (struct bytes){0});
    return true;
}
