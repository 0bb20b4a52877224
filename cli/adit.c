/* adit: the client. Options in, one run, a status out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/background.h"
#include "cli/client.h"
#include "cli/config.h"
#include "cli/environment.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/process.h"
#include "cli/prompt.h"
#include "cli/query.h"
#include "cli/version.h"

enum { EXIT_OURS = 255 };

static void apply_log_level(const struct options *o)
{
    if (o->log_level != OPTION_UNSET)
        log_set_level((enum log_level)o->log_level);
}

/* text is freed. */
static int print(char *text)
{
    if (text == NULL)
        return EXIT_OURS;
    fputs(text, stdout);
    free(text);
    return fflush(stdout) == 0 ? 0 : EXIT_OURS;
}

static int run(struct options *o)
{
    if (o->log_file != NULL && !log_to_file(o->log_file))
        return EXIT_OURS;
    apply_log_level(o);
    if (!config_load(o) || !options_finish(o))
        return EXIT_OURS;
    apply_log_level(o);
    if (o->print_config)
        return print(options_print_dup(o));
    if (o->batch_mode)
        prompt_forbid();
    if (o->fork_after_auth && !background_begin()) {
        log_fatal("cannot fork: %s", strerror(errno));
        return EXIT_OURS;
    }
    return client_run(o);
}

int main(int argc, char *argv[])
{
    struct environment env;
    struct options o;
    int status = EXIT_OURS;
    if (!process_begin())
        return EXIT_OURS;
    environment_read(&env, argv[0]);
    options_init(&o, &env);
    switch (options_parse(&o, argc, argv)) {
    case OPTIONS_BAD: break;
    case OPTIONS_HELP:
        fputs(options_usage(), stdout);
        status = 0;
        break;
    case OPTIONS_QUERY: status = print(query_dup(&env, o.query)); break;
    case OPTIONS_VERSION:
        fprintf(stderr, "adit " ADIT_VERSION " (SSH-2, forwarding first)\n");
        status = 0;
        break;
    case OPTIONS_RUN: status = run(&o); break;
    }
    options_free(&o);
    return status;
}
