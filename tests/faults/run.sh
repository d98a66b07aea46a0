#!/usr/bin/env bash
# Runs the fault suite, PROGRAM, in a folder of its own: gone when all was well, else named, as with
# KEEP=1. First the sampler's part: SAMPLER_SECONDS=0 or RUNS=0 leaves out one of the two. Where
# Kafka cannot be run it is skipped loudly; with REQUIRE_KAFKA=1 that is an error.
set -uo pipefail

if ! reason=$(tests/kafka/kafka.sh available); then
    if [ "${REQUIRE_KAFKA:-}" = 1 ]; then
        echo "ERROR: the fault suite cannot run: $reason" >&2
        exit 1
    fi
    echo "SKIPPED: the fault suite ($reason)" >&2
    exit 0
fi

folder=$(mktemp -d /tmp/kafka-faults-XXXXXX)
status=0
mkdir "$folder/cluster-sampler"
[ "${SAMPLER_SECONDS:-}" = 0 ] || "$1" sampler "$folder/cluster-sampler" || status=1
[ "${RUNS:-}" = 0 ] || "$1" "$folder" || status=1
if [ $status -eq 0 ] && [ -z "${KEEP:-}" ]; then
    rm -rf "$folder"
    exit 0
fi
rm -rf "$folder"/cluster-*/*/data
echo "The logs are in $folder"
exit $status
