/*
 * refusal: see refusal.h. The table knows librdkafka's texts (2.0.2 to 2.8) by parts of them; one
 * that it does not know is told as it is.
 */
#include "kafka/refusal.h"

#include "base/line.h"
#include "base/xalloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- certificates ---- */

/* Of OpenSSL's x509_vfy.h, which is part of its ABI. */
enum {
    CERTIFICATE_NOT_YET_VALID = 9,
    CERTIFICATE_HAS_EXPIRED = 10,
    CERTIFICATE_HOST_MISMATCH = 62,
    CERTIFICATE_ADDRESS_MISMATCH = 64,
};

/* Of the broker's certificate that was refused last, by whatever client: librdkafka's own threads
 * tell it, and there is nothing of ours that all of them share. */
static atomic_int newest_certificate;

static int on_certificate(rd_kafka_t *kafka, const char *broker_name, int32_t broker, int *error,
                          int depth, const char *bytes, size_t size, char *reason,
                          size_t reason_size, void *opaque)
{
    (void)kafka, (void)broker_name, (void)broker, (void)depth, (void)bytes, (void)size;
    (void)reason, (void)reason_size, (void)opaque;
    if (*error)
        atomic_store(&newest_certificate, *error);
    return *error == 0;
}

void refusal_listen(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
}

static const char *certificate_sentence(int certificate)
{
    switch (certificate) {
    case CERTIFICATE_NOT_YET_VALID:
    case CERTIFICATE_HAS_EXPIRED:
        return "its certificate has expired, or is not valid yet: look at the broker's "
               "ssl.keystore.location, and at the clock of this machine";
    case CERTIFICATE_HOST_MISMATCH:
    case CERTIFICATE_ADDRESS_MISMATCH:
        return "its certificate is made out for another host name: look at broker_host, at the "
               "broker's advertised.listeners, or at ssl.endpoint.identification.algorithm";
    default:
        return "its certificate is not signed by an authority that we trust: look at "
               "ssl.ca.location";
    }
}

/* ---- the table ---- */

struct row {
    const char *parts[2];
    const char *sentence; /* NULL: it depends on the certificate */
    bool quotes_end;      /* what stands behind the last part is told too */
};

/* The first that fits counts. */
static const struct row rows[] = {
    {.parts = {"certificate verify failed"}, .sentence = NULL},
    {.parts = {"OAUTHBEARER token"},
     .sentence = "no token for SASL OAUTHBEARER could be had: look at sasl.oauthbearer.token.file"},
    {.parts = {"SASL authentication error", "\"status\":"},
     .sentence = "it does not accept our token: look at sasl.oauthbearer.token.file"},
    {.parts = {"SASL authentication error"},
     .sentence = "it does not accept the user or the password: look at sasl.username and "
                 "sasl.password, and at "
                 "sasl.mechanism"},
    {.parts = {"Unsupported SASL mechanism: broker's supported mechanisms:"},
     .sentence = "it does not offer this way to authenticate: look at sasl.mechanism; it offers",
     .quotes_end = true},
    {.parts = {"Request not valid in current SASL state"},
     .sentence = "it does not ask for SASL there: look at security.protocol, and at the port in "
                 "broker_host"},
    {.parts = {"broker might require SASL authentication"},
     .sentence = "it wants SASL, as it seems: look at security.protocol and sasl.mechanism"},
    {.parts = {"connecting to a SSL listener?"},
     .sentence = "it hangs up at once: it is being restarted, or wants TLS or SASL: look at "
                 "security.protocol, and at the port in broker_host"},
    {.parts = {"connecting to a PLAINTEXT broker listener?"},
     .sentence =
         "it does not speak TLS there: look at security.protocol, and at the port in broker_host"},
    {.parts = {"SSL_HANDSHAKE", "unexpected eof"},
     .sentence =
         "it does not speak TLS there: look at security.protocol, and at the port in broker_host"},
    {.parts = {"Disconnected", "in state SSL_HANDSHAKE"}, /* its end came as a reset */
     .sentence = "it hangs up as TLS begins: it is being restarted, or does not speak TLS there: "
                 "look at security.protocol, and at the port in broker_host"},
    {.parts = {"wrong version number"},
     .sentence =
         "it does not speak TLS there: look at security.protocol, and at the port in broker_host"},
    {.parts = {"alert certificate expired"},
     .sentence = "our certificate has expired: look at ssl.certificate.location"},
    {.parts = {"alert bad certificate"},
     .sentence =
         "it wants a certificate of us: look at ssl.certificate.location and ssl.key.location"},
    {.parts = {"alert certificate required"},
     .sentence =
         "it wants a certificate of us: look at ssl.certificate.location and ssl.key.location"},
    {.parts = {"client SSL authentication might be required"},
     .sentence =
         "it wants a certificate of us: look at ssl.certificate.location and ssl.key.location"},
    {.parts = {"alert certificate unknown"},
     .sentence = "it does not accept our certificate: look at ssl.certificate.location"},
    {.parts = {"alert unknown ca"},
     .sentence = "our certificate is not signed by an authority that it trusts: look at "
                 "ssl.certificate.location"},
    {.parts = {"alert handshake failure"},
     .sentence = "we have no TLS version or cipher in common with it: look at ssl.cipher.suites, "
                 "or it wants a "
                 "certificate of us: look at ssl.certificate.location"},
    {.parts = {"alert protocol version"},
     .sentence =
         "we have no TLS version in common with it: look at the broker's ssl.enabled.protocols"},
};

/* Behind the last of its parts, or NULL. */
static const char *behind_parts(const struct row *row, const char *text)
{
    const char *at = text, *last = NULL;

    for (size_t i = 0; i < 2 && row->parts[i]; i++) {
        at = strstr(text, row->parts[i]);
        if (!at)
            return NULL;
        last = at + strlen(row->parts[i]);
    }
    return last;
}

static const struct row *find_row(const char *text, const char **behind)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if ((*behind = behind_parts(&rows[i], text)))
            return &rows[i];
    return NULL;
}

/* "broker HOST:PORT: " of "sasl_ssl://HOST:PORT/3: what happened"; of no broker: "". */
static char *broker_of(const char *text)
{
    const char *scheme = strstr(text, "://"), *end = strstr(text, ": ");
    const char *host = scheme && end && scheme < end ? scheme + 3 : text;
    size_t size = strcspn(host, "/ ");

    if (!end || host + size >= end || host[size] != '/')
        return xstrdup("");
    return xasprintf("broker %.*s: ", (int)size, host);
}

char *refusal_of(const char *text, int certificate)
{
    const char *behind;
    const struct row *row = find_row(text, &behind);
    const char *sentence;
    char *broker, *all, *clean;

    if (!row)
        return NULL;
    sentence = row->sentence ? row->sentence : certificate_sentence(certificate);
    broker = broker_of(text);
    all = xasprintf("%s%s%.*s", broker, sentence, row->quotes_end ? (int)strcspn(behind, "(") : 0,
                    behind);
    clean = line_escape_dup(all, strlen(all));
    while (*clean && clean[strlen(clean) - 1] == ' ')
        clean[strlen(clean) - 1] = '\0';
    free(all);
    free(broker);
    return clean;
}

char *refusal_dup(const char *text)
{
    return refusal_of(text, atomic_load(&newest_certificate));
}

char *refusal_or_text_dup(const char *text)
{
    char *refusal = refusal_dup(text);

    return refusal ? refusal : line_escape_dup(text, strlen(text));
}
