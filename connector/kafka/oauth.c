/* oauth: see oauth.h. */
#include "kafka/oauth.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 64 * 1024, REASON_SIZE = 512 };

/* What librdkafka must be told of a token. */
struct claims {
    char *principal;   /* sub */
    int64_t expiry_ms; /* exp, of the wall clock */
};

/* ---- what is in a token: HEADER.CLAIMS.SIGNATURE, each in base64 of the alphabet for URLs ---- */

/* In the standard alphabet, with its padding. Caller frees. */
static char *standard_dup(const char *text, size_t size)
{
    char *copy = xasprintf("%.*s%s", (int)size, text, &"==="[size % 4 ? size % 4 - 1 : 3]);

    for (char *at = copy; *at; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    return copy;
}

/* NULL: they cannot be read. Caller frees. */
static json *parse_claims(const char *token)
{
    const char *begin = strchr(token, '.'), *end = begin ? strchr(begin + 1, '.') : NULL, *reason;
    json *claims = NULL;
    char *text, *bytes;
    size_t size;

    if (!end)
        return NULL;
    text = standard_dup(begin + 1, (size_t)(end - begin - 1));
    bytes = xmalloc(strlen(text) + 1);
    if (base64_decode(text, strlen(text), bytes, strlen(text), &size))
        claims = json_parse(bytes, size, &reason);
    free(bytes);
    free(text);
    return claims;
}

/* Who signed it is the brokers' to judge. False: *reason (static). Caller frees the principal. */
static bool read_claims(const char *token, struct claims *claims, const char **reason)
{
    json *body = parse_claims(token);
    const char *principal = json_text(json_member(body, "sub"), NULL);
    char *expiry = json_scalar_dup(json_member(body, "exp"));

    *claims = (struct claims){.expiry_ms = expiry ? (int64_t)(atof(expiry) * 1000) : 0};
    *reason = !body                    ? "it is no JWT"
              : !principal             ? "the token does not say whose it is (sub)"
              : claims->expiry_ms <= 0 ? "the token does not say when it ends (exp)"
                                       : NULL;
    if (!*reason)
        claims->principal = xstrdup(principal);
    free(expiry);
    json_free(body);
    return !*reason;
}

/* Caller frees both. NULL: *reason. */
static char *read_token(const char *path, struct claims *claims, const char **reason)
{
    char *token = file_read(path, TOKEN_LIMIT, NULL, reason);

    if (!token)
        return NULL;
    token[strcspn(token, "\r\n")] = '\0';
    if (read_claims(token, claims, reason))
        return token;
    xfree_secret(token);
    return NULL;
}

/* ---- what librdkafka is told ---- */

/* On a thread of librdkafka's; `path` stands where its own tokens have their settings. */
static void on_refresh(rd_kafka_t *kafka, const char *path, void *opaque)
{
    struct claims claims;
    const char *reason;
    char told[REASON_SIZE] = "";
    char *token = read_token(path, &claims, &reason);

    (void)opaque;
    if (!token) {
        rd_kafka_oauthbearer_set_token_failure(kafka, reason);
        return;
    }
    if (rd_kafka_oauthbearer_set_token(kafka, token, claims.expiry_ms, claims.principal, NULL, 0,
                                       told, sizeof(told)))
        rd_kafka_oauthbearer_set_token_failure(kafka, told);
    free(claims.principal);
    xfree_secret(token);
}

void oauth_use_file(rd_kafka_conf_t *conf, const char *path, struct option_faults *faults)
{
    struct claims claims;
    const char *reason;
    char refused[REASON_SIZE];
    char *token = read_token(path, &claims, &reason);

    if (!token) {
        option_fault(faults, "Kafka property " OAUTH_TOKEN ".file: cannot use %s: %s", path,
                     reason);
        return;
    }
    rd_kafka_conf_set(conf, "sasl.oauthbearer.config", path, refused, sizeof(refused));
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_refresh);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    free(claims.principal);
    xfree_secret(token);
}
