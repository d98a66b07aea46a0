/* ask: see ask.h. */
#include "scale/ask.h"

#include "scale/rpc_client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ask_settings {
    int64_t interval; /* ms; 0: once */
};

static struct {
    struct rpc_client_options client;
    struct ask_settings ask;
} config;

static const struct option_row rows[] = {
    {.name = "interval",
     .type = OPTION_DURATION,
     .offset = offsetof(struct ask_settings, interval),
     .default_text = "0s",
     .max = 24 * 60 * 60 * 1000,
     .text = "Ask again and again, so far apart, until it is ended; 0: once.",
     .flags = OPTION_FLAG_ONLY},
};

static const struct option_table ask_table = {"Again", rows, sizeof(rows) / sizeof(*rows)};

static const struct option_group groups[] = {
    {&rpc_client_option_table, &config.client},
    {&ask_table, &config.ask},
};

const struct option_group *ask_options(size_t *count)
{
    *count = sizeof(groups) / sizeof(*groups);
    return groups;
}

void ask_check(struct option_faults *faults)
{
    if (config.client.key_file && !config.client.cert_file)
        option_fault(faults, "key_file: it needs cert_file");
    if (config.client.server_name && !config.client.ca_file && !config.client.cert_file)
        option_fault(faults, "server_name: it needs ca_file");
}

/* As the autoscaler rounds, without its tolerance. */
static void print(const struct rpc_verdict *verdict)
{
    double replicas = verdict->target > 0 ? ceil(verdict->value / verdict->target) : 0;

    printf("active=%s value=%.0f target=%.0f replicas=%.0f\n", verdict->active ? "true" : "false",
           verdict->value, verdict->target, replicas);
}

static bool ask_once(struct rpc_client *client)
{
    struct rpc_verdict verdict;
    char *reason;
    bool answered = rpc_client_ask(client, &verdict, &reason);

    if (answered)
        print(&verdict);
    else {
        printf("scaler %s: %s\n", config.client.address, reason);
        free(reason);
    }
    fflush(stdout);
    return answered;
}

int ask_run(struct option_faults *faults)
{
    const int64_t interval = config.ask.interval;
    const struct timespec pause = {interval / 1000, interval % 1000 * 1000000};
    struct rpc_client *client = rpc_client_new(&config.client, faults);
    bool answered;

    if (!client)
        return EXIT_FAILURE;
    answered = ask_once(client);
    if (interval > 0)
        for (;;) { /* a signal ends it */
            nanosleep(&pause, NULL);
            ask_once(client);
        }
    rpc_client_free(client);
    return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
