/* ProxyJump: servers on the way to the destination, each reached through the one before. The last
 * of them is the destination of another adit, whose -W is our connection; the others are its -J.
 *
 * ssh_config(5), ProxyJump; where its words leave room, what OpenSSH 9.2 does. */
#ifndef CLI_JUMP_H
#define CLI_JUMP_H

#include "cli/options.h"

enum {
    JUMPS_MAX = 32, /* in a list; and so many adits may stand behind one another */
};

/* The variable in which an adit that is a jump finds how many adits lead to it. */
#define JUMP_DEPTH_VARIABLE "ADIT_JUMP_DEPTH"

/* A list of destinations with ports, comma-separated. Hosts and users are sane, and may hold tokens
 * still.
 *   list    out, in pool
 *   bad     out, in pool: the element that is none
 *   errors  ERR_MALFORMED: see bad; ERR_LIMIT: more than JUMPS_MAX; ERR_NOMEM */
enum err jump_parse(struct pool *pool, const char *text, struct jump_list *list, const char **bad);

/* The list that text was, as ssh -G has it: the last element in its plain form. NULL: no memory. */
const char *jump_text(struct pool *pool, const char *text, const struct jump_list *list);

/* The last step, when host, port and user are known: the tokens of o->jumps, and o->proxy_line, the
 * command that is the way to the last of them. Nothing is done when there are none.
 *   tokens  those of ProxyCommand
 *   false   a message was logged */
bool jump_finish(struct options *o, const struct expand *tokens);

#endif
