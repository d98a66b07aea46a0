/*
 * consumer_renew: another client of librdkafka's, when an error has ended this one's part in the
 * group.
 *
 * Of a consumer librdkafka calls one error fatal: being fenced, because another member came with
 * our instance_id. Mostly that was ourselves: a coordinator that takes over may know an earlier
 * member of ours as the one of that name. A client made anew joins as a new member of the old name
 * and is given the partitions that were lost, which nobody else had meanwhile. But if another
 * replica has the name, that is fenced then, fences us, and so on: so the wait doubles each time,
 * and is small again only after peace for longer than a round of that takes.
 *
 * The old client is destroyed by the worker and not waited for, because that may last for ever (see
 * consumer_close); but the next one that fails is kept until it is gone, so there are two at most.
 */
#include "kafka/consumer_private.h"

#include "base/log.h"
#include "base/xalloc.h"

#include <stdlib.h>

enum {
    RENEW_MIN_MS = 1000,
    RENEW_MAX_MS = 2 * 60 * 1000,
    PEACE_MS = 10 * 60 * 1000, /* two of one name fence each other again within two waits */
    OVERDUE_MS = 60 * 1000,
};

static void note_failure(struct consumer_renewal *renewal, uint64_t now)
{
    bool peace = !renewal->failures || now - renewal->failed_at > PEACE_MS;

    renewal->failures = peace ? 1 : renewal->failures + 1;
    renewal->wait_ms = peace ? RENEW_MIN_MS : renewal->wait_ms * 2;
    if (renewal->wait_ms > RENEW_MAX_MS)
        renewal->wait_ms = RENEW_MAX_MS;
    renewal->failed_at = now;
    renewal->at = now + renewal->wait_ms;
}

void consumer_fail(struct consumer *consumer, const char *why)
{
    struct consumer_renewal *renewal = &consumer->renewal;

    if (consumer->fatal)
        return;
    consumer->fatal = true;
    note_failure(renewal, uv_now(consumer->loop));
    free(renewal->why);
    if (renewal->failures > 1)
        renewal->why = xasprintf("out of the consumer group %u times in a row (%s): has another "
                                 "replica the same instance_id? A new Kafka client joins "
                                 "after %u ms",
                                 renewal->failures, why, renewal->wait_ms);
    else
        renewal->why = xasprintf("out of the consumer group (%s): a new Kafka client joins after "
                                 "%u ms",
                                 why, renewal->wait_ms);
    log_error(NULL, "%s", renewal->why);
    consumer_out(consumer);
}

const char *consumer_fault(const struct consumer *consumer)
{
    return consumer->state == CONSUMER_FAILED ? consumer->renewal.why : NULL;
}

const char *consumer_stuck(const struct consumer *consumer)
{
    bool overdue = consumer->state == CONSUMER_FAILED &&
                   uv_now(consumer->loop) > consumer->renewal.at + OVERDUE_MS;

    return overdue ? "out of the consumer group, and an earlier Kafka client does not come to its "
                     "end: no other can be made"
                   : NULL;
}

/* What the commit under way came to, nobody will tell. */
static void give_to_worker(struct consumer *consumer)
{
    consumer_destroy_client(consumer);
    consumer_commit_answer(consumer, SOURCE_UNREACHED, "the Kafka client is made anew");
}

static void make_anew(struct consumer *consumer)
{
    struct consumer_renewal *renewal = &consumer->renewal;
    char reason[REASON_SIZE];

    if (!consumer_open(consumer, reason)) {
        consumer_log_trouble(consumer, "Cannot make a Kafka client", reason);
        renewal->at = uv_now(consumer->loop) + renewal->wait_ms;
        return;
    }
    consumer_log_trouble(consumer, NULL, NULL);
    consumer->fatal = false;
    consumer->counts.renewals++;
    log_info(NULL, "Joining the consumer group with a new Kafka client");
    consumer_move(consumer, consumer->topics->cnt ? CONSUMER_JOINING : CONSUMER_IDLE);
    if (consumer->topics->cnt)
        rd_kafka_subscribe(consumer->kafka, consumer->topics);
}

/* A reading abandoned but still at work uses the old client. */
void consumer_renew_tick(struct consumer *consumer)
{
    if (consumer->state != CONSUMER_FAILED)
        return;
    if (consumer->kafka && consumer->holds == HANDLES)
        give_to_worker(consumer);
    else if (!consumer->kafka && uv_now(consumer->loop) >= consumer->renewal.at)
        make_anew(consumer);
}
