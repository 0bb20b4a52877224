/* Messages to people: the one place of the client and the server that writes them.
 *
 * A message is one line, "adit: " in front, written with one write(2), to stderr or to the file of
 * -E. Formats are literals. What a peer, a file or a name server said goes through log_escape() (or
 * log_peer) first; as a second line of defence every control character left in a message is
 * written as '?'. Levels are ssh's: a warning is LOG_LEVEL_INFO, and -q (QUIET) silences
 * everything. */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <stdbool.h>

#include "proto/text.h"
#include "proto/wire.h"

enum log_level {
    LOG_LEVEL_QUIET,
    LOG_LEVEL_FATAL,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_INFO, /* the default */
    LOG_LEVEL_VERBOSE,
    LOG_LEVEL_DEBUG1, /* -v */
    LOG_LEVEL_DEBUG2,
    LOG_LEVEL_DEBUG3, /* -vvv */
};

enum { LOG_LINE_MAX = 4096 }; /* bytes of one message; what is longer ends in "..." */

/* The name in front of every line ("adit" until told otherwise); static text, borrowed. */
void log_program(const char *name);

/* Messages above the level are dropped. Starts at LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
/* Is a message of this level shown? For work that only a message would need. */
bool log_shows(enum log_level level);

/* "INFO", "DEBUG" (1), "DEBUG2", ...: any case. false: no such level. */
bool log_level_from_name(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

/* -E: appends to path from now on (created 0600); false, with a message on stderr, when it cannot
 * be opened, and messages stay on stderr. */
bool log_to_file(const char *path);
/* stderr again; closes the file. */
void log_to_stderr(void);

/* Where lines go instead, for tests; text is not NUL-terminated and ends in a newline. NULL: back
 * to stderr. */
void log_set_sink(void (*sink)(void *user, const char *text, size_t n), void *user);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_fatal(...)   log_line(LOG_LEVEL_FATAL, __VA_ARGS__)
#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_verbose(...) log_line(LOG_LEVEL_VERBOSE, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG1, __VA_ARGS__)

/* A text of several lines, already escaped, as it stands: no prefix, no format, one write as far as
 * 8 KiB go. For the boxes that must look like ssh's. */
void log_block(enum log_level level, const char *text);
/* The same, to the person and not to the log: on stderr, whatever -E says. */
void log_notice(enum log_level level, const char *text);

/* One line: what (a literal of ours), a colon, and a peer's text, escaped. */
void log_peer(enum log_level level, const char *what, struct bytes text);

/* Foreign text as an argument of log_line: log_error("no host %s", log_escape(name).s). Cut at 512
 * bytes. */
struct log_escaped {
    char s[512];
};
struct log_escaped log_escape(struct bytes text);
struct log_escaped log_escape_cstr(const char *text); /* NULL is "" */

#endif
