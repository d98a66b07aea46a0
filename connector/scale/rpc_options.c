/* rpc_options: see rpc_options.h. */
#include "scale/rpc_options.h"

#include "base/pem.h"
#include "base/xalloc.h"
#include "scale/meant.h"
#include "web/listen.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_LISTEN ":50051"
#define AT(name)       offsetof(struct rpc_options, name)

static const struct option_row rows[] = {
    {.name = "grpc_listen",
     .aliases = "GRPC_PORT",
     .type = OPTION_STRING,
     .offset = AT(listen),
     .default_text = DEFAULT_LISTEN,
     .value_name = "ADDRESS",
     .text = "Where KEDA reaches this scaler: :50051, 127.0.0.1:50051 or a port alone. A GRPC_PORT "
             "that is Kubernetes' own (tcp://...) is none."},
    {.name = "grpc_cert_file",
     .type = OPTION_PATH,
     .offset = AT(cert_file),
     .value_name = "FILE",
     .text = "Certificate (PEM, with its chain) shown to clients, which then must use TLS. It and "
             "the next two are read again when they change."},
    {.name = "grpc_key_file",
     .type = OPTION_PATH,
     .offset = AT(key_file),
     .value_name = "FILE",
     .text = "Private key (PEM) of grpc_cert_file. Default: in that file too."},
    {.name = "grpc_client_ca_file",
     .type = OPTION_PATH,
     .offset = AT(client_ca_file),
     .value_name = "FILE",
     .text = "Certificate authorities (PEM), one of which must have signed a client's certificate. "
             "Default: clients need none."},
    {.name = "grpc_max_calls",
     .type = OPTION_INT,
     .offset = AT(max_calls),
     .default_text = "1000",
     .min = 1,
     .max = 1000000,
     .text = "Most calls at once; a further one is refused (RESOURCE_EXHAUSTED)."},
    {.name = "grpc_max_streams",
     .type = OPTION_INT,
     .offset = AT(max_streams),
     .default_text = "10000",
     .min = 1,
     .max = 1000000,
     .text = "Most streams at once, of which KEDA opens two for each trigger of the type "
             "external-push; a further one is refused."},
};

const struct option_table rpc_option_table = {"gRPC", rows, sizeof(rows) / sizeof(*rows)};

static bool is_given(const char *path)
{
    return path && *path;
}

char *rpc_options_address(const struct rpc_options *options)
{
    const char *listen = options->listen;

    if (scale_is_service_link(listen))
        return xstrdup(DEFAULT_LISTEN);
    return xasprintf("%s%s", strspn(listen, "0123456789") == strlen(listen) ? ":" : "", listen);
}

bool rpc_options_tls(const struct rpc_options *options)
{
    return is_given(options->cert_file);
}

bool rpc_options_mutual(const struct rpc_options *options)
{
    return is_given(options->client_ca_file);
}

const char *rpc_options_key(const struct rpc_options *options)
{
    return is_given(options->key_file) ? options->key_file : options->cert_file;
}

static void check_files(const struct rpc_options *options, struct option_faults *faults)
{
    static const char needs_cert[] = "%s: it needs grpc_cert_file";
    bool tls = rpc_options_tls(options), key = is_given(options->key_file);

    if (tls)
        pem_check("grpc_cert_file", options->cert_file, PEM_CERTIFICATE, "", faults);
    if (tls && !key)
        pem_check("grpc_cert_file", options->cert_file, PEM_PRIVATE_KEY,
                  "; grpc_key_file may name another file for it", faults);
    if (key && tls)
        pem_check("grpc_key_file", options->key_file, PEM_PRIVATE_KEY, "", faults);
    else if (key)
        option_fault(faults, needs_cert, "grpc_key_file");
    if (rpc_options_mutual(options) && tls)
        pem_check("grpc_client_ca_file", options->client_ca_file, PEM_CERTIFICATE, "", faults);
    else if (rpc_options_mutual(options))
        option_fault(faults, needs_cert, "grpc_client_ca_file");
}

void rpc_options_check(const struct rpc_options *options, struct option_faults *faults)
{
    char *address = rpc_options_address(options);

    if (!listen_is_address(address))
        option_fault(faults,
                     "grpc_listen: \"%s\" is not an address like \":50051\", "
                     "\"127.0.0.1:50051\" or \"[::1]:50051\"",
                     options->listen);
    check_files(options, faults);
    free(address);
}
