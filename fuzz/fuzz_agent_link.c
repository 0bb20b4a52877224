#define _GNU_SOURCE /* accept4() */
/* An input is all that an agent ever sends, on a real socket: to a question for its keys, then for
 * a signature. Each question is answered once; what is not a whole and sane reply is no answer. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/agent.h"
#include "crypto/key.h"
#include "fuzz/fuzz.h"
#include "fuzz/turns.h"

enum { MAX_BYTES = 16 * 1024, TURNS_MAX = 100 * 1000 };

struct answers {
    unsigned n_opened, n_signed;
    bool has_keys;
};

static int listener = -1;
static char folder[] = "/tmp/fuzz-agent-XXXXXX", path[sizeof folder + 8];

static void remove_socket(void)
{
    unlink(path);
    rmdir(folder);
}

/* Once for the life of the program; removed at its end. */
static void listen_once(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (listener >= 0)
        return;
    fuzz_require(mkdtemp(folder) != NULL && atexit(remove_socket) == 0);
    snprintf(path, sizeof path, "%s/agent", folder);
    memcpy(a.sun_path, path, sizeof path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    fuzz_require(listener >= 0 && bind(listener, (struct sockaddr *)&a, sizeof a) == 0);
    fuzz_require(listen(listener, 8) == 0);
}

static void check_why(const char *why)
{
    fuzz_require(why != NULL && *why != '\0');
    for (; *why != '\0'; why++)
        fuzz_require((unsigned char)*why >= ' ' && *why != 0x7f);
}

static void opened(void *user, const struct msg_agent_identities *keys, const char *why)
{
    struct answers *a = user;
    a->n_opened++;
    a->has_keys = keys != NULL;
    if (keys == NULL)
        check_why(why);
    else
        fuzz_require(keys->n_keys <= AGENT_KEYS_MAX);
}

static void was_signed(void *user, struct bytes signature, const char *why)
{
    struct answers *a = user;
    a->n_signed++;
    fuzz_require((signature.n > 0) == (why == NULL) && signature.n <= KEY_SIGNATURE_MAX);
    if (signature.n == 0)
        check_why(why);
}

/* Says the next piece when a request was heard, or when nothing happens any more; then goes. */
static void speak(int fd, struct wire_reader *pieces)
{
    struct bytes piece;
    uint8_t unused;
    if (turns_next(pieces, &unused, &piece))
        (void)send(fd, piece.p, piece.n, MSG_NOSIGNAL); /* nobody may listen any more */
    else
        (void)shutdown(fd, SHUT_WR);
}

static void play(struct loop *l, const struct answers *got, struct bytes words)
{
    static uint8_t heard[4096];
    struct wire_reader pieces = wire_reader(words);
    int fd = -1;
    for (int turn = 0; got->n_signed == 0; turn++) {
        fuzz_require(turn < TURNS_MAX);
        bool more = loop_turn(l, 0);
        fuzz_require(more);
        if (fd < 0)
            fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        else if (recv(fd, heard, sizeof heard, 0) > 0 || turn % 4 == 0)
            speak(fd, &pieces);
    }
    if (fd >= 0)
        close(fd);
}

static void ask(struct agent *a, struct answers *got)
{
    static const struct agent_session session = {
        BYTES_LIT("host key"), BYTES_LIT("id"), BYTES_LIT("proof")};
    fuzz_require(agent_open(a, &session, opened, got));
    fuzz_require(agent_sign(
        a, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"), BYTES_LIT("data"), was_signed, got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct answers got = {0};
    struct agent_limits limits = {.list_ms = 0};
    if (n > MAX_BYTES)
        return 0;
    listen_once();
    struct loop *l = loop_new();
    struct agent *a = l != NULL ? agent_new(l, path, &limits) : NULL;
    fuzz_require(a != NULL);
    ask(a, &got);
    play(l, &got, (struct bytes){data, n});
    fuzz_require(got.n_opened == 1 && got.n_signed == 1);
    agent_free(a);
    loop_free(l);
    return 0;
}
