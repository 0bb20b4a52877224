/* Whole small files into memory, with the checks that keep a strange one from doing harm: regular
 * files only (a FIFO would hang us), a size limit, and who may have written or can read them. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/wire.h"

enum file_check {
    FILE_ANY,
    FILE_OWNED,   /* belongs to uid or root, and nobody else can write to it */
    FILE_PRIVATE, /* if it belongs to uid, nobody else can read it */
};

struct file_rules {
    size_t max_bytes;
    enum file_check check;
    uid_t uid;      /* for OWNED and PRIVATE */
    bool is_secret; /* the bytes are wiped when freed, and never lie in reallocated memory */
};

enum file_status {
    FILE_FAILED = 0, /* why says what went wrong, without the path: "Permission denied" */
    FILE_OK,
    FILE_MISSING,   /* there is no such file */
    FILE_BAD_OWNER, /* FILE_OWNED does not hold */
    FILE_TOO_OPEN,  /* FILE_PRIVATE does not hold: mode is filled */
};

struct file {
    uint8_t *data; /* owned; NULL for an empty file */
    size_t n;
    size_t cap;
    bool is_secret;
    mode_t mode;
    char why[128];
};

/* Reads path. The null device is an empty file, as people use it for one. file_free() whatever the
 * status. */
enum file_status file_read(struct file *f, const char *path, const struct file_rules *rules);
void file_free(struct file *f); /* accepts a zeroed struct */

/* Takes the next line off *text, without its line end (LF, or CR LF); false at the end. */
bool file_next_line(struct bytes *text, struct bytes *line);

/* Is fd's file the null device? */
struct stat;
bool file_is_null_device(const struct stat *st);

#endif
