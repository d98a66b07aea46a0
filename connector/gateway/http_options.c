/* http_options: how the gateway is reached by TLS, and whether its files can be what they are for.
 */
#include "gateway/http.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { PEM_LIMIT = 16 * 1024 * 1024 };

#define CERTIFICATE "CERTIFICATE-----" /* also X509 CERTIFICATE, TRUSTED CERTIFICATE */
#define PRIVATE_KEY "PRIVATE KEY-----" /* also EC PRIVATE KEY, ENCRYPTED PRIVATE KEY */

static const struct option_row rows[] = {
    {.name = "gateway_ca_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, ca_file),
     .value_name = "FILE",
     .text = "Certificate authorities (PEM) that may sign the gateway's certificate, for an https "
             "gateway_url. Default: the system's."},
    {.name = "gateway_cert_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, cert_file),
     .value_name = "FILE",
     .text = "Client certificate (PEM) shown to the gateway."},
    {.name = "gateway_key_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, key_file),
     .value_name = "FILE",
     .text = "Private key (PEM) of gateway_cert_file. Default: in that file too."},
    {.name = "gateway_tls_insecure",
     .type = OPTION_BOOL,
     .offset = offsetof(struct http_options, insecure),
     .default_text = "false",
     .text = "Take any certificate of the gateway, whoever signed it. For trials only."},
};

const struct option_table http_option_table = {"Gateway TLS", rows, sizeof(rows) / sizeof(*rows)};

static bool is_given(const char *path)
{
    return path && *path;
}

/* False: a fault was added, which ends with the advice. */
static bool check_holds(const char *option, const char *path, const char *kind, const char *advice,
                        struct option_faults *faults)
{
    const char *reason;
    char *text = file_read(path, PEM_LIMIT, NULL, &reason);
    bool holds = text && strstr(text, kind);

    if (!text)
        option_fault(faults, "%s: cannot use %s: %s", option, path, reason);
    else if (!holds)
        option_fault(faults, "%s: %s holds no %.*s in PEM%s", option, path, (int)strcspn(kind, "-"),
                     kind, advice);
    free(text);
    return holds;
}

void http_options_check(const struct http_options *options, struct option_faults *faults)
{
    const char *cert = options->cert_file;

    if (is_given(options->ca_file))
        check_holds("gateway_ca_file", options->ca_file, CERTIFICATE, "", faults);
    if (is_given(options->key_file))
        check_holds("gateway_key_file", options->key_file, PRIVATE_KEY, "", faults);
    if (is_given(options->key_file) && !is_given(cert))
        option_fault(faults, "gateway_key_file needs gateway_cert_file, its certificate");
    if (is_given(cert) && check_holds("gateway_cert_file", cert, CERTIFICATE, "", faults) &&
        !is_given(options->key_file))
        check_holds("gateway_cert_file", cert, PRIVATE_KEY, ": give it by gateway_key_file",
                    faults);
}
