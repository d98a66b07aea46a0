/*
 * scripted_scaler: stands for scale/scaler where the gRPC server alone is tested: it answers what
 * its client has told it to.
 *
 * A call whose metadata names an object by "object" is answered by that object's state; at first it
 * is inactive, of value 0 and target 5. A call with "set" changes that object's state ("status" ok
 * | invalid | unavailable, "active", "value", "target", "times": toggles active so often) and tells
 * its watchers. A call with "watchers" is answered by how many there are.
 */
#ifndef TESTS_GRPC_SCRIPTED_SCALER_H
#define TESTS_GRPC_SCRIPTED_SCALER_H

#include "scale/scaler.h"

struct scaler *scripted_scaler_new(void);
/* All watchers are to be gone: else it asserts. */
void scripted_scaler_free(struct scaler *scaler);

/* NULL while the object "ready" is active. */
const char *scripted_scaler_unready(void *scaler);

#endif
