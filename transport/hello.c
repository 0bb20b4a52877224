/* The version exchange, RFC 4253 section 4.2. */
#include <string.h>

#include "proto/text.h"
#include "transport/engine.h"

enum { QUOTE_MAX = 80 };

enum err hello_send(struct transport *t)
{
    const char *software = t->config.software != NULL ? t->config.software : "adit";
    struct wire_writer w = wire_writer(t->my_ident, sizeof t->my_ident);
    wire_put_raw(&w, BYTES_LIT("SSH-2.0-"));
    wire_put_raw(&w, bytes_of(software));
    wire_put_raw(&w, BYTES_LIT("\r\n"));
    if (w.bad)
        return engine_fault(t, ERR_INTERNAL, "our version line is too long");
    t->my_ident_n = w.len - 2; /* what the exchange hash covers */
    return tx_raw(t, wire_written(&w));
}

static const char *quote(char out[QUOTE_MAX], struct bytes line)
{
    text_escape(out, QUOTE_MAX, line, TEXT_LINE);
    return out;
}

/* A server may talk before its version line; a client may not, and one that does is another kind of
 * program: HTTP, or a port scanner. */
static void on_line(struct transport *t, struct bytes line)
{
    char text[QUOTE_MAX];
    if (t->config.role == ROLE_SERVER)
        (void)engine_fault(t, ERR_PROTOCOL, "client does not speak SSH: its first line is \"%s\"",
            quote(text, line));
    else if (++t->n_lines > IDENT_MAX_LINES)
        (void)engine_fault(
            t, ERR_LIMIT, "server sent more than %d lines and no version line", IDENT_MAX_LINES);
    else
        engine_emit(t, (struct transport_event){.type = TRANSPORT_LINE, .text = line});
}

static void on_ident(struct transport *t, const struct ident *ident)
{
    memcpy(
        t->peer_ident, ident->line.p, ident->line.n); /* at most IDENT_MAX_BYTES: ident_parse() */
    t->peer_ident_n = ident->line.n;
    t->is_loose = quirk_talks_in_rekey(ident->software);
    engine_emit(t, (struct transport_event){
                       .type = TRANSPORT_IDENT, .text = {t->peer_ident, t->peer_ident_n}});
}

static void on_bad(struct transport *t, struct bytes in)
{
    char text[QUOTE_MAX];
    (void)engine_fault(t, ERR_PROTOCOL, "%s does not speak SSH 2: it begins with \"%s\"",
        t->config.role == ROLE_SERVER ? "client" : "server", quote(text, in));
}

bool hello_read(struct transport *t)
{
    struct rx *rx = &t->rx;
    if (rx->start == rx->end) /* there may be no buffer yet */
        return false;
    struct bytes in = {rx->buf.p + rx->start, rx->end - rx->start};
    struct ident ident;
    size_t used = 0;
    enum ident_status s = ident_parse(in, &used, &ident);
    rx->start += used;
    switch (s) {
    case IDENT_MORE: return false;
    case IDENT_LINE: on_line(t, ident.line); break;
    case IDENT_FOUND: on_ident(t, &ident); break;
    case IDENT_BAD: on_bad(t, in); break;
    }
    return true;
}
