/* credentials: see credentials.h. What the client has is asked of the client: no copy is kept. */
#include "kafka/credentials.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "kafka/security.h"

#include <stdlib.h>
#include <string.h>

/* The file that counts; NULL: none, or the value itself is given behind it, by a stronger source.
 */
static char *file_dup(const struct option_list *properties, const char *name, const char *file_name)
{
    const char *path = NULL;

    for (size_t i = 0; i < properties->count; i++) {
        const struct option_list item = {properties->items + i, 1};

        if (security_property(&item, name))
            path = NULL;
        else if (security_property(&item, file_name))
            path = security_property(&item, file_name);
    }
    return xstrdup(path);
}

void credentials_init(struct credentials *credentials, const struct kafka_options *options)
{
    const struct option_list *properties = &options->properties;

    *credentials = (struct credentials){
        .user_file = file_dup(properties, "sasl.username", "sasl.username.file"),
        .password_file = file_dup(properties, "sasl.password", "sasl.password.file"),
    };
}

void credentials_release(struct credentials *credentials)
{
    free(credentials->user_file);
    free(credentials->password_file);
    free(credentials->fault);
    *credentials = (struct credentials){0};
}

/* Says once that a file cannot be used; no faults: it is over. */
static void note_faults(struct credentials *credentials, const struct option_faults *faults)
{
    const char *fault = faults->count ? faults->items[0] : NULL;

    if (fault && (!credentials->fault || strcmp(credentials->fault, fault) != 0))
        log_warning(NULL, "%s; the old one stays", fault);
    free(credentials->fault);
    credentials->fault = xstrdup(fault);
}

/* What is to be used: of the file, else what the client has. NULL: a fault was added. */
static char *wanted_dup(const char *name, const char *file, const rd_kafka_t *kafka,
                        struct option_faults *faults)
{
    return file ? security_read_file(name, file, faults)
                : kafka_conf_value_dup(rd_kafka_conf((rd_kafka_t *)kafka), name);
}

static bool is_other(const char *name, const char *wanted, const rd_kafka_t *kafka)
{
    char *present = kafka_conf_value_dup(rd_kafka_conf((rd_kafka_t *)kafka), name);
    bool other = strcmp(present, wanted) != 0;

    xfree_secret(present);
    return other;
}

static void give(rd_kafka_t *kafka, rd_kafka_conf_t *conf, const char *user, const char *password)
{
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(kafka, user, password);
    char reason[512];

    if (error)
        rd_kafka_error_destroy(error);
    if (conf) {
        rd_kafka_conf_set(conf, "sasl.username", user, reason, sizeof(reason));
        rd_kafka_conf_set(conf, "sasl.password", password, reason, sizeof(reason));
    }
    log_info(NULL, "Kafka: the user or the password has changed in its file; used from the next "
                   "connection on");
}

void credentials_look(struct credentials *credentials, uint64_t now_ms, rd_kafka_t *kafka,
                      rd_kafka_conf_t *conf)
{
    struct option_faults faults = {0};
    char *user, *password;

    if ((!credentials->user_file && !credentials->password_file) || now_ms < credentials->look_at)
        return;
    credentials->look_at = now_ms + CREDENTIALS_LOOK_MS;
    user = wanted_dup("sasl.username", credentials->user_file, kafka, &faults);
    password = wanted_dup("sasl.password", credentials->password_file, kafka, &faults);
    if (user && password &&
        (is_other("sasl.username", user, kafka) || is_other("sasl.password", password, kafka)))
        give(kafka, conf, user, password);
    note_faults(credentials, &faults);
    option_faults_release(&faults);
    free(user);
    if (password)
        xfree_secret(password);
}
