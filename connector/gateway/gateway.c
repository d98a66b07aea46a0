/* gateway: the options, and the secrets they point at. */
#include "gateway/gateway.h"

#include "base/file.h"
#include "base/xalloc.h"
#include "gateway/call.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct gateway_options, name)

static const struct option_row rows[] = {
    {.name = "gateway_url",
     .type = OPTION_URL,
     .offset = FIELD(url),
     .default_text = "http://gateway:8080",
     .text = "The function gateway. A user and password are given by basic_auth, not in the URL."},
    {.name = "upstream_timeout",
     .type = OPTION_DURATION,
     .offset = FIELD(upstream_timeout),
     .default_text = "30s",
     .min = 1,
     .max = 24 * 3600 * 1000,
     .text = "How long a function may take to answer. Keep the gateway's own timeouts longer."},
    {.name = "rebuild_interval",
     .type = OPTION_DURATION,
     .offset = FIELD(rebuild_interval),
     .default_text = "3s",
     .min = 100,
     .max = 24 * 3600 * 1000,
     .text = "Pause between two readings of the gateway's functions and their topics."},
    {.name = "functions",
     .type = OPTION_LIST,
     .offset = FIELD(functions),
     .text = "Only these functions (name or name.namespace). Empty: all that have a topic."},
    {.name = "basic_auth",
     .type = OPTION_BOOL,
     .offset = FIELD(basic_auth),
     .default_text = "false",
     .text = "Read the functions with the user and password in secret_mount_path."},
    {.name = "secret_mount_path",
     .type = OPTION_STRING,
     .offset = FIELD(secret_mount_path),
     .value_name = "FOLDER",
     .text = "Folder with the files basic-auth-user and basic-auth-password."},
    {.name = "async_invocation",
     .type = OPTION_BOOL,
     .offset = FIELD(async_invocation),
     .default_text = "false",
     .text = "Invoke by the gateway's queue (/async-function/)."},
    {.name = "content_type",
     .type = OPTION_STRING,
     .offset = FIELD(content_type),
     .default_text = "text/plain",
     .text = "Content-Type of what functions are sent."},
    {.name = "response_limit",
     .type = OPTION_BYTES,
     .offset = FIELD(response_limit),
     .default_text = "64KiB",
     .max = INT32_MAX,
     .text = "Bytes kept of a function's answer."},
};

const struct option_table gateway_option_table = {"Gateway", rows, sizeof(rows) / sizeof(*rows)};

bool gateway_path_clean(const char *path)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    return *path && !path[strspn(path, letters)] &&
           path[strspn(path, ".")]; /* "..", which a URL takes for the folder above */
}

/* NULL: a fault was added. */
static char *read_secret(const char *folder, const char *name, struct option_faults *faults)
{
    char *path = xasprintf("%s/%s", folder, name);
    const char *reason;
    char *text = file_read_secret(path, &reason);

    if (!text)
        option_fault(faults, "secret_mount_path: cannot use %s: %s (basic_auth needs it)", path,
                     reason);
    free(path);
    return text;
}

bool gateway_credentials_read(const struct gateway_options *options,
                              struct gateway_credentials *credentials, struct option_faults *faults)
{
    const char *folder = options->secret_mount_path;

    *credentials = (struct gateway_credentials){0};
    if (!options->basic_auth)
        return true;
    if (!folder || !*folder) {
        option_fault(faults, "basic_auth=true needs secret_mount_path, the folder with "
                             "basic-auth-user and basic-auth-password");
        return false;
    }
    credentials->user = read_secret(folder, "basic-auth-user", faults);
    credentials->password = read_secret(folder, "basic-auth-password", faults);
    if (credentials->user && credentials->password)
        return true;
    gateway_credentials_release(credentials);
    return false;
}

void gateway_credentials_release(struct gateway_credentials *credentials)
{
    free(credentials->user);
    xfree_secret(credentials->password);
    *credentials = (struct gateway_credentials){0};
}

void gateway_options_check(const struct gateway_options *options, struct option_faults *faults)
{
    const char *type = options->content_type ? options->content_type : "";
    struct gateway_credentials credentials;

    if (!call_value_clean(type, strlen(type)))
        option_fault(faults, "content_type: not a header's value: printable ASCII, blanks only "
                             "inside, is allowed");
    if (gateway_credentials_read(options, &credentials, faults))
        gateway_credentials_release(&credentials);
}
