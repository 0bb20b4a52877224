/* The setters that rows of the keyword table name: text of a config value -> field of struct
 * options. Each checks its value whole before it stores it. See keywords.h for how they are told
 * what to do. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/keywords.h"
#include "cli/values.h"

struct setting_range {
    int min, max;
};
/* detail of set_algorithms */
struct setting_algorithms {
    size_t ours, all; /* offsetof in struct environment: see value_algorithms() */
};

bool set_word(const struct keyword_call *call);       /* int; detail: struct value_word table */
bool set_int(const struct keyword_call *call);        /* int; detail: struct setting_range */
bool set_port(const struct keyword_call *call);       /* int */
bool set_time(const struct keyword_call *call);       /* int seconds; "none" is 0 */
bool set_text(const struct keyword_call *call);       /* const char * */
bool set_paths(const struct keyword_call *call);      /* struct text_list; "none" stands alone */
bool set_algorithms(const struct keyword_call *call); /* const char * */

bool set_add_keys(const struct keyword_call *call); /* detail: struct value_word table */
bool set_certificate_file(const struct keyword_call *call);
bool set_escape_char(const struct keyword_call *call);
bool set_forward(const struct keyword_call *call); /* detail: enum forward_kind */
bool set_host_key_algorithms(const struct keyword_call *call);
bool set_identity_agent(const struct keyword_call *call);
bool set_identity_file(const struct keyword_call *call);
bool set_ip_qos(const struct keyword_call *call);
bool set_log_level(const struct keyword_call *call);
bool set_permit_remote_open(const struct keyword_call *call);
bool set_proxy_command(const struct keyword_call *call);
bool set_proxy_jump(const struct keyword_call *call);
bool set_refuse_connection(const struct keyword_call *call);
bool set_rekey_limit(const struct keyword_call *call);
bool set_send_env(const struct keyword_call *call);
bool set_set_env(const struct keyword_call *call);

/* Adds a forward to o, which owns it from now on, unless there is one like it. false: no memory,
 * logged. Either way *spec is zeroed. */
bool options_add_forward(struct options *o, struct forward_spec *spec);

#endif
