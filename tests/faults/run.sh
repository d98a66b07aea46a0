#!/usr/bin/env bash
# Runs the fault suite, PROGRAM, in a folder of its own: gone when all was well, else named, as with
# KEEP=1. Where Kafka cannot be run it is skipped loudly; with REQUIRE_KAFKA=1 that is an error.
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
"$1" "$folder"
status=$?
if [ $status -eq 0 ] && [ -z "${KEEP:-}" ]; then
    rm -rf "$folder"
    exit 0
fi
rm -rf "$folder"/cluster-*/*/data
echo "The logs are in $folder"
exit $status
