/* ssh_config files: ssh_config(5) as adit reads it.
 *
 * Host, Match and Include are handled here; every other keyword is one row of the table in
 * keywords.c, and its values go through options_set(). A keyword that ssh has and adit has not yet
 * is passed with a notice (at -v; a warning for those that change where we connect); a keyword that
 * neither has is an error.
 *
 * Files are regular files of at most 1 MiB and lines of at most 16 KiB; anything else is refused
 * whole. The user's own file (and what it includes) must belong to the user or root and must not be
 * writable by others, as ssh wants it. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "cli/options.h"

enum {
    CONFIG_FILE_MAX = 1 << 20,
    CONFIG_LINE_MAX = 16 << 10,
    CONFIG_ARGS_MAX = 256, /* words on a line */
    CONFIG_INCLUDE_DEPTH = 16,
    CONFIG_INCLUDE_FILES = 1024, /* files read for one run, all told */
};

/* Reads what o->config_file says: one file that must be there, "none", or (NULL) the user's
 * ~/.ssh/config and the system's ssh_config, which may be missing. A Match final in them leads to a
 * second reading with the host name found by the first. false: a message was logged. */
bool config_load(struct options *o);

/* The text of one file, for tests and fuzzing; name is what messages call it. It is read as the
 * user's file (Includes are relative to ~/.ssh) but is not checked for its owner. */
bool config_text(struct options *o, struct bytes text, const char *name);

/* The line of -o, "Keyword=value" or "Keyword value"; line is changed. false: a message was logged.
 * Host, Match and Include have no place there. */
bool config_line(struct options *o, const struct option_place *place, char *line);

/* Cuts a line into words as ssh does, in place: blanks part them, ' and " quote, a backslash
 * escapes quotes, itself and (outside of quotes) a blank, and a word that starts with '#' ends the
 * line. *n_args is at most cap. NULL when fine; otherwise a phrase that says what was wrong. */
const char *config_split(char *line, const char **args, size_t cap, size_t *n_args);

#endif
