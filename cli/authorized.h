/* authorized_keys: may this key log in? (sshd(8), AUTHORIZED_KEYS FILE FORMAT)
 *
 * The file is read anew for every question, so that an edit counts at once. A line whose options
 * ask for something this server cannot hold (permitopen, from, expiry-time, ...) is not used at
 * all: an option that is not understood must never widen what a key may do. Those that only take
 * away what this server does not have anyway are fine. */
#ifndef CLI_AUTHORIZED_H
#define CLI_AUTHORIZED_H

#include <stdbool.h>

#include "proto/wire.h"

enum { AUTHORIZED_FILE_MAX = 4 << 20, AUTHORIZED_LINE_MAX = 16 << 10 };

enum authorized { AUTHORIZED_NO = 0, AUTHORIZED_YES };

/* Reads path and looks for key (a public key blob that key_check() accepts). Every failure is NO,
 * with a message logged that names the file and line. */
enum authorized authorized_check(const char *path, struct bytes key);

/* At the start: is there a file that may be used? false: a message was logged. */
bool authorized_is_usable(const char *path);

/* The same as authorized_check() over the text of a file; name is what messages call it. */
enum authorized authorized_check_text(struct bytes text, const char *name, struct bytes key);

#endif
