#define _GNU_SOURCE /* memfd_create() */
/* An input is what a server says about its host keys: a byte that tells how much of the rest is the
 * body of hostkeys-00, the remainder being the body of the reply to the request for proof. Nothing
 * that a fuzzer finds is a proof, so known_hosts must stay as it is. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/update_host_keys.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 1 << 15 };

static const char known[] =
    "h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII2WikSXA/om+NBOiAn0LQSkPR7VpoVYZdYdapLI1yyy\n";

static uint8_t sent[MAX_BYTES + 256];
static size_t n_sent;

static uint8_t *control_slot(void *engine, size_t n)
{
    (void)engine;
    return n <= sizeof sent ? sent : NULL;
}
static uint8_t *data_slot(void *engine, size_t n, unsigned nth)
{
    (void)nth;
    return control_slot(engine, n);
}
static void commit(void *engine, size_t n)
{
    (void)engine;
    n_sent += n;
}
static bool congested(void *engine)
{
    (void)engine;
    return false;
}

static void drop(void *user, const char *text, size_t n)
{
    (void)user;
    (void)text;
    fuzz_require(n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *paths[1];
    char path[64], after[sizeof known];
    if (n < 1 || n > MAX_BYTES || !crypto_init())
        return 0;
    size_t first = (size_t)data[0] * (n - 1) / 255;
    struct bytes told = {data + 1, first}, proof = {data + 1 + first, n - 1 - first};
    int fd = memfd_create("known_hosts", MFD_CLOEXEC);
    fuzz_require(fd >= 0 && write(fd, known, sizeof known - 1) == (ssize_t)sizeof known - 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    paths[0] = path;
    log_set_sink(drop, NULL);

    struct environment env = {.home = "/"};
    struct options o = {.env = &env,
        .host = "h",
        .port = 22,
        .user_known_hosts = {paths, 1, 1},
        .update_host_keys = UPDATE_HOST_KEYS_YES,
        .host_key_algorithms = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512"};
    struct rng rng = rng_fixed(1);
    struct mux_config mux = {.sink = {NULL, data_slot, control_slot, commit, congested}};
    struct update_host_keys_config config = {.options = &o,
        .address = "",
        .session_id = BYTES_LIT("session"),
        .mux = mux_new(&mux),
        .rng = &rng};
    struct update_host_keys *u = update_host_keys_new(&config);
    fuzz_require(u != NULL && config.mux != NULL);
    n_sent = 0;
    update_host_keys_told(u, told);
    if (n_sent > 0) { /* a request, which a reply may answer */
        fuzz_require(sent[0] == MSG_GLOBAL_REQUEST);
        update_host_keys_proved(u, proof.n % 2 == 0, proof);
        fuzz_require(pread(fd, after, sizeof after, 0) == (ssize_t)sizeof known - 1 &&
                     memcmp(after, known, sizeof known - 1) == 0);
    }
    update_host_keys_free(u);
    mux_free(config.mux);
    close(fd);
    return 0;
}
