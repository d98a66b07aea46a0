/*
 * main: the executable of scale mode and of what asks it, kafka-connector-scale. It is one of its
 * own because of what gRPC brings along; `kafka-connector scale` becomes it.
 */
#include "program/program.h"
#include "scale/ask.h"
#include "scale/meant.h"
#include "scale/scale.h"

static const struct mode modes[] = {
    {.name = SCALE_MODE,
     .summary = SCALE_SUMMARY,
     .options = scale_option_groups,
     .metrics = scale_metrics_tables,
     .check = scale_check,
     .ask = scale_ask,
     .run = scale_run,
     .is_meant = scale_is_meant,
     .meant_by = SCALE_MEANT_BY},
    {.name = ASK_MODE,
     .summary = ASK_SUMMARY,
     .options = ask_options,
     .check = ask_check,
     .run = ask_run},
};

int main(int argc, char **argv)
{
    return program_main(argc, argv, modes, sizeof(modes) / sizeof(*modes));
}
