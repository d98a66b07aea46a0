/* http_options: how the gateway is reached by TLS, and whether its files can be what they are for.
 */
#include "gateway/http.h"

#include "base/pem.h"

#include <stdlib.h>
#include <string.h>

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

void http_options_check(const struct http_options *options, struct option_faults *faults)
{
    const char *cert = options->cert_file;

    if (is_given(options->ca_file))
        pem_check("gateway_ca_file", options->ca_file, PEM_CERTIFICATE, "", faults);
    if (is_given(options->key_file))
        pem_check("gateway_key_file", options->key_file, PEM_PRIVATE_KEY, "", faults);
    if (is_given(options->key_file) && !is_given(cert))
        option_fault(faults, "gateway_key_file needs gateway_cert_file, its certificate");
    if (is_given(cert) && pem_check("gateway_cert_file", cert, PEM_CERTIFICATE, "", faults) &&
        !is_given(options->key_file))
        pem_check("gateway_cert_file", cert, PEM_PRIVATE_KEY, ": give it by gateway_key_file",
                  faults);
}
