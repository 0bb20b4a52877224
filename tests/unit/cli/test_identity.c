#include "cli/identity.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/base64.h"
#include "tests/unit/cli/fixture.h"

/* Writes a throw-away key to name, and its public half to name.pub when asked. */
static struct private_key *write_key(
    struct fixture *f, const char *name, uint64_t seed, bool with_public)
{
    struct rng rng = rng_fixed(seed);
    struct private_key *k = private_key_generate(&rng);
    char text[4096], line[1024], b64[512], public_name[128];
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    CU_ASSERT(private_key_write(k, "comment", text, sizeof text) > 0);
    fixture_write(f, name, text);
    if (with_public) {
        base64_encode(private_key_blob(k), b64);
        snprintf(line, sizeof line, "ssh-ed25519 %s a comment\n", b64);
        snprintf(public_name, sizeof public_name, "%s.pub", name);
        fixture_write(f, public_name, line);
    }
    return k;
}

static bool parse(struct fixture *f, const char *line)
{
    return fixture_parse(f, line) == OPTIONS_RUN && options_finish(&f->o);
}

static const struct identity_asker nobody = {NULL, NULL, 0};

static void default_keys_are_found_in_order_and_in_silence(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, true));
    private_key_free(write_key(&f, "home/.ssh/id_rsa", 2, false));
    CU_ASSERT(parse(&f, "host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 2);
    CU_ASSERT(strstr(ids.list[0].path, "/home/.ssh/id_rsa") != NULL);
    CU_ASSERT(ids.list[0].blob != NULL && ids.list[1].blob != NULL); /* by itself; by .pub */
    CU_ASSERT(!ids.list[0].is_given);
    for (size_t i = 0; i < ids.n; i++) {
        CU_ASSERT(identity_load(&ids.list[i], &nobody));
        struct bytes blob = private_key_blob(ids.list[i].key);
        CU_ASSERT(bytes_equal(blob, (struct bytes){ids.list[i].blob, ids.list[i].blob_n}));
    }
    CU_ASSERT_STRING_EQUAL(f.log, "");
    identities_free(&ids);
    fixture_end(&f);
}

static void keys_asked_for_replace_the_default_ones(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, false));
    private_key_free(write_key(&f, "home/key", 2, false));
    CU_ASSERT(parse(&f, "-i ~/key -oIdentityFile=~/gone host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 2);
    CU_ASSERT(identity_load(&ids.list[0], &nobody));
    CU_ASSERT(!identity_load(&ids.list[1], &nobody));
    CU_ASSERT(fixture_logged(&f, "/gone: No such file or directory"));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
    CU_ASSERT(!identity_load(&ids.list[1], &nobody)); /* spent: said once */
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
    identities_free(&ids);
    fixture_end(&f);
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, false));
    CU_ASSERT(parse(&f, "-oIdentityFile=none host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL(ids.n, 0);
    identities_free(&ids);
    fixture_end(&f);
}

static void a_key_others_can_read_is_not_used(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, false));
    chmod(fixture_path(&f, "home/.ssh/id_ed25519"), 0640);
    CU_ASSERT(parse(&f, "host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 1);
    CU_ASSERT(!identity_load(&ids.list[0], &nobody));
    CU_ASSERT(ids.list[0].key == NULL);
    CU_ASSERT(fixture_logged(&f, "WARNING: UNPROTECTED PRIVATE KEY FILE!"));
    CU_ASSERT(fixture_logged(&f, "Permissions 0640 for '"));
    CU_ASSERT(fixture_logged(&f, "id_ed25519\": bad permissions"));
    identities_free(&ids);
    fixture_end(&f);
}

static void a_key_that_is_not_the_public_one_is_refused(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, true));
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 2, false));
    CU_ASSERT(parse(&f, "host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 1);
    CU_ASSERT(!identity_load(&ids.list[0], &nobody) && ids.list[0].key == NULL);
    CU_ASSERT(fixture_logged(&f, "does not belong to"));
    identities_free(&ids);
    fixture_end(&f);
}

static void files_that_are_no_keys_are_named(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    fixture_write(&f, "home/text", "hello\n");
    fixture_write(&f, "home/text.pub", "ssh-ed25519 !!!! x\n");
    mkdir(fixture_path(&f, "home/folder"), 0700);
    mkfifo(fixture_path(&f, "home/pipe"), 0600);
    CU_ASSERT(parse(&f, "-i ~/text -i ~/folder -i ~/pipe host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 3);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT(!identity_load(&ids.list[i], &nobody));
    CU_ASSERT(fixture_logged(&f, "Load key \""));
    CU_ASSERT(fixture_logged(&f, "folder\": not a regular file"));
    CU_ASSERT(fixture_logged(&f, "pipe\": not a regular file"));
    CU_ASSERT(fixture_logged(&f, "text\": not a private key: expected \"-----BEGIN OPENSSH"));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 3);
    identities_free(&ids);
    fixture_end(&f);
}

/* Made by ssh-keygen; its passphrase is "pw". */
static const char encrypted[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABD8UvUiHG\n"
    "YF1O3U14mdtCr7AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIFhCFBtSqmDtCNP4\n"
    "MfSY4kx2cmBVVkiT/vrHAuKD+N20AAAAkG4xj7BKuVKlXo0plfVUL2NeGPvqdNtlqJbJvk\n"
    "g9lxgtpc06W257Fi3H4pZ6hw9KnV98+gHEVOg/cWLz3PL5ERxXISDqRJr4yQFweiiPbkCw\n"
    "0XS9YkpZPyAA5FqJ1ozN4mhtxem/odku4vDjS8DbRf81KPggO1p8a6NNmD4QrglznJhs6s\n"
    "mWtn3/sfrk0EmEXQ==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

struct script {
    const char *answers[4]; /* NULL: no answer */
    int asked;
};

static long answer(void *user, const char *prompt, int attempt, char *out, size_t cap)
{
    struct script *s = user;
    CU_ASSERT(strncmp(prompt, "Enter passphrase for key '", 26) == 0);
    CU_ASSERT_EQUAL(attempt, s->asked);
    const char *text = s->answers[s->asked++];
    if (text == NULL || strlen(text) > cap)
        return -1;
    memcpy(out, text, strlen(text));
    return (long)strlen(text);
}

/* Loads the encrypted key with these answers; returns whether it opened. That the passphrase was
 * wrong is said once, after the last try. */
static bool open_encrypted(struct script *s, int max_attempts)
{
    struct fixture f;
    struct identities ids;
    struct identity_asker asker = {answer, s, max_attempts};
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/id_ed25519", encrypted);
    CU_ASSERT(parse(&f, "host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 1);
    bool ok = identity_load(&ids.list[0], &asker);
    CU_ASSERT_EQUAL(ok, ids.list[0].key != NULL);
    bool was_wrong = !ok && s->asked > 0 && s->answers[0] != NULL && s->answers[0][0] != '\0';
    CU_ASSERT_EQUAL(fixture_logged(&f, "id_ed25519\": wrong passphrase"), was_wrong);
    identities_free(&ids);
    fixture_end(&f);
    return ok;
}

static bool can_decrypt(void)
{
    struct private_key *k = NULL;
    const char *why;
    enum key_file_status s = private_key_parse(bytes_of(encrypted), bytes_of("pw"), &k, &why);
    private_key_free(k);
    return s == KEY_FILE_OK;
}

static void a_passphrase_is_asked_for_as_often_as_allowed(void)
{
    struct script good = {.answers = {"no", "pw"}}, few = {.answers = {"no", "no", "pw"}},
                  empty = {.answers = {"", "pw"}}, none = {.answers = {NULL}},
                  unasked = {{NULL}, 0};
    bool can = can_decrypt();
    CU_ASSERT_EQUAL(open_encrypted(&good, 3), can);
    CU_ASSERT(!open_encrypted(&few, 2));
    CU_ASSERT(!open_encrypted(&empty, 3));
    CU_ASSERT(!open_encrypted(&none, 3));
    CU_ASSERT(!open_encrypted(&unasked, 0));
    CU_ASSERT_EQUAL(unasked.asked, 0);
    if (!can)
        return;
    CU_ASSERT(good.asked == 2 && few.asked == 2 && empty.asked == 1 && none.asked == 1);
}

static void running_out_of_memory_is_an_error(void)
{
    if (!fixture_fail_allocation(-1))
        return;
    bool happened = true;
    for (long n = 0; happened && n < 200; n++) {
        struct fixture f;
        struct identities ids;
        fixture_begin(&f);
        private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, true));
        CU_ASSERT(parse(&f, "host"));
        fixture_fail_allocation(n);
        bool ok = identities_find(&ids, &f.o) && ids.n == 1 &&
                  (ids.list[0].key != NULL || identity_load(&ids.list[0], &nobody));
        happened = fixture_has_failed();
        fixture_fail_allocation(-1);
        CU_ASSERT(ok || f.log_n > 0);
        CU_ASSERT(ok || happened);
        identities_free(&ids);
        fixture_end(&f);
    }
    CU_ASSERT(!happened);
}

/* ---- with an agent ---------------------------------------------------------------------------
 */

struct answer {
    uint8_t room[2048];
    struct wire_writer w;
    struct msg_agent_identities keys;
};

static void answer_add(struct answer *a, struct bytes blob, const char *comment)
{
    if (a->w.base == NULL)
        a->w = wire_writer(a->room, sizeof a->room);
    wire_put_string(&a->w, blob);
    wire_put_cstring(&a->w, comment);
    a->keys.n_keys++;
    a->keys.keys = wire_reader(wire_written(&a->w));
}

static const char *names_of(const struct identities *ids)
{
    static char names[512];
    names[0] = '\0';
    for (size_t i = 0; i < ids->n; i++) {
        const char *slash = strrchr(ids->list[i].path, '/');
        strcat(names, slash != NULL ? slash + 1 : ids->list[i].path);
        strcat(names, ids->list[i].in_agent ? "+ " : " ");
    }
    return names;
}

static void files_the_agent_holds_come_first_then_its_others_then_other_files(void)
{
    static const char *const wanted[] = {
        "two+ four+ stranger+ one three ", "two+ four+ one three "};
    for (int only = 0; only < 2; only++) {
        struct fixture f;
        struct identities ids;
        struct answer answer = {.w = {.base = NULL}};
        fixture_begin(&f);
        struct private_key *k[] = {write_key(&f, "home/one", 1, true),
            write_key(&f, "home/two", 2, false), write_key(&f, "home/three", 3, true),
            write_key(&f, "home/four", 4, true), write_key(&f, "home/five", 5, false)};
        CU_ASSERT(parse(&f, "-i ~/one -i ~/two -i ~/three -i ~/four host"));
        CU_ASSERT(identities_find(&ids, &f.o));
        answer_add(&answer, private_key_blob(k[4]), "stranger");
        answer_add(&answer, private_key_blob(k[3]), "comments do not matter");
        answer_add(&answer, private_key_blob(k[1]), "");
        answer_add(&answer, (struct bytes){NULL, 0}, "no key at all");
        CU_ASSERT(identities_add_agent(&ids, &answer.keys, only == 1));
        CU_ASSERT_STRING_EQUAL(names_of(&ids), wanted[only]);
        identities_free(&ids);
        for (size_t i = 0; i < 5; i++)
            private_key_free(k[i]);
        fixture_end(&f);
    }
}

static void a_file_that_is_a_public_key_needs_the_agent(void)
{
    struct fixture f;
    struct identities ids;
    struct answer answer = {.w = {.base = NULL}};
    fixture_begin(&f);
    struct private_key *k = write_key(&f, "home/key", 1, true);
    struct private_key *other = write_key(&f, "home/other", 2, true);
    remove(fixture_path(&f, "home/other"));
    CU_ASSERT(parse(&f, "-i ~/key.pub -oIdentityFile=~/other host"));
    CU_ASSERT(identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 2);
    CU_ASSERT(ids.list[0].needs_agent && ids.list[0].blob != NULL);
    CU_ASSERT(ids.list[1].needs_agent && ids.list[1].blob != NULL);
    CU_ASSERT(!identity_load(&ids.list[0], &nobody));
    CU_ASSERT(fixture_logged(&f, "key.pub\": a public key, and there is no agent that holds"));
    answer_add(&answer, private_key_blob(other), "");
    CU_ASSERT(identities_add_agent(&ids, &answer.keys, true));
    CU_ASSERT_STRING_EQUAL(names_of(&ids), "other+ key.pub ");
    identities_free(&ids);
    private_key_free(k);
    private_key_free(other);
    fixture_end(&f);
}

static void of_a_default_key_the_public_half_is_enough(void)
{
    struct fixture f;
    struct identities ids;
    fixture_begin(&f);
    private_key_free(write_key(&f, "home/.ssh/id_ed25519", 1, true));
    remove(fixture_path(&f, "home/.ssh/id_ed25519"));
    CU_ASSERT(parse(&f, "host") && identities_find(&ids, &f.o));
    CU_ASSERT_EQUAL_FATAL(ids.n, 1);
    CU_ASSERT(ids.list[0].needs_agent && ids.list[0].blob != NULL);
    CU_ASSERT_STRING_EQUAL(f.log, "");
    identities_free(&ids);
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(files_the_agent_holds_come_first_then_its_others_then_other_files),
    UNIT(a_file_that_is_a_public_key_needs_the_agent),
    UNIT(of_a_default_key_the_public_half_is_enough),
    UNIT(default_keys_are_found_in_order_and_in_silence),
    UNIT(keys_asked_for_replace_the_default_ones),
    UNIT(a_key_others_can_read_is_not_used),
    UNIT(a_key_that_is_not_the_public_one_is_refused),
    UNIT(files_that_are_no_keys_are_named),
    UNIT(a_passphrase_is_asked_for_as_often_as_allowed),
    UNIT(running_out_of_memory_is_an_error),
};

int main(void)
{
    return crypto_init() ? unit_main("identity", tests, sizeof tests / sizeof tests[0]) : 2;
}
