#include "forward/client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/client_internal.h"
#include "proto/text.h"

enum { LINE_MAX_BYTES = 1024 };

void forwards_say(struct forwards *f, enum say_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    f->config.say(f->config.user, level, line);
}

void forwards_failed(struct forward *fw, const char *format, ...)
{
    char why[LINE_MAX_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    fw->state = FORWARD_FAILED;
    fw->all->n_failed++;
    forwards_say(
        fw->all, SAY_ERROR, "%s %s: %s", forward_kind_option(fw->spec->kind), fw->spec->text, why);
}

/* What a person may try, by what the far side said. */
static const char *advice(const struct mux_event *e)
{
    switch (e->reason) {
    case OPEN_ADMINISTRATIVELY_PROHIBITED:
        return " (the server does not allow it: see AllowTcpForwarding and PermitOpen there)";
    case OPEN_RESOURCE_SHORTAGE: return " (the server is short of resources: try again later)";
    case OPEN_CONNECT_FAILED:
        if (socks_outcome_of(e->reason, e->text) == SOCKS_REFUSED)
            return " (is the service running there?)";
        return " (names are resolved and connections made by the server: try from there)";
    default: return "";
    }
}

void forwards_open_failed(
    struct forward *fw, const char *host, uint16_t port, const struct mux_event *e)
{
    char where[256], said[256]; /* host may be what an application asked -D for */
    text_escape(where, sizeof where, bytes_of(host), TEXT_LINE);
    text_escape(said, sizeof said, e->text, TEXT_LINE);
    forwards_say(fw->all, SAY_ERROR, "%s %s: remote side could not connect to %s:%u: %s%s%s",
        forward_kind_option(fw->spec->kind), fw->spec->text, where, port,
        e->reason == OPEN_ADMINISTRATIVELY_PROHIBITED ? "administratively prohibited: " : "",
        said[0] != '\0' ? said : "it gave no reason", advice(e));
}

void forwards_settle(struct forwards *f)
{
    if (!f->started || f->settled || f->n_waiting > 0)
        return;
    f->settled = true;
    f->config.settled(f->config.user, f->n_failed);
}

struct dial_options forwards_dial_options(const struct forwards *f)
{
    return (struct dial_options){
        .family = f->config.family, .timeout_ms = f->config.connect_timeout_ms};
}

/* Only while a reply is owed; and not what sshd tells everybody about the key they came with. */
void forwards_note_debug(struct forwards *f, struct bytes text)
{
    char said[sizeof f->debug];
    text_escape(said, sizeof said, text, TEXT_LINE);
    if (f->n_waiting > 0 && strstr(said, ": key options: ") == NULL)
        memcpy(f->debug, said, sizeof said);
}

struct forwards *forwards_new(const struct forwards_config *config)
{
    struct forwards *f = calloc(1, sizeof *f + config->n_specs * sizeof f->list[0]);
    if (f == NULL)
        return NULL;
    f->config = *config;
    f->n = config->n_specs;
    for (size_t i = 0; i < f->n; i++)
        f->list[i] = (struct forward){.all = f, .spec = &config->specs[i]};
    return f;
}

static bool is_remote(const struct forward *fw)
{
    return fw->spec->kind == FORWARD_REMOTE || fw->spec->kind == FORWARD_REMOTE_DYNAMIC;
}

/* Unix sockets are parsed and refused whole, rather than half honoured. */
static bool is_possible(struct forward *fw)
{
    if (fw->spec->listen_path == NULL && fw->spec->connect_path == NULL)
        return true;
    forwards_failed(fw, "forwarding of Unix sockets is not supported yet, only of TCP ports");
    return false;
}

void forwards_start(struct forwards *f)
{
    for (int remote = 0; remote <= 1; remote++) {
        for (size_t i = 0; i < f->n; i++) {
            struct forward *fw = &f->list[i];
            if (is_remote(fw) != (remote == 1) || !is_possible(fw))
                continue;
            if (remote)
                client_remote_start(fw);
            else
                client_local_start(fw);
        }
    }
    f->started = true;
    forwards_settle(f);
}

void forwards_free(struct forwards *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n; i++)
        listener_close(f->list[i].listener);
    socks_local_end(&f->asking);
    inbound_end(&f->inbound);
    free(f);
}

bool forwards_event(struct forwards *f, const struct mux_event *e)
{
    if (e->type == MUX_OPEN_REQUEST && bytes_is(e->name, "forwarded-tcpip")) {
        client_remote_open(f, e);
        peer_kick(f->config.peer);
        return true;
    }
    if (e->type == MUX_GLOBAL_REPLY && e->token < f->n) {
        client_remote_reply(&f->list[e->token], e);
        return true;
    }
    return false;
}
