/* An input is the body of a client's hostkeys-prove-00@openssh.com, on a server with three host
 * keys. What is answered is a signature for each key that was named, or nothing at all. */
#include <string.h>

#include "cli/server_host_keys.h"
#include "fuzz/fuzz.h"
#include "tests/unit/crypto/sample_keys.h"

enum { MAX_BYTES = 4096, N_KEYS = 3 };

static const char prove[] = "hostkeys-prove-00@openssh.com";
static const struct bytes session_id = BYTES_LIT("the session");

static uint8_t sent[32 * 1024 + 64];
static size_t n_sent;

static uint8_t *slot(void *engine, size_t n)
{
    (void)engine;
    return n <= sizeof sent ? sent : NULL;
}
static uint8_t *data_slot(void *engine, size_t n, unsigned nth)
{
    (void)nth;
    return slot(engine, n);
}
static void commit(void *engine, size_t n)
{
    (void)engine;
    n_sent = n;
}
static bool congested(void *engine)
{
    (void)engine;
    return false;
}

static void make_keys(struct private_key *keys[N_KEYS])
{
    static const char *const files[N_KEYS] = {
        sample_ed25519_file, sample_p256_file, sample_rsa_file};
    const char *why;
    for (size_t i = 0; i < N_KEYS; i++)
        fuzz_require(private_key_parse(bytes_of(files[i]), (struct bytes){NULL, 0}, &keys[i],
                         &why) == KEY_FILE_OK);
}

static struct wire_writer begin_request(uint8_t *out, size_t cap)
{
    struct wire_writer w = wire_writer(out, cap);
    wire_put_u8(&w, MSG_GLOBAL_REQUEST);
    wire_put_cstring(&w, prove);
    wire_put_u8(&w, 1);
    return w;
}

/* Every signature is good, by the algorithm of the exchange where the key can do that. */
static void check_answer(struct bytes asked, struct bytes answer)
{
    uint8_t text[MAX_BYTES + 256];
    struct wire_reader blobs = wire_reader(asked), signatures = wire_reader(answer);
    while (blobs.left > 0) {
        struct bytes blob = wire_string(&blobs), signature = wire_string(&signatures);
        struct wire_reader r = wire_reader(signature);
        struct bytes algorithm = wire_string(&r);
        struct wire_writer w = wire_writer(text, sizeof text);
        wire_put_cstring(&w, prove);
        wire_put_string(&w, session_id);
        wire_put_string(&w, blob);
        fuzz_require(!blobs.bad && !signatures.bad && !w.bad);
        fuzz_require(key_verify(blob, algorithm, signature, wire_written(&w)) == ERR_OK);
    }
    fuzz_require(wire_done(&signatures) && asked.n > 0);
}

static void ask(struct mux *m, const struct server_host_keys *k, struct bytes body)
{
    uint8_t packet[MAX_BYTES + 256];
    struct mux_event e;
    struct wire_writer w = begin_request(packet, sizeof packet);
    wire_put_raw(&w, body);
    n_sent = 0;
    fuzz_require(!w.bad && mux_packet(m, wire_written(&w)) == ERR_OK && mux_next(m, &e));
    fuzz_require(server_host_keys_request(k, m, &e) && n_sent > 0);
    fuzz_require(sent[0] == MSG_REQUEST_SUCCESS || (sent[0] == MSG_REQUEST_FAILURE && n_sent == 1));
    if (sent[0] == MSG_REQUEST_SUCCESS)
        check_answer(body, (struct bytes){sent + 1, n_sent - 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct private_key *keys[N_KEYS]; /* for the life of the program */
    if (n > MAX_BYTES || !crypto_init())
        return 0;
    if (keys[0] == NULL)
        make_keys(keys);
    const struct private_key *const list[N_KEYS] = {keys[0], keys[1], keys[2]};
    struct server_host_keys k = {list, N_KEYS, session_id, BYTES_LIT("rsa-sha2-256")};
    struct mux_config config = {.sink = {NULL, data_slot, slot, commit, congested}};
    struct mux *m = mux_new(&config);
    fuzz_require(m != NULL);
    ask(m, &k, (struct bytes){data, n});
    mux_free(m);
    return 0;
}
