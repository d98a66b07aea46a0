/*
 * gateway: the options of the function gateway, which `functions` and `call` share.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/option.h"

struct gateway_options {
    char *url;                /* gateway_url, without a slash at its end */
    int64_t upstream_timeout; /* ms */
    int64_t rebuild_interval; /* ms */
    bool basic_auth;
    char *secret_mount_path; /* holds basic-auth-user and basic-auth-password */
    bool async_invocation;
    char *content_type;
    int64_t response_limit;       /* bytes kept of an answer's body */
    struct option_list functions; /* only these (name or name.namespace); empty: all */
};

extern const struct option_table gateway_option_table;

/* Adds a fault for each option that is wrong beside the others: a content_type that is no header
 * value, basic_auth without its secrets. */
void gateway_options_check(const struct gateway_options *options, struct option_faults *faults);

/* The header line every request to the gateway carries. */
#define GATEWAY_USER_AGENT "User-Agent: kafka-connector"

/* Whether a function's path (name, name.namespace) or a namespace can stand in a URL as it is. */
bool gateway_path_clean(const char *path);

/* User and password from secret_mount_path. Read again at each rebuild, so that a changed secret
 * is taken up. */
struct gateway_credentials {
    char *user, *password;
};
/* False: a fault naming file and option was added. A file's first line counts. Nothing set
 * and true when basic_auth is off. */
bool gateway_credentials_read(const struct gateway_options *options,
                              struct gateway_credentials *credentials,
                              struct option_faults *faults);
void gateway_credentials_release(struct gateway_credentials *credentials);

#endif
