/*
 * meant: what is known of scale mode where it is not: its name, and when it is meant.
 */
#ifndef SCALE_MEANT_H
#define SCALE_MEANT_H

#include <stdbool.h>

#define SCALE_PROGRAM  "kafka-connector-scale"
#define SCALE_MODE     "scale"
#define SCALE_SUMMARY  "tells KEDA by how much to scale consumers: by lag that lasts, not by spikes"
#define SCALE_MEANT_BY "KAFKA_GROUP_ID or GRPC_PORT is set"

/* Whether an environment says so: by KAFKA_GROUP_ID or by GRPC_PORT. */
bool scale_is_meant(char *const *environment);

/* Whether a value of GRPC_PORT is Kubernetes' own, for a service of the name "grpc". */
bool scale_is_service_link(const char *port);

#endif
