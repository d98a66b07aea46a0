#!/usr/bin/env bash
# Runs test programs against a real Apache Kafka: one broker for all of them, in a temporary
# folder, gone when this ends however it ends. KAFKA_BOOTSTRAP tells the tests where it is.
# Where it cannot be run the tests are skipped loudly; with REQUIRE_KAFKA=1 that is an error.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if ! reason=$("$here/kafka.sh" available); then
    if [ "${REQUIRE_KAFKA:-}" = 1 ]; then
        echo "ERROR: the Kafka tests cannot run: $reason" >&2
        exit 1
    fi
    echo "SKIPPED: the Kafka tests ($reason)" >&2
    exit 0
fi

folder=$(mktemp -d)
# KILL: nobody needs the data, and a graceful stop takes seconds.
finish() {
    [ ! -e "$folder/pid" ] || "$here/kafka.sh" stop "$folder" KILL
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$here/kafka.sh" start "$folder" || exit 1
KAFKA_BOOTSTRAP=127.0.0.1:$(cat "$folder/port")
export KAFKA_BOOTSTRAP
echo "== Apache Kafka at $KAFKA_BOOTSTRAP"
"$here/../run.sh" "$@"
