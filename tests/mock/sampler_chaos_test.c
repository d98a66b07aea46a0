/* kafka/sampler among mock brokers that die, freeze and move, for HAMMER_SECONDS (10): what is said
 * of it by tests/harness/sampler_judge.h holds at every tick. */
#include "kafka/mock.h"
#include "tests/harness/await.h"
#include "tests/harness/sampler_judge.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

enum { API_OFFSET_FETCH = 9, BROKERS = 3, INTERVAL_MS = 1000, DELAY_MS = 5000, SEED = 1 };
enum { CALM_EVERY = 150 }; /* disturbances */

static struct mock *mock;
static struct traffic *traffic;
static uint64_t random_state = SEED;

static unsigned below(unsigned limit)
{
    return (unsigned)random_below(&random_state, limit);
}

static void disturb(void)
{
    int32_t broker = 1 + (int32_t)below(BROKERS);

    switch (below(6)) {
    case 0:
        mock_broker_down(mock, broker);
        break;
    case 1:
        mock_broker_up(mock, broker);
        break;
    case 2:
        mock_set_delay(mock, broker, below(2) ? 0 : DELAY_MS);
        break;
    case 3:
        mock_set_leader(mock, "orders", (int32_t)below(TRAFFIC_PARTITIONS), broker);
        break;
    case 4:
        mock_push_errors(mock, API_OFFSET_FETCH, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, 1);
        break;
    default:
        mock_set_coordinator(mock, traffic_group(traffic, (int)below(TRAFFIC_GROUPS)), broker);
    }
}

/* What was asked of a broker that was frozen is answered first. */
static void calm(uv_loop_t *loop)
{
    for (int32_t broker = 1; broker <= BROKERS; broker++) {
        mock_broker_up(mock, broker);
        mock_set_delay(mock, broker, 0);
    }
    await_time(loop, DELAY_MS);
}

struct asking {
    uv_work_t work; /* first */
    bool served, over;
};

static void ask(uv_work_t *work)
{
    ((struct asking *)work)->served = traffic_is_served(traffic);
}

static void on_asked(uv_work_t *work, int status)
{
    (void)status;
    ((struct asking *)work)->over = true;
}

static bool is_over(void *context)
{
    return ((struct asking *)context)->over;
}

/* Errors that are still to be answered are, each to one question. */
static bool is_served(uv_loop_t *loop)
{
    for (int turn = 0; turn < CALM_EVERY; turn++) {
        struct asking asking = {.over = false};

        uv_queue_work(loop, &asking.work, ask, on_asked);
        cr_assert(await(loop, is_over, &asking, 240000));
        if (asking.served)
            return true;
    }
    return false;
}

/* librdkafka aborts the process when a question for a group times out and its coordinator comes
 * back: within seconds of this, with timeouts of a second. */
Test(sampler_chaos, is_lived_through, .timeout = 3600)
{
    const char *reason = NULL, *given = getenv("HAMMER_SECONDS");
    uint64_t until = uv_hrtime() + UINT64_C(1000000000) * (given ? strtoull(given, NULL, 10) : 10);
    struct sampler_judge *judge;
    struct sampler_judge_counts counts;
    uv_loop_t loop;

    uv_loop_init(&loop);
    mock = mock_new(BROKERS, &reason);
    cr_assert_not_null(mock, "%s", reason);
    mock_create_topic(mock, "orders", TRAFFIC_PARTITIONS);
    traffic = traffic_new(mock_bootstrap(mock), "orders", TRAFFIC_WITHOUT_RETRIES);
    judge = sampler_judge_new(&loop, mock_bootstrap(mock), "orders", traffic, INTERVAL_MS);
    do {
        for (int i = 0; i < CALM_EVERY; i++) {
            disturb();
            await_time(&loop, below(60));
        }
        calm(&loop);
        cr_assert(is_served(&loop), "the brokers are back");
        sampler_judge_recovers(judge);
    } while (uv_hrtime() < until && !sampler_judge_verdict(judge));
    cr_expect_null(sampler_judge_verdict(judge), "%s", sampler_judge_verdict(judge));
    counts = sampler_judge_counts(judge);
    cr_log_info("%u ticks, %u of them good; %u recoveries, %u at the first tick", counts.ticks,
                counts.good, counts.recoveries, counts.at_first);
    sampler_judge_free(judge);
    traffic_free(traffic);
    mock_free(mock);
    cr_expect(await_close(&loop));
}
