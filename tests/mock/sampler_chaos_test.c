/* kafka/sampler among mock brokers that die, freeze and move, for HAMMER_SECONDS (5). */
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/sampling.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { API_OFFSET_FETCH = 9, BROKERS = 3 };

static struct mock *mock;

enum { GROUPS = 40 };

static unsigned random_below(unsigned most)
{
    static unsigned state = 1;

    state = state * 1103515245 + 12345;
    return (state >> 16) % most;
}

static void disturb(void)
{
    int32_t broker = 1 + (int32_t)random_below(BROKERS);
    char group[32];

    switch (random_below(6)) {
    case 0:
        mock_broker_down(mock, broker);
        break;
    case 1:
        mock_broker_up(mock, broker);
        break;
    case 2:
        mock_set_delay(mock, broker, random_below(2) ? 0 : 3 * SAMPLING_TIMEOUT_MS);
        break;
    case 3:
        mock_set_leader(mock, "orders", (int32_t)random_below(3), broker);
        break;
    case 4:
        mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 3);
        break;
    default:
        snprintf(group, sizeof(group), "group-%u", random_below(GROUPS));
        mock_set_coordinator(mock, group, broker);
    }
}

static void calm(void)
{
    for (int32_t broker = 1; broker <= BROKERS; broker++) {
        mock_broker_up(mock, broker);
        mock_set_delay(mock, broker, 0);
    }
}

static bool are_read(void *context)
{
    struct sampler_interest **interests = context;

    for (int i = 0; i < GROUPS; i++)
        if (!sampling_is_read(interests[i]))
            return false;
    return true;
}

/* librdkafka aborts the process when a question for a group times out and its coordinator comes
 * back: within seconds of this, with timeouts of a second. */
Test(sampler_chaos, is_lived_through, .timeout = 300)
{
    const char *reason = NULL;
    const char *given = getenv("HAMMER_SECONDS");
    uint64_t until = uv_hrtime() + UINT64_C(1000000000) * (given ? strtoull(given, NULL, 10) : 5);
    struct sampler_interest *interests[GROUPS];

    mock = mock_new(BROKERS, &reason);
    cr_assert_not_null(mock, "%s", reason);
    sampling_open(mock_bootstrap(mock), NULL, 0);
    mock_create_topic(mock, "orders", 3);
    for (int i = 0; i < GROUPS; i++) {
        char group[32];

        snprintf(group, sizeof(group), "group-%d", i);
        interests[i] = sampler_ask(sampling.sampler, group, "orders", 10);
    }
    while (uv_hrtime() < until) {
        disturb();
        await_time(&sampling.loop, random_below(60));
    }
    calm();
    cr_expect(sampling_await(are_read, interests), "all is read again");
    for (int i = 0; i < GROUPS; i++)
        sampler_drop(interests[i]);
    sampling_close();
    mock_free(mock);
}
