/*
 * main: the modes that this executable has, and those that it starts another for.
 */
#include "commands/lag.h"
#include "commands/replay.h"
#include "invoke/invoke.h"
#include "program/program.h"
#include "scale/ask.h"
#include "scale/meant.h"
#include "watch/watch.h"

static const struct mode modes[] = {
    {.name = "invoke",
     .summary = "has functions run on the records of the topics that their annotations name",
     .examples = "  kafka-connector --broker_host=kafka --gateway_url=http://gateway:8080\n"
                 "  kafka-connector --topics=orders,returns '--dead_letter_topic={topic}.dead'\n"
                 "  kafka-connector check --broker_host=kafka --topics=orders\n",
     .statuses = "0 ended by SIGTERM or SIGINT, 1 shutdown_timeout was too short",
     .page = "docs/invoke.md, docs/delivery.md",
     .options = invoke_options,
     .metrics = invoke_metrics_tables,
     .check = invoke_check,
     .ask = invoke_ask,
     .run = invoke_run},
    {.name = "watch",
     .summary = "wakes functions whose consumer group has records waiting",
     .examples = "  SlimFaasKafka__Bindings__0__Topic=orders \\\n"
                 "  SlimFaasKafka__Bindings__0__ConsumerGroupId=workers \\\n"
                 "  SlimFaasKafka__Bindings__0__FunctionName=worker kafka-connector watch\n"
                 "  kafka-connector watch --config_file=appsettings.json\n"
                 "  kafka-connector check watch --config_file=appsettings.json\n",
     .statuses = "0 ended by SIGTERM or SIGINT",
     .page = "docs/watch.md",
     .options = watch_option_groups,
     .metrics = watch_metrics_tables,
     .check = watch_check,
     .ask = watch_ask,
     .run = watch_run,
     .is_meant = watch_is_meant,
     .meant_by = "its bindings are in the environment",
     .foreign = WATCH_FOREIGN_SETTINGS,
     .keep = watch_keep},
    {.name = SCALE_MODE,
     .summary = SCALE_SUMMARY,
     .elsewhere = SCALE_PROGRAM,
     .is_meant = scale_is_meant,
     .meant_by = SCALE_MEANT_BY},
    {.name = ASK_MODE, .summary = ASK_SUMMARY, .elsewhere = SCALE_PROGRAM},
    {.name = "lag",
     .summary = "reports how far consumer groups are behind, and how old what waits is",
     .examples = "  kafka-connector lag --broker_host=kafka --group=orders,returns --samples=2\n"
                 "  kafka-connector lag --broker_host=kafka --all-groups --watch\n"
                 "  kafka-connector lag --broker_host=kafka --group=orders --json\n",
     .statuses = "0 all groups were read, 1 no broker answered or a group is not there",
     .page = "docs/lag.md",
     .options = lag_options,
     .check = lag_check,
     .run = lag_run},
    {.name = "replay",
     .summary = "plays traces of lag through the scaling policies: what would each have done?",
     .examples = "  kafka-connector replay\n"
                 "  kafka-connector replay --trace=spikes,noisy --sustainSeconds=60\n"
                 "  kafka-connector replay --file=trace.csv --replica_rate=250 --plot=replay.svg\n",
     .statuses = "0 the traces were played",
     .page = "docs/scale.md",
     .options = replay_options,
     .check = replay_check,
     .run = replay_command},
};

int main(int argc, char **argv)
{
    return program_main(argc, argv, "kafka-connector", modes, sizeof(modes) / sizeof(*modes));
}
