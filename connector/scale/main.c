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
     .examples = "  KAFKA_BROKERS=kafka:9092 KAFKA_TOPIC=orders KAFKA_GROUP_ID=workers \\\n"
                 "  kafka-connector scale\n"
                 "  kafka-connector scale --bootstrapServers=kafka:9092 --grpc_listen=:6000\n"
                 "  kafka-connector check scale --bootstrapServers=kafka:9092\n",
     .statuses = "0 ended by SIGTERM or SIGINT",
     .page = "docs/keda.md, docs/scale.md",
     .options = scale_option_groups,
     .metrics = scale_metrics_tables,
     .check = scale_check,
     .ask = scale_ask,
     .run = scale_run,
     .is_meant = scale_is_meant,
     .meant_by = SCALE_MEANT_BY},
    {.name = ASK_MODE,
     .summary = ASK_SUMMARY,
     .examples = "  kafka-connector ask --scaler=lag-scaler:50051 \\\n"
                 "      --metadata topic=orders --metadata consumerGroup=workers\n"
                 "  kafka-connector ask --scaler=localhost:50051 --interval=10s\n",
     .statuses = "0 it answered, 1 it did not",
     .page = "docs/keda.md",
     .options = ask_options,
     .check = ask_check,
     .run = ask_run},
};

int main(int argc, char **argv)
{
    return program_main(argc, argv, SCALE_PROGRAM, modes, sizeof(modes) / sizeof(*modes));
}
