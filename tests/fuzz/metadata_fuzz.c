/*
 * metadata: any keys and values as a trigger's metadata: "key value" a line. What is accepted has a
 * group and a policy that can be judged by.
 */
#include "base/xalloc.h"
#include "scale/brokers.h"
#include "scale/scaler.h"
#include "scale/trigger.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MOST = 64 };

static struct scale_config config;
static struct option_group groups[SCALE_GROUPS];

static void read_defaults(void)
{
    char *nothing = NULL;
    const struct option_input input = {.argv = &nothing, .environment = &nothing};
    struct option_faults faults = {0};

    scale_config_init(&config, groups);
    option_read(groups, SCALE_GROUPS, &input, &faults);
    if (faults.count)
        abort();
}

/* Cut in place. */
static size_t cut(char *text, struct scaler_entry entries[ENTRIES_MOST])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line && count < ENTRIES_MOST;
         line = strtok_r(NULL, "\n", &rest)) {
        char *blank = strchr(line, ' ');

        if (blank)
            *blank = '\0';
        entries[count++] = (struct scaler_entry){line, blank ? blank + 1 : ""};
    }
    return count;
}

static void expect_sound(const struct trigger *trigger)
{
    const struct scale_policy *policy = &trigger->policy;

    if (!trigger->group || policy->kafka.lag_threshold < 1 || policy->sampling_ms < 1000 ||
        policy->window_size * policy->sampling_ms < policy->sustain_ms)
        abort();
}

static void name_brokers(const struct trigger *trigger)
{
    struct option_faults faults = {0};

    brokers_allowed(&config.scale.allowed_brokers, &config.kafka, trigger, &faults);
    option_faults_release(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scaler_entry entries[ENTRIES_MOST];
    char *text = xstrndup(data, size);
    struct option_list unknown = {0};
    struct option_faults faults = {0};
    struct trigger trigger;

    if (!config.kafka.client_id)
        read_defaults();
    trigger_init(&trigger, &config);
    trigger_read(&trigger, &config, entries, cut(text, entries), &unknown, &faults);
    if (!faults.count) {
        expect_sound(&trigger);
        name_brokers(&trigger);
    }
    trigger_release(&trigger);
    option_list_release(&unknown);
    option_faults_release(&faults);
    free(text);
    return 0;
}
