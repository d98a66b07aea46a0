/* kafka/consumer: what is kept of a broker that does not let us in. */
#include "kafka/consumer_private.h"
#include "kafka/refusal.h"
#include "tests/harness/member.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(consumer_refused, .init = member_set_up, .fini = member_tear_down, .timeout = 120);

static bool is_assigned(const void *of)
{
    const struct member *member = of;

    return consumer_state(member->consumer) == CONSUMER_ASSIGNED && member->held > 0;
}

/* What a client hears that speaks TLS to brokers that do not; at times it is only cut off. */
static rd_kafka_event_t *hear_refusal(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event;
    char *refusal = NULL;

    while ((event = rd_kafka_queue_poll(queue, MEMBER_PATIENCE_MS))) {
        refusal = refusal_dup(rd_kafka_event_error_string(event));
        if (refusal)
            break;
        rd_kafka_event_destroy(event);
    }
    cr_assert_not_null(event, "no refusal came");
    free(refusal);
    return event;
}

static void refuse(struct consumer *consumer)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_event_t *event;
    rd_kafka_queue_t *queue;
    rd_kafka_t *stranger;

    rd_kafka_conf_set(conf, "bootstrap.servers", mock_bootstrap(member_mock), NULL, 0);
    rd_kafka_conf_set(conf, "security.protocol", "SSL", NULL, 0);
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR);
    stranger = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    cr_assert_not_null(stranger);
    queue = rd_kafka_queue_get_main(stranger);
    event = hear_refusal(queue);
    consumer_log_error(consumer, event);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(stranger);
}

/* What refused us while we had partitions stayed the reason of everything until the next
 * rebalance, and was that of the next wait for partitions: a broker that is restarted is one. */
Test(consumer_refused, it_is_kept_only_while_the_group_has_given_us_nothing)
{
    struct member *member;

    mock_create_topic(member_mock, "orders", 1);
    member = member_join("orders");
    refuse(member->consumer);
    cr_expect_not_null(consumer_refused(member->consumer));
    member_await(is_assigned, member);
    cr_expect_null(consumer_refused(member->consumer));
    refuse(member->consumer);
    cr_expect_null(consumer_refused(member->consumer));
    member_leave(member);
}
