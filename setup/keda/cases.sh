#!/usr/bin/env bash
# The four test cases of Red Hat's demo of KEDA's kafka scaler, on a cluster that has KEDA and
# setup/keda: what a scaler must do there, checked. At sustainSeconds 0, which is KEDA's own rule.
#
#   setup/keda/cases.sh [CASE...]   1 2 3 4; without any all; about half an hour
#   . setup/keda/cases.sh           for the functions kafka_producer and consumer_lag
#
# Environment: NAMESPACE (default); of cases 2 and 3 RECORDS (1000000) and THROUGHPUT (10000);
# PATIENCE (900), seconds for a step. The consumer's rate and the ScaledObject are set anew at the
# end as setup/keda has them.

NAMESPACE=${NAMESPACE:-default} RECORDS=${RECORDS:-1000000} THROUGHPUT=${THROUGHPUT:-10000}
PATIENCE=${PATIENCE:-900} POLL=${POLL:-2}
BROKERS=kafka.$NAMESPACE.svc.cluster.local:9092
TOPIC=test-topic GROUP=sample-consumer-group

kc() {
    kubectl -n "$NAMESPACE" "$@"
}

# Function args:
# - 1: number of records (default 1000)
# - 2: throughput (default -1 = no limit)
# - 3: record size (default 100 bytes)
kafka_producer() {
    kc exec deployment/kafka-producer -- producer -broker="$BROKERS" -topic="$TOPIC" -keys=1000 \
        -messages="${1:-1000}" -throughput="${2:--1}" -record-size="${3:-100}"
}

# Function args:
# - 1: filter of the lines (default: all)
consumer_lag() {
    kc exec deployment/lag-scaler -c lag-scaler -- kafka-connector lag --broker_host="$BROKERS" \
        --group="$GROUP" --topic="$TOPIC" | grep -E "${1:-}"
}

fail() {
    echo "case $case_number FAILED: $*" >&2
    kc describe scaledobject/kafka-consumer-scaler | tail -n 20 >&2
    kc logs deployment/lag-scaler --tail=20 >&2
    exit 1
}

# A ScaledObject with so many replicas at least, and further metadata.
scale_from() { # MIN [KEY=VALUE...]
    local pair
    {
        cat <<YAML
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: kafka-consumer-scaler
  labels:
    app: kafka-consumer
spec:
  scaleTargetRef:
    name: kafka-consumer
  pollingInterval: 10
  cooldownPeriod: 30
  minReplicaCount: $1
  maxReplicaCount: 5
  triggers:
    - type: external
      metadata:
        scalerAddress: lag-scaler.$NAMESPACE.svc.cluster.local:50051
        bootstrapServers: $BROKERS
        topic: $TOPIC
        consumerGroup: $GROUP
        lagThreshold: "500"
        sustainSeconds: "0"
        scaleUpStabilization: "0"
        scaleDownStabilization: "0"
YAML
        for pair in "${@:2}"; do
            printf '        %s: "%s"\n' "${pair%%=*}" "${pair#*=}"
        done
    } | kc apply -f - >/dev/null || fail "the ScaledObject was refused"
}

replicas() {
    kc get deployment/kafka-consumer -o 'jsonpath={.spec.replicas}'
}

await_replicas() { # -eq|-ge N WHAT
    local count='' now deadline=$((SECONDS + PATIENCE))
    until now=$(replicas) && test "$now" "$1" "$2"; do
        [ $SECONDS -lt $deadline ] || fail "$3: $now replicas after $PATIENCE s"
        [ "$now" = "$count" ] || echo "   $now replicas, awaiting $1 $2: $3"
        count=$now
        sleep "$POLL"
    done
    echo "   $now replicas: $3"
}

hold_replicas() { # N SECONDS WHAT
    local now deadline=$((SECONDS + $2))
    while [ $SECONDS -lt $deadline ]; do
        now=$(replicas)
        [ "$now" -eq "$1" ] || fail "$3: $now replicas"
        sleep "$POLL"
    done
    echo "   $1 replicas: $3"
}

consume() { # RATE, of one replica
    kc set env deployment/kafka-consumer -c gateway RATE="$1" >/dev/null
}

load() { # RECORDS THROUGHPUT
    kafka_producer "$1" "$2" | tail -n 1 &
    producer=$!
}

case_1() {
    echo "== case 1: activated by 200 records at 5/s, and deactivated"
    consume 10r/s
    scale_from 0
    await_replicas -eq 0 "nothing waits"
    load 200 5
    await_replicas -ge 1 "activated"
    wait "$producer" || fail "not all was written"
    await_replicas -eq 0 "deactivated"
}

case_2() {
    echo "== case 2: up, and down to zero, by $RECORDS records at $THROUGHPUT/s"
    consume 1000r/s
    scale_from 0
    await_replicas -eq 0 "nothing waits"
    load "$RECORDS" "$THROUGHPUT"
    await_replicas -ge 2 "scaled up"
    wait "$producer" || fail "not all was written"
    await_replicas -eq 0 "consumed, and scaled to zero"
}

case_3() {
    echo "== case 3: up and down by the HPA, never under one, by the same"
    consume 1000r/s
    scale_from 1
    await_replicas -eq 1 "at least one"
    load "$RECORDS" "$THROUGHPUT"
    await_replicas -ge 2 "scaled up"
    wait "$producer" || fail "not all was written"
    await_replicas -eq 1 "consumed, and scaled down"
    hold_replicas 1 60 "but not to zero"
}

# The group with all that it has committed is gone.
forget_group() {
    kc delete scaledobject/kafka-consumer-scaler --ignore-not-found >/dev/null
    kc scale deployment/kafka-consumer --replicas=0 >/dev/null
    kc wait pod -l app=kafka-consumer --for=delete --timeout="${PATIENCE}s" >/dev/null
    kc exec deployment/kafka -- env KAFKA_HEAP_OPTS=-Xmx64m \
        /opt/kafka/bin/kafka-consumer-groups.sh --bootstrap-server "$BROKERS" --delete \
        --group "$GROUP" >/dev/null 2>&1 # which may not be there yet
    ! has_committed || fail "what the group has committed is not deleted"
}

has_committed() {
    consumer_lag "$GROUP +$TOPIC +[0-9]+ +[0-9]+ " >/dev/null 2>&1
}

case_4() {
    local policy
    echo "== case 4: a group without a committed offset, by each policy"
    consume 10r/s
    for policy in latest-false latest-true earliest-false earliest-true; do
        forget_group
        kafka_producer 100 | tail -n 1
        scale_from 0 offsetResetPolicy="${policy%-*}" scaleToZeroOnInvalidOffset="${policy#*-}"
        if [ "${policy#*-}" = true ]; then
            hold_replicas 0 45 "$policy: stays at zero"
            # Something must be committed for the group to be deleted again.
            scale_from 1
        fi
        await_replicas -ge 1 "$policy: consumed"
        await_commit
    done
}

await_commit() {
    local deadline=$((SECONDS + PATIENCE))
    until has_committed; do
        [ $SECONDS -lt $deadline ] || fail "nothing is committed"
        sleep "$POLL"
    done
}

restore() {
    consume 10r/s
    kc apply -f "$(dirname "${BASH_SOURCE[0]}")/scalers/persistent/scaledobject.yaml" >/dev/null
}

main() {
    set -uo pipefail
    [ $# -gt 0 ] || set -- 1 2 3 4
    for case_number in "$@"; do
        [[ $case_number =~ ^[1-4]$ ]] || { echo "cases.sh: no case $case_number; 1 2 3 4" >&2; exit 2; }
    done
    trap restore EXIT
    for case_number in "$@"; do
        "case_$case_number"
    done
    echo "== all as expected"
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
