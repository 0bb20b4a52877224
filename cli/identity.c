#include "cli/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/file.h"
#include "crypto/cert.h"
#include "crypto/ct.h"

enum { KEY_FILE_MAX = 1 << 20, PATH_MAX_BYTES = 4096 };

const char *const identity_defaults[] = {
    "id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", NULL};

static bool no_memory(void)
{
    log_error("out of memory");
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool set_blob(struct identity *id, struct bytes blob)
{
    free(id->blob);
    id->blob_n = 0;
    id->blob = malloc(blob.n);
    if (id->blob == NULL)
        return no_memory();
    memcpy(id->blob, blob.p, blob.n);
    id->blob_n = blob.n;
    return true;
}

/* The next word of a line. */
static struct bytes take_word(struct bytes *line)
{
    while (line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t'))
        *line = (struct bytes){line->p + 1, line->n - 1};
    struct bytes word = {line->p, 0};
    while (word.n < line->n && line->p[word.n] != ' ' && line->p[word.n] != '\t')
        word.n++;
    *line = (struct bytes){line->p + word.n, line->n - word.n};
    return word;
}

/* A public key as text: its first line. */
static bool parse_public(struct bytes text, uint8_t *blob, size_t *blob_n)
{
    struct bytes line;
    if (!file_next_line(&text, &line))
        return false;
    struct bytes type = take_word(&line);
    struct bytes b64 = take_word(&line);
    return key_from_base64(type, b64, blob, KEY_BLOB_MAX, blob_n) == ERR_OK;
}

/* The .pub file beside it, where there is one and it is good: it is only a hint, and a private key
 * that does not fit to it is refused when it is loaded. */
static bool read_beside(const struct identity *id, uint8_t *blob, size_t *blob_n)
{
    char path[PATH_MAX_BYTES];
    int n = snprintf(path, sizeof path, "%s.pub", id->path);
    struct file_rules rules = {.max_bytes = KEY_FILE_MAX};
    struct file f = {.data = NULL};
    bool found = n > 0 && (size_t)n < sizeof path && file_read(&f, path, &rules) == FILE_OK &&
                 parse_public((struct bytes){f.data, f.n}, blob, blob_n);
    file_free(&f);
    return found;
}

/* Its private half is in a device that only an agent talks to. */
static bool is_security_key(struct bytes blob)
{
    struct wire_reader r = wire_reader(blob);
    struct bytes type = wire_string(&r);
    return type.n > 3 && memcmp(type.p, "sk-", 3) == 0;
}

/* What the public key is, before anybody is asked for a passphrase: from the file itself where that
 * is a public key, from the .pub file, from the private one's public part. */
static bool read_public(struct identity *id)
{
    struct file_rules rules = {.max_bytes = KEY_FILE_MAX, .is_secret = true};
    struct file f = {.data = NULL};
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    enum file_status status = file_read(&f, id->path, &rules);
    struct bytes text = {f.data, status == FILE_OK ? f.n : 0};
    id->is_public = parse_public(text, blob, &blob_n);
    bool found = id->is_public || read_beside(id, blob, &blob_n) ||
                 key_file_public(text, blob, sizeof blob, &blob_n) == ERR_OK;
    file_free(&f);
    id->needs_agent = id->is_public || status == FILE_MISSING ||
                      (found && is_security_key((struct bytes){blob, blob_n}));
    return !found || set_blob(id, (struct bytes){blob, blob_n});
}

static void say_too_open(const struct identity *id, mode_t mode)
{
    char text[LOG_LINE_MAX];
    snprintf(text, sizeof text,
        "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
        "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n"
        "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
        "Permissions 0%03o for '%s' are too open.\n"
        "It is required that your private key files are NOT accessible by others.\n"
        "This private key will be ignored. (To protect it: chmod 600 '%s')\n",
        (unsigned)mode, log_escape_cstr(id->path).s, log_escape_cstr(id->path).s);
    log_block(LOG_LEVEL_ERROR, text);
    log_error("Load key \"%s\": bad permissions", log_escape_cstr(id->path).s);
}

static void say_unusable(const struct identity *id, const char *why)
{
    log_line(id->is_given ? LOG_LEVEL_ERROR : LOG_LEVEL_VERBOSE, "Load key \"%s\": %s",
        log_escape_cstr(id->path).s, why);
}

/* The file's bytes, wiped by file_free(). A message was logged when false. */
static bool read_private(const struct identity *id, struct file *f)
{
    struct file_rules rules = {
        .max_bytes = KEY_FILE_MAX, .check = FILE_PRIVATE, .uid = id->uid, .is_secret = true};
    switch (file_read(f, id->path, &rules)) {
    case FILE_OK: return true;
    case FILE_MISSING:
        log_line(id->is_given ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG1, "no such identity: %s: %s",
            log_escape_cstr(id->path).s, f->why);
        break;
    case FILE_TOO_OPEN: say_too_open(id, f->mode); break;
    case FILE_BAD_OWNER:
    case FILE_FAILED: say_unusable(id, f->why); break;
    }
    return false;
}

/* ---- finding --------------------------------------------------------------------------------- */

static bool add(struct identities *ids, const char *path, bool is_given, uid_t uid)
{
    struct identity *more = realloc(ids->list, (ids->n + 1) * sizeof *more);
    if (more == NULL)
        return no_memory();
    ids->list = more;
    struct identity *id = &ids->list[ids->n];
    *id = (struct identity){.path = strdup(path), .is_given = is_given, .uid = uid};
    if (id->path == NULL)
        return no_memory();
    ids->n++;
    return read_public(id);
}

static void identity_free(struct identity *id)
{
    free(id->path);
    free(id->blob);
    private_key_free(id->key);
}

static void drop_last(struct identities *ids)
{
    identity_free(&ids->list[--ids->n]);
}

static bool add_default(struct identities *ids, const struct options *o, const char *name)
{
    char path[PATH_MAX_BYTES];
    int n = snprintf(path, sizeof path, "%s/.ssh/%s", o->env->home, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return true;
    if (!add(ids, path, false, o->env->uid))
        return false;
    struct identity *id = &ids->list[ids->n - 1];
    if (id->needs_agent && id->blob == NULL) /* not there at all */
        drop_last(ids);
    return true;
}

bool identities_find(struct identities *ids, const struct options *o)
{
    bool ok = true;
    *ids = (struct identities){.n = 0};
    for (size_t i = 0; ok && i < o->identity_files.n; i++)
        if (strcasecmp(o->identity_files.items[i], "none") != 0)
            ok = add(ids, o->identity_files.items[i], true, o->env->uid);
    bool wants_defaults = o->identity_files.n == 0 && o->env->home[0] != '\0';
    for (size_t i = 0; ok && wants_defaults && identity_defaults[i] != NULL; i++)
        ok = add_default(ids, o, identity_defaults[i]);
    return ok && identities_add_certificates(ids, o);
}

void identities_free(struct identities *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        identity_free(&ids->list[i]);
    free(ids->list);
    *ids = (struct identities){.n = 0};
}

/* ---- the agent's ------------------------------------------------------------------------------
 */

static struct identity *find(const struct identities *ids, struct bytes blob)
{
    for (size_t i = 0; i < ids->n; i++)
        if (bytes_equal(blob, (struct bytes){ids->list[i].blob, ids->list[i].blob_n}))
            return &ids->list[i];
    return NULL;
}

static bool add_agent_key(struct identities *ids, struct bytes blob, struct bytes comment)
{
    struct identity *more = realloc(ids->list, (ids->n + 1) * sizeof *more);
    if (more == NULL)
        return no_memory();
    ids->list = more;
    struct identity *id = &ids->list[ids->n];
    *id = (struct identity){
        .path = strndup((const char *)comment.p, comment.n), .needs_agent = true, .in_agent = true};
    if (id->path == NULL || !set_blob(id, blob)) {
        free(id->path);
        return no_memory();
    }
    ids->n++;
    return true;
}

/* Moves those that the agent holds before the others; files come before what has none already.
 * Certificates that CertificateFile names stay in front of all. */
static bool sort(struct identities *ids)
{
    struct identity *sorted = calloc(ids->n + 1, sizeof *sorted);
    size_t n = 0;
    if (sorted == NULL)
        return no_memory();
    while (n < ids->n && ids->list[n].is_certificate) {
        sorted[n] = ids->list[n];
        n++;
    }
    size_t n_named = n;
    for (int pass = 1; pass >= 0; pass--)
        for (size_t i = n_named; i < ids->n; i++)
            if (ids->list[i].in_agent == (pass == 1))
                sorted[n++] = ids->list[i];
    free(ids->list);
    ids->list = sorted;
    return true;
}

bool identities_add_agent(
    struct identities *ids, const struct msg_agent_identities *keys, bool only)
{
    struct msg_agent_identities walk = *keys;
    struct bytes blob, comment;
    bool ok = true;
    while (ok && msg_agent_identities_next(&walk, &blob, &comment)) {
        if (blob.n == 0 || blob.n > KEY_BLOB_MAX)
            continue;
        struct identity *id = find(ids, blob);
        if (id != NULL)
            id->in_agent = true;
        else if (!only)
            ok = add_agent_key(ids, blob, comment);
    }
    return ok && sort(ids);
}

/* ---- loading --------------------------------------------------------------------------------- */

/* Asks until a passphrase opens the key, or there are no more. An empty answer means: not this
 * key. */
static enum key_file_status unlock(
    struct identity *id, struct bytes file, const struct identity_asker *asker, const char **why)
{
    enum key_file_status status = KEY_FILE_ENCRYPTED;
    char prompt[PATH_MAX_BYTES];
    char *passphrase = secret_alloc(IDENTITY_PASSPHRASE_MAX);
    if (passphrase == NULL) {
        *why = "out of memory";
        return KEY_FILE_BAD;
    }
    snprintf(prompt, sizeof prompt, "Enter passphrase for key '%s': ", log_escape_cstr(id->path).s);
    for (int i = 0; i < asker->max_attempts && asker->ask != NULL; i++) {
        long n = asker->ask(asker->user, prompt, i, passphrase, IDENTITY_PASSPHRASE_MAX);
        if (n <= 0 || n > IDENTITY_PASSPHRASE_MAX)
            break;
        struct bytes answer = {(const uint8_t *)passphrase, (size_t)n};
        status = private_key_parse(file, answer, &id->key, why);
        if (status != KEY_FILE_WRONG_PASSPHRASE)
            break;
        log_debug("bad passphrase for %s", log_escape_cstr(id->path).s);
    }
    secret_free(passphrase, IDENTITY_PASSPHRASE_MAX);
    return status;
}

/* The key belongs to the public one that was shown to the server, or to the certificate that stands
 * in the .pub file in its place; or becomes known now. */
static bool settle_blob(struct identity *id)
{
    struct bytes blob = private_key_blob(id->key);
    uint8_t room[KEY_BLOB_MAX];
    if (id->blob == NULL)
        return set_blob(id, blob);
    if (bytes_equal(blob, cert_plain_blob((struct bytes){id->blob, id->blob_n}, room)))
        return true;
    log_error("private key %s does not belong to %s.pub beside it", log_escape_cstr(id->path).s,
        log_escape_cstr(id->path).s);
    return false;
}

static bool parse(struct identity *id, struct bytes file, const struct identity_asker *asker)
{
    const char *why = "";
    enum key_file_status status = private_key_parse(file, (struct bytes){NULL, 0}, &id->key, &why);
    if (status == KEY_FILE_ENCRYPTED)
        status = unlock(id, file, asker, &why);
    if (status == KEY_FILE_OK)
        return settle_blob(id);
    if (status == KEY_FILE_WRONG_PASSPHRASE)
        log_error("Load key \"%s\": wrong passphrase", log_escape_cstr(id->path).s);
    else if (status == KEY_FILE_ENCRYPTED)
        log_verbose("no passphrase for %s, it is not used", log_escape_cstr(id->path).s);
    else
        say_unusable(id, why);
    return false;
}

bool identity_load(struct identity *id, const struct identity_asker *asker)
{
    if (id->key != NULL)
        return true;
    if (id->is_spent)
        return false;
    struct file f = {.data = NULL};
    bool ok = read_private(id, &f);
    if (ok && id->is_public)
        say_unusable(id, "a public key, and there is no agent that holds its private key");
    ok = ok && !id->is_public && parse(id, (struct bytes){f.data, f.n}, asker);
    file_free(&f);
    if (!ok) {
        private_key_free(id->key);
        id->key = NULL;
        id->is_spent = true;
    }
    return ok;
}
