#include "cli/hosts_update.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/key.h"
#include "tests/unit/cli/fixture.h"

#define A "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOa0GvrprnAyBZtMhyeJXR3b9A/IBAFDPe9VHLCDLZ7e"
#define B "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBHbL3nU8t1qQJR/KS228B6JyAmJp/pWY+ZkJr//i/wc"
#define C "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwH+stvyT0nOmkQ6JiSm7tiyOWn7FqgDZeGfZG6BWqn"
#define D "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAFk1QpANp9lXgqKkHLgUbSquSbSX6B4BxY4qbf7UchD"

static const char *const keys[] = {A, B, C, D};

/* A question with room for what it borrows. Letters name keys. */
struct asked {
    struct hosts_update u;
    uint8_t blobs[4][64];
    char path[PATH_MAX];
    const char *paths[1];
    struct text_list files;
};

static void ask(struct asked *a, const char *path, const char *letters)
{
    *a = (struct asked){.u = {.host = "h", .port = 22}};
    snprintf(a->path, sizeof a->path, "%s", path);
    a->paths[0] = a->path;
    a->files = (struct text_list){a->paths, 1, 1};
    a->u.files = &a->files;
    for (; *letters != '\0'; letters++) {
        const char *key = keys[*letters - 'A'];
        size_t i = a->u.n_keys++, n;
        CU_ASSERT_EQUAL(key_from_base64(BYTES_LIT("ssh-ed25519"), bytes_of(key + 12), a->blobs[i],
                            sizeof a->blobs[i], &n),
            ERR_OK);
        a->u.keys[i] = (struct bytes){a->blobs[i], n};
    }
}

/* What becomes of a file when the server has these keys; why: it stays, for that reason. */
struct update_case {
    const char *before, *server, *address, *after, *why;
};
static const struct update_case cases[] = {
    {"h " A "\n", "A", NULL, "h " A "\n", NULL},
    {"h " A "\n", "AB", NULL, "h " A "\nh " B "\n", NULL},
    {"h " A, "AB", NULL, "h " A "\nh " B "\n", NULL},
    {"h " A "\nh " B "\n", "A", NULL, "h " A "\n", NULL},
    {"# mine\nx " D "\nh " A "\n\nh " B "\n# end", "AC", NULL,
        "# mine\nx " D "\nh " A "\n\n# end\nh " C "\n", NULL},
    {"h,192.0.2.7 " A "\n", "AB", "192.0.2.7", "h,192.0.2.7 " A "\nh,192.0.2.7 " B "\n", NULL},
    {"h " A "\nbad line\n[h]:2222 " D "\n", "AB", NULL,
        "h " A "\nbad line\n[h]:2222 " D "\nh " B "\n", NULL},
    {"h " A "\nother " B "\n", "AB", NULL, NULL, "another name"},
    {"h " A "\nh " B "\nother " B "\n", "A", NULL, NULL, "another name"},
    {"h* " A "\n", "AB", NULL, NULL, "pattern"},
    {"h,i,j " A "\n", "AB", NULL, NULL, "list of names"},
    {"h " A "\n@revoked * " C "\n", "AB", NULL, NULL, "marker"},
    {"h " A "\n@cert-authority h " C "\n", "AB", NULL, NULL, "marker"},
    {"h,192.0.2.8 " A "\n", "AB", "192.0.2.7", NULL, "another name or address"},
};

static void files_change_as_those_of_ssh_do(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct update_case *c = &cases[i];
        struct fixture f;
        struct asked a;
        struct rng rng = rng_fixed(1);
        fixture_begin(&f);
        fixture_write(&f, "kh", c->before);
        ask(&a, fixture_path(&f, "kh"), c->server);
        a.u.address = c->address;
        const char *why = hosts_update_look(&a.u);
        CU_ASSERT((why == NULL) == (c->why == NULL));
        if (why != NULL && c->why != NULL)
            CU_ASSERT(strstr(why, c->why) != NULL);
        if (why == NULL) {
            CU_ASSERT(hosts_update_write(&a.u, &rng));
            CU_ASSERT_STRING_EQUAL(fixture_read(&f, "kh"), c->after);
        }
        pool_free(&a.u.pool);
        fixture_end(&f);
    }
}

static bool update(struct fixture *f, const char *name, const char *server, bool hashed)
{
    struct asked a;
    struct rng rng = rng_fixed(1);
    ask(&a, fixture_path(f, name), server);
    a.u.hashed = hashed;
    bool ok = hosts_update_look(&a.u) == NULL && hosts_update_write(&a.u, &rng);
    pool_free(&a.u.pool);
    return ok;
}

static void mode_and_link_stay_and_the_old_file_is_kept(void)
{
    struct fixture f;
    struct stat st;
    fixture_begin(&f);
    fixture_write(&f, "kh", "h " A "\n");
    chmod(fixture_path(&f, "kh"), 0640);
    char link[512];
    snprintf(link, sizeof link, "%s", fixture_path(&f, "link"));
    CU_ASSERT_EQUAL(symlink("kh", link), 0);
    CU_ASSERT(update(&f, "link", "AB", false));
    CU_ASSERT(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT(stat(fixture_path(&f, "kh"), &st) == 0 && (st.st_mode & 07777) == 0640);
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "kh"), "h " A "\nh " B "\n");
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "kh.old"), "h " A "\n");
    fixture_end(&f);
}

static void hashed_lines_are_found_and_written(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "kh", "h " A "\n");
    CU_ASSERT(update(&f, "kh", "AB", true));
    const char *text = fixture_read(&f, "kh");
    CU_ASSERT(strstr(text, "\n|1|") != NULL && strstr(text, B) != NULL);
    CU_ASSERT(update(&f, "kh", "A", true));
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "kh"), "h " A "\n");
    fixture_end(&f);
}

static void a_file_that_cannot_be_written_says_so_and_stays(void)
{
    struct fixture f;
    fixture_begin(&f);
    mkdir(fixture_path(&f, "d"), 0700);
    fixture_write(&f, "d/kh", "h " A "\n");
    CU_ASSERT(update(&f, "missing", "AB", false)); /* as in ssh: nothing to bring up to date */
    struct asked a;
    struct rng rng = rng_fixed(1);
    ask(&a, fixture_path(&f, "d/kh"), "AB");
    CU_ASSERT_PTR_NULL(hosts_update_look(&a.u));
    if (geteuid() != 0) { /* root may write everywhere */
        chmod(fixture_path(&f, "d"), 0500);
        CU_ASSERT(!hosts_update_write(&a.u, &rng));
        CU_ASSERT(fixture_logged(&f, "cannot update the host keys in "));
        chmod(fixture_path(&f, "d"), 0700);
    }
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "d/kh"), "h " A "\n");
    a.u.files = &(struct text_list){(const char *[]){"/dev/null"}, 1, 1};
    CU_ASSERT(!hosts_update_write(&a.u, &rng));
    CU_ASSERT(fixture_logged(&f, "cannot update the host keys in /dev/null: "));
    pool_free(&a.u.pool);
    fixture_end(&f);
}

/* ---- many at once ------------------------------------------------------------------------------
 */

enum { ADDERS = 4, LINES_EACH = 25 };

/* A line for each byte that comes, so that lines come while the file is written anew. */
static _Noreturn void add_hosts(const char *file, int who, int tokens)
{
    char token;
    struct rng rng = rng_fixed((uint64_t)who);
    struct asked a;
    ask(&a, file, "D");
    bool ok = true;
    for (int i = 0; i < LINES_EACH; i++) {
        char host[32];
        snprintf(host, sizeof host, "host-%d-%d", who, i);
        ok = read(tokens, &token, 1) == 1 && ok;
        ok = hosts_add(file, host, 22, a.u.keys[0], false, &rng) && ok;
    }
    _exit(ok ? 0 : 1);
}

/* Writes the file anew again and again. */
static _Noreturn void update_often(const char *file, int tokens)
{
    struct rng rng = rng_fixed(1);
    bool ok = true;
    for (int i = 0; i < 2 * LINES_EACH; i++) {
        struct asked a;
        if (i % 2 == 0)
            ok = write(tokens, "****", ADDERS) == ADDERS && ok;
        ask(&a, file, i % 2 == 0 ? "AB" : "A");
        ok = hosts_update_look(&a.u) == NULL && hosts_update_write(&a.u, &rng) && ok;
        pool_free(&a.u.pool);
    }
    _exit(ok ? 0 : 1);
}

static void several_writers_at_once_lose_nothing(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "kh", "h " A "\n");
    const char *file = fixture_path(&f, "kh");
    int tokens[2];
    CU_ASSERT_EQUAL(pipe(tokens), 0);
    for (int who = 0; who <= ADDERS; who++) {
        pid_t child = fork();
        if (child == 0 && who == ADDERS)
            update_often(file, tokens[1]);
        if (child == 0)
            add_hosts(file, who, tokens[0]);
        CU_ASSERT(child > 0);
    }
    for (int i = 0; i <= ADDERS; i++) {
        int status;
        CU_ASSERT(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    close(tokens[0]);
    close(tokens[1]);
    const char *text = fixture_read(&f, "kh");
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++)
        n += *p == '\n' ? 1 : 0;
    CU_ASSERT_EQUAL(n, 1 + ADDERS * LINES_EACH);
    for (int who = 0; who < ADDERS; who++)
        for (int i = 0; i < LINES_EACH; i++) {
            char line[128];
            snprintf(line, sizeof line, "\nhost-%d-%d %s\n", who, i, D);
            CU_ASSERT(strstr(text, line) != NULL);
        }
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(files_change_as_those_of_ssh_do),
    UNIT(mode_and_link_stay_and_the_old_file_is_kept),
    UNIT(hashed_lines_are_found_and_written),
    UNIT(a_file_that_cannot_be_written_says_so_and_stays),
    UNIT(several_writers_at_once_lose_nothing),
};
UNIT_MAIN("hosts_update", tests)
