/* security: see security.h. */
#include "kafka/security.h"

#include "base/file.h"
#include "base/xalloc.h"
#include "kafka/oauth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char file_suffix[] = ".file";

/* ---- one property ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

const char *security_property(const struct option_list *properties, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = properties->count; i-- > 0;)
        if (strncmp(properties->items[i], name, size) == 0 && properties->items[i][size] == '=')
            return properties->items[i] + size + 1;
    return NULL;
}

bool security_cut_file(char *name)
{
    if (!ends_with(name, file_suffix))
        return false;
    name[strlen(name) - strlen(file_suffix)] = '\0';
    return true;
}

char *security_read_file(const char *name, const char *path, struct option_faults *faults)
{
    const char *reason;
    char *value = file_read_secret(path, &reason);

    if (!value)
        option_fault(faults, "Kafka property %s%s: cannot use %s: %s", name, file_suffix, path,
                     reason);
    return value;
}

void security_check_path(const char *name, const char *path, struct option_faults *faults)
{
    bool is_path = strncmp(name, "ssl.", 4) == 0 && ends_with(name, ".location") &&
                   strcmp(name, "ssl.engine.location") != 0;

    if (is_path && strcmp(path, "probe") != 0 && access(path, R_OK) != 0)
        option_fault(faults, "Kafka property %s: %s cannot be read: %s", name, path,
                     strerror(errno));
}

/* ---- all of them ---- */

static bool is_set(const rd_kafka_conf_t *conf, const char *name)
{
    char *value = kafka_conf_value_dup(conf, name);
    bool set = *value;

    xfree_secret(value);
    return set;
}

static bool is_value(const rd_kafka_conf_t *conf, const char *name, const char *wanted)
{
    char *value = kafka_conf_value_dup(conf, name);
    bool is = strcasecmp(value, wanted) == 0;

    free(value);
    return is;
}

/* librdkafka takes GSSAPI for it, and then misses a keytab. */
static bool has_mechanism(const struct option_list *properties)
{
    for (size_t i = 0; i < properties->count; i++)
        if (strncmp(properties->items[i], "sasl.mechanism", 14) == 0 ||
            strncmp(properties->items[i], "sasl.kerberos.", 14) == 0)
            return true;
    return false;
}

static void check_user(const rd_kafka_conf_t *conf, const char *mechanism,
                       struct option_faults *faults)
{
    static const char *const needed[] = {"sasl.username", "sasl.password"};

    for (size_t i = 0; i < 2; i++)
        if (!is_set(conf, needed[i]))
            option_fault(faults, "Kafka property %s: sasl.mechanism=%s needs it, or %s%s",
                         needed[i], mechanism, needed[i], file_suffix);
}

/* Without a source librdkafka waits for a token without a word. */
static void check_token(const rd_kafka_conf_t *conf, const struct option_list *properties,
                        struct option_faults *faults)
{
    if (is_value(conf, "enable.sasl.oauthbearer.unsecure.jwt", "true"))
        option_fault(faults, "Kafka property enable.sasl.oauthbearer.unsecure.jwt: librdkafka ends "
                             "the program when such a token is to be renewed; put a token into a "
                             "file that " OAUTH_TOKEN ".file names");
    else if (!is_value(conf, "sasl.oauthbearer.method", "oidc") &&
             !security_property(properties, OAUTH_TOKEN ".file"))
        option_fault(
            faults,
            "Kafka property sasl.mechanism: OAUTHBEARER needs a source of tokens: " OAUTH_TOKEN
            ".file, or sasl.oauthbearer.method=oidc where librdkafka "
            "has it");
}

void security_check(const rd_kafka_conf_t *conf, const struct option_list *properties,
                    struct option_faults *faults)
{
    char *protocol = kafka_conf_value_dup(conf, "security.protocol");
    char *mechanism = kafka_conf_value_dup(conf, "sasl.mechanisms");

    if (strncasecmp(protocol, "sasl", 4) != 0) {
        /* nobody authenticates */
    } else if (!has_mechanism(properties)) {
        option_fault(faults,
                     "Kafka property sasl.mechanism: security.protocol=%s needs it: "
                     "SCRAM-SHA-512, SCRAM-SHA-256, PLAIN, OAUTHBEARER or GSSAPI (Kerberos)",
                     protocol);
    } else if (strcmp(mechanism, "PLAIN") == 0 || strncmp(mechanism, "SCRAM-", 6) == 0) {
        check_user(conf, mechanism, faults);
    } else if (strcmp(mechanism, "OAUTHBEARER") == 0) {
        check_token(conf, properties, faults);
    }
    free(mechanism);
    free(protocol);
}
