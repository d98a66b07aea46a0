/* scaler: calls that are refused, and what is logged of them. */
#include "base/xalloc.h"
#include "tests/harness/scaling.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORDERS "topic=orders", "consumerGroup=workers"

TestSuite(scaler_refused, .fini = scaling_close, .timeout = 240);

static const struct {
    const char *sentence, *metadata[4], *says;
} refused[] = {
    {"no number", {ORDERS, "lagThreshold=abc", NULL}, "lagThreshold: \"abc\""},
    {"none above", {ORDERS, "lagThreshold=0", NULL}, "lagThreshold: \"0\""},
    {"or below nothing", {ORDERS, "lagThreshold=-1", NULL}, "lagThreshold: \"-1\""},
    {"no group", {"topic=orders", NULL}, "consumerGroup: it must be given"},
    {"credentials", {ORDERS, "sasl=plaintext", NULL}, "sasl: how Kafka is reached"},
    {"a broker that is none of ours",
     {ORDERS, "bootstrapServers=evil:9092", NULL},
     "bootstrapServers: \"evil:9092\" is none of allowed_brokers"},
    {"no profile", {ORDERS, "cluster=payments", NULL}, "cluster: \"payments\" is no profile"},
};

Test(scaler_refused, bad_metadata_with_key_and_value)
{
    scaling_open("127.0.0.1:1", SCALING{"--allowed_brokers=*.kafka.svc:9092", NULL});
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        struct scaler_answer answer = scaling_ask("app", refused[i].metadata);

        cr_expect_eq(answer.status, SCALER_INVALID, "%s: %s", refused[i].sentence, scaling_last());
        cr_expect(strstr(answer.reason, refused[i].says), "%s: %s", refused[i].sentence,
                  scaling_last());
    }
}

static size_t count_lines(FILE *log, const char *with)
{
    char line[1024];
    size_t count = 0;

    rewind(log);
    while (fgets(line, sizeof(line), log))
        count += strstr(line, with) != NULL;
    return count;
}

/* Metadata that differs each time is new each time. */
Test(scaler_refused, strangers_do_not_fill_the_log)
{
    FILE *log = tmpfile();
    int terminal = dup(STDERR_FILENO);

    scaling_open("127.0.0.1:1", NULL);
    dup2(fileno(log), STDERR_FILENO);
    for (int i = 0; i < 500; i++) {
        char *bad = xasprintf("lagThreshold=x%d", i);

        scaling_ask("app", (const char *[]){"topic=orders", "consumerGroup=workers", bad,
                                            "consumergroup=", NULL});
        free(bad);
    }
    dup2(terminal, STDERR_FILENO);
    cr_expect_eq(count_lines(log, " is refused: "), 60);
    cr_expect_eq(count_lines(log, "More than 60 refusals a minute"), 1);
    close(terminal);
    fclose(log);
}
