/*
 * look_back: what was before a scaled object's first sample, or before an outage: core/recovery's
 * question put to Kafka, of each partition that is over since further back than is known. It is put
 * anew at each sample as long as that is so. What is only likely counts too: it holds up no scaling
 * that is due, and a backfill with old timestamps is not taken for it.
 */
#include "base/xalloc.h"
#include "core/recovery.h"
#include "kafka/sampler_times.h"
#include "scale/scaled_object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_asked(const struct partition_finding *finding)
{
    return finding->over && !finding->sustained && finding->at_edge;
}

/* ---- proofs ---- */

static struct proved_partition *find_proved(const struct scaled_object *object, const char *topic,
                                            int32_t number)
{
    for (size_t i = 0; i < object->proved_count; i++)
        if (object->proved[i].number == number && strcmp(object->proved[i].topic, topic) == 0)
            return &object->proved[i];
    return NULL;
}

struct recovery_proof look_back_proof(const struct scaled_object *object, const char *topic,
                                      int32_t number)
{
    const struct proved_partition *proved = find_proved(object, topic, number);

    return proved ? proved->proof : (struct recovery_proof){.at_ms = EVALUATOR_NEVER};
}

static void drop_proof(struct scaled_object *object, struct proved_partition *proved)
{
    free(proved->topic);
    *proved = object->proved[--object->proved_count];
}

void look_back_keep(struct scaled_object *object, size_t partitions)
{
    for (size_t i = 0; object->proved_count && i < partitions; i++) {
        const struct evaluator_partition *partition = &object->judging->partitions[i];
        const struct partition_finding *finding = &object->judging->findings[i];
        struct proved_partition *proved = find_proved(object, partition->topic, partition->number);

        if (proved && finding->known && !finding->over)
            drop_proof(object, proved);
    }
}

static void add_proof(struct scaled_object *object, const struct sampler_look *look)
{
    int64_t at_ms = look->at_ms + object->trigger.policy.sustain_ms; /* recovery_look_ms */
    struct proved_partition *proved = find_proved(object, look->topic, look->partition);

    if (!proved) {
        object->proved = xrealloc(object->proved, (object->proved_count + 1) * sizeof(*proved));
        proved = &object->proved[object->proved_count++];
        proved->topic = xstrdup(look->topic);
        proved->number = look->partition;
    }
    proved->proof = (struct recovery_proof){.since_ms = look->at_ms, .at_ms = at_ms};
}

/* ---- questions ---- */

static const struct sampler_partition *find_partition(const struct scaled_object *object,
                                                      const char *name, int32_t number)
{
    const struct sampler_topic *topic = NULL;

    while ((topic = sampler_next_topic(object->interest, topic)))
        if (strcmp(topic->name, name) == 0)
            return (size_t)number < topic->count ? &topic->partitions[number] : NULL;
    return NULL;
}

/* What is committed by now is no less than when the question was put. */
static bool is_proved(const struct scaled_object *object, const struct sampler_look *looks)
{
    const struct sampler_partition *partition =
        find_partition(object, looks[0].topic, looks[0].partition);
    struct recovery_question question = {
        .threshold = object->trigger.policy.kafka.lag_threshold,
        .append_time = looks[0].append_time,
    };

    if (!partition)
        return false;
    question.committed = partition->offsets.committed;
    question.end = partition->offsets.end;
    for (int look = 0; look < RECOVERY_LOOKS; look++) {
        if (!looks[look].known)
            return false;
        question.found[look] = looks[look].offset;
    }
    return recovery_judge(&question) != RECOVERY_NOT;
}

static void on_told(void *context, const struct sampler_look *looks, size_t count)
{
    struct scaled_object *object = context;
    bool any = false;

    object->looks = NULL;
    for (size_t i = 0; i < count; i += RECOVERY_LOOKS) {
        if (!is_proved(object, looks + i))
            continue;
        add_proof(object, looks + i);
        any = true;
    }
    if (any)
        scaled_object_judge_again(object);
}

/* Back from the partition's own newest sample: when that is an older one than was judged (its
 * commit was not told), a proof of the time before the judgement would not reach back far enough,
 * and be asked for again at once, and again. */
static void add_looks(const struct scaled_object *object, size_t i, struct sampler_look *looks)
{
    const struct evaluator_partition *partition = &object->judging->partitions[i];
    int64_t newest_ms = history_at(partition->history, history_count(partition->history) - 1).at_ms;

    for (int look = 0; look < RECOVERY_LOOKS; look++)
        looks[look] = (struct sampler_look){
            .topic = partition->topic,
            .partition = partition->number,
            .at_ms = recovery_look_ms(newest_ms, object->trigger.policy.sustain_ms, look),
        };
}

void look_back(struct scaled_object *object, size_t partitions)
{
    struct sampler_look *looks;
    size_t count = 0;

    if (object->looks)
        return;
    looks = xcalloc(partitions * RECOVERY_LOOKS, sizeof(*looks));
    for (size_t i = 0; i < partitions; i++) {
        if (!is_asked(&object->judging->findings[i]))
            continue;
        add_looks(object, i, looks + count);
        count += RECOVERY_LOOKS;
    }
    assert(count > 0); /* as the evaluation is uncertain */
    object->looks = sampler_look_up(object->cluster->sampler, looks, count, on_told, object);
    free(looks);
}

void look_back_release(struct scaled_object *object)
{
    if (object->looks)
        sampler_times_cancel(object->looks);
    while (object->proved_count)
        drop_proof(object, &object->proved[0]);
    free(object->proved);
    object->proved = NULL;
}
