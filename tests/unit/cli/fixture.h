/* A world for one test of cli/: a folder of its own as home and as /etc/ssh, an environment that
 * points there, and the log in memory. Nothing of the machine's real user is read. */
#ifndef TESTS_UNIT_CLI_FIXTURE_H
#define TESTS_UNIT_CLI_FIXTURE_H

#include "cli/options.h"
#include "tests/unit/unit.h"

struct fixture {
    char root[64]; /* the folder; its "home/.ssh" and "etc" exist */
    struct environment env;
    struct options o;
    char log[16384]; /* what was logged, NUL-terminated */
    size_t log_n;
    char path[512]; /* of fixture_path() */
};

/* Aborts when the machine has no room for it. Log level: VERBOSE. */
void fixture_begin(struct fixture *f);
void fixture_end(struct fixture *f); /* removes the folder */

/* root/name, valid until the next call. */
const char *fixture_path(struct fixture *f, const char *name);
/* Writes root/name with mode 0600. */
void fixture_write(struct fixture *f, const char *name, const char *text);
void fixture_write_bytes(struct fixture *f, const char *name, const void *p, size_t n);
/* root/name as text, static; "" when it is not there. */
const char *fixture_read(struct fixture *f, const char *name);

bool fixture_logged(const struct fixture *f, const char *text);
void fixture_clear_log(struct fixture *f);
size_t fixture_log_lines(const struct fixture *f);

/* Runs options_parse on a command line cut at blanks; "adit" is put in front. */
enum options_status fixture_parse(struct fixture *f, const char *line);

/* The n-th allocation (from 0) or read, open or fstat from now on fails, once; -1: none does.
 * Returns whether failing is possible in this build (not under sanitizers). */
bool fixture_fail_allocation(long n);
bool fixture_fail_call(long n);
/* Did the failure asked for happen? */
bool fixture_has_failed(void);

#endif
