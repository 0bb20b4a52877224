/* User certificates: beside the identity files, or named by CertificateFile. A certificate is an
 * identity of its own in the list, and another one signs for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/file.h"
#include "cli/identity.h"
#include "crypto/cert.h"

enum { CERT_FILE_MAX = 1 << 20, CERT_PATH_MAX = 4096 };

/* The first word of a line, taken. */
static struct bytes take_word(struct bytes *line)
{
    struct bytes word = {line->p, 0};
    while (word.n < line->n && line->p[word.n] != ' ' && line->p[word.n] != '\t')
        word.n++;
    *line = (struct bytes){line->p + word.n, line->n - word.n};
    while (line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t'))
        *line = (struct bytes){line->p + 1, line->n - 1};
    return word;
}

/* It is offered all the same, as the server's clock is the one that counts. */
static void note_time(const char *path, const struct cert *c)
{
    char valid[CERT_VALIDITY_MAX];
    uint64_t now_s = (uint64_t)time(NULL);
    if (now_s >= c->valid_after && now_s < c->valid_before)
        return;
    cert_validity_text(c, valid);
    log_verbose("certificate %s is not valid now, but %s", log_escape_cstr(path).s, valid);
}

/* Reads the user certificate in path into blob. A file that is missing is passed over in silence
 * unless is_named, and nothing here ends a login. */
static bool read_certificate(const char *path, bool is_named, uint8_t *blob, size_t *blob_n)
{
    struct file_rules rules = {.max_bytes = CERT_FILE_MAX};
    struct file f = {.data = NULL};
    struct cert c;
    bool ok = false;
    enum log_level level = is_named ? LOG_LEVEL_INFO : LOG_LEVEL_VERBOSE;
    enum file_status status = file_read(&f, path, &rules);
    struct bytes text = {f.data, f.n}, line;
    if (status != FILE_OK) {
        if (is_named || status != FILE_MISSING)
            log_line(level, "no such certificate: %s: %s", log_escape_cstr(path).s, f.why);
    } else if (!file_next_line(&text, &line)) {
        log_line(level, "certificate %s: the file is empty", log_escape_cstr(path).s);
    } else {
        struct bytes type = take_word(&line);
        struct bytes b64 = take_word(&line);
        ok = key_from_base64(type, b64, blob, KEY_BLOB_MAX, blob_n) == ERR_OK &&
             cert_parse((struct bytes){blob, *blob_n}, &c) == ERR_OK;
        if (!ok)
            log_line(level, "certificate %s: expected one line: type, base64, comment",
                log_escape_cstr(path).s);
        else if (c.kind != CERT_USER)
            log_line(
                level, "ignoring certificate %s: not a user certificate", log_escape_cstr(path).s);
        else
            note_time(path, &c);
        ok = ok && c.kind == CERT_USER;
    }
    file_free(&f);
    return ok;
}

/* Appends to list, which has room, the certificate in path, if there is one. false: no memory. */
static bool append(struct identities *list, const char *path, const struct identity *of, uid_t uid)
{
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    if (!read_certificate(path, of == NULL, blob, &blob_n))
        return true;
    struct identity *id = &list->list[list->n];
    *id = (struct identity){.path = strdup(of != NULL ? of->path : path),
        .is_given = of == NULL || of->is_given,
        .blob = malloc(blob_n),
        .blob_n = blob_n,
        .uid = uid,
        .is_certificate = true};
    list->n++;
    if (id->path == NULL || id->blob == NULL)
        return false;
    memcpy(id->blob, blob, blob_n);
    return true;
}

static bool append_beside(struct identities *list, const struct identity *of)
{
    char path[CERT_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s-cert.pub", of->path);
    return n < 0 || (size_t)n >= sizeof path || append(list, path, of, of->uid);
}

bool identities_add_certificates(struct identities *ids, const struct options *o)
{
    size_t n_named = o->certificate_files.n;
    struct identities list = {.list = calloc(2 * ids->n + n_named + 1, sizeof *list.list)};
    bool ok = list.list != NULL;
    for (size_t i = 0; ok && i < n_named; i++)
        ok = append(&list, o->certificate_files.items[i], NULL, o->env->uid);
    for (size_t i = 0; ok && i < ids->n; i++) {
        list.list[list.n++] = ids->list[i];
        ids->list[i] = (struct identity){.path = NULL}; /* moved */
        if (n_named == 0)
            ok = append_beside(&list, &list.list[list.n - 1]);
    }
    if (!ok) {
        log_error("out of memory");
        identities_free(&list);
        return false;
    }
    free(ids->list);
    *ids = list;
    return true;
}

/* Is id's public key the one inside the certificate? */
static bool is_certified(const struct identity *id, struct bytes plain)
{
    return !id->is_certificate && id->blob != NULL &&
           bytes_equal(plain, (struct bytes){id->blob, id->blob_n});
}

struct identity *identities_signer(
    struct identities *ids, struct identity *id, const struct identity_asker *asker)
{
    struct cert c;
    uint8_t room[KEY_BLOB_MAX];
    if (!id->is_certificate)
        return id;
    if (cert_parse((struct bytes){id->blob, id->blob_n}, &c) != ERR_OK)
        return NULL;
    struct bytes plain = {room, cert_plain_key(&c, room, sizeof room)};
    for (size_t i = 0; i < ids->n; i++)
        if (is_certified(&ids->list[i], plain))
            return &ids->list[i];
    for (size_t i = 0; i < ids->n; i++) /* those that nothing but the private key tells of */
        if (ids->list[i].blob == NULL && !ids->list[i].is_spent &&
            identity_load(&ids->list[i], asker) && is_certified(&ids->list[i], plain))
            return &ids->list[i];
    return NULL;
}
