/* rpc_tls: see rpc_tls.h. */
#include "scale/rpc_tls.h"

#include "base/file.h"
#include "base/pem.h"
#include "base/xalloc.h"

#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CERTIFICATE, KEY, CLIENT_CA, FILES };

/* What tells a file from one that was put in its place; all 0: it is not there. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct rpc_tls {
    const char *paths[FILES]; /* NULL: none */
    struct stamp stamps[FILES];
};

static void read_stamps(const struct rpc_tls *tls, struct stamp stamps[FILES])
{
    struct stat status;

    memset(stamps, 0, FILES * sizeof(*stamps)); /* the padding too: they are compared as bytes */
    for (size_t i = 0; i < FILES; i++)
        if (tls->paths[i] && stat(tls->paths[i], &status) == 0) {
            stamps[i].device = status.st_dev;
            stamps[i].inode = status.st_ino;
            stamps[i].size = status.st_size;
            stamps[i].changed = status.st_mtim;
        }
}

/* False: one cannot be read; gRPC's log says which. */
static bool read_files(const struct rpc_tls *tls, char *texts[FILES])
{
    const char *reason;

    for (size_t i = 0; i < FILES; i++) {
        if (!tls->paths[i])
            continue;
        texts[i] = file_read(tls->paths[i], PEM_LIMIT, NULL, &reason);
        if (!texts[i]) {
            gpr_log(GPR_ERROR, "cannot read %s: %s", tls->paths[i], reason);
            return false;
        }
    }
    return true;
}

/* gRPC asks at each connection, on a thread of its own, one at a time. */
static grpc_ssl_certificate_config_reload_status
on_asked(void *context, grpc_ssl_server_certificate_config **config)
{
    struct rpc_tls *tls = context;
    struct stamp stamps[FILES];
    char *texts[FILES] = {NULL};
    bool good;

    read_stamps(tls, stamps);
    if (memcmp(stamps, tls->stamps, sizeof(stamps)) == 0)
        return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    good = read_files(tls, texts);
    if (good) {
        const grpc_ssl_pem_key_cert_pair pair = {texts[KEY], texts[CERTIFICATE]};

        /* gRPC asserts that there are authorities, also where clients are asked for nothing */
        *config = grpc_ssl_server_certificate_config_create(
            texts[CLIENT_CA] ? texts[CLIENT_CA] : texts[CERTIFICATE], &pair, 1);
        memcpy(tls->stamps, stamps, sizeof(stamps));
    }
    for (size_t i = 0; i < FILES; i++)
        xfree_secret(texts[i]);
    return good ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
}

struct rpc_tls *rpc_tls_new(const struct rpc_options *options)
{
    struct rpc_tls *tls = xcalloc(1, sizeof(*tls));

    tls->paths[CERTIFICATE] = options->cert_file;
    tls->paths[KEY] = rpc_options_key(options);
    tls->paths[CLIENT_CA] = rpc_options_mutual(options) ? options->client_ca_file : NULL;
    return tls;
}

void rpc_tls_free(struct rpc_tls *tls)
{
    free(tls);
}

/* They know no files yet, whatever those before knew: told that nothing has changed they would have
 * none, and gRPC could not listen. */
grpc_server_credentials *rpc_tls_credentials(struct rpc_tls *tls)
{
    grpc_ssl_client_certificate_request_type wanted =
        tls->paths[CLIENT_CA] ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;

    memset(tls->stamps, 0, sizeof(tls->stamps));
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(wanted, on_asked, tls));
}
