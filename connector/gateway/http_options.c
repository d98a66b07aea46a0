/* http_options: how the gateway is reached by TLS. */
#include "gateway/http.h"

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
     .text = "Private key (PEM) of gateway_cert_file."},
    {.name = "gateway_tls_insecure",
     .type = OPTION_BOOL,
     .offset = offsetof(struct http_options, insecure),
     .default_text = "false",
     .text = "Take any certificate of the gateway, whoever signed it. For trials only."},
};

const struct option_table http_option_table = {"Gateway TLS", rows, sizeof rows / sizeof *rows};
