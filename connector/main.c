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
     .options = invoke_options,
     .metrics = invoke_metrics_tables,
     .check = invoke_check,
     .ask = invoke_ask,
     .run = invoke_run},
    {.name = "watch",
     .summary = "wakes functions whose consumer group has records waiting",
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
     .summary = "tells how far consumer groups are behind, and how old what waits is",
     .options = lag_options,
     .check = lag_check,
     .run = lag_run},
    {.name = "replay",
     .summary = "plays traces of lag through the scaling policies: what would each have done?",
     .options = replay_options,
     .check = replay_check,
     .run = replay_command},
};

int main(int argc, char **argv)
{
    return program_main(argc, argv, modes, sizeof(modes) / sizeof(*modes));
}
