/* The two lines of a config file that say whether the lines behind them count: Host and Match. */
#ifndef CLI_CONFIG_MATCH_H
#define CLI_CONFIG_MATCH_H

#include <stdbool.h>
#include <stddef.h>

enum config_match {
    CONFIG_MATCH_BAD, /* a message was logged */
    CONFIG_MATCH_NO,
    CONFIG_MATCH_YES,
};

/* What criteria are compared with; none is NULL. */
struct config_facts {
    const char *host; /* the host as known so far: HostName applied */
    const char *original_host;
    const char *user;
    const char *local_user;
    const char *tag;
    const char *command;
    const char *session_type; /* "none", "subsystem", "exec" or "shell" */
    bool is_final;            /* the second reading */
    bool *wants_final;        /* out: a "Match final" asks for a second reading */
    const char *where;        /* for messages: "FILE line N" */
    bool is_quiet;            /* inside of something that does not apply: no notices */
};

/* Host PATTERN...: name is what patterns are compared with; one negated match rules the block out.
 */
enum config_match config_host(
    const char *where, const char *name, const char *const *args, size_t n_args);

/* Match CRITERION...: all of them must hold. exec, localnetwork and version are not known to adit
 * yet and do not hold, which a notice says. */
enum config_match config_match(
    const struct config_facts *facts, const char *const *args, size_t n_args);

#endif
