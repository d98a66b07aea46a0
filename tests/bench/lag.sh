#!/usr/bin/env bash
# make bench-lag: a tick of the sampler for 1,000 groups on 100 topics of 100 partitions of one real
# Kafka, and the same for some of them as SlimFaas Kafka does it. It fails when a tick takes more
# than TICK_MS (2000) or sends more than 2 requests a group, one a broker and one (the first tick
# apart: while connections are made some coordinators are asked for again), or memory comes over
# MEMORY_KIB (65536).
#   BINDINGS   how many are asked one by one (20)
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sample=$(dirname "$BUILD")/tests/bench/sample
GROUPS_ASKED=1000 PARTITIONS=100000 REQUESTS=$((2 * 1000 + 1 + 1))
TICK_MS=${TICK_MS:-2000} MEMORY_KIB=${MEMORY_KIB:-65536} BINDINGS=${BINDINGS:-20}
failed=0

finish() {
    [ ! -e "$folder/kafka/pid" ] || "$here/../kafka/kafka.sh" stop "$folder/kafka" KILL
    rm -rf "$folder"
}

number() { # NAME LINE
    local value=" $2"
    value=${value#* "$1"=}
    echo "${value%% *}"
}

hold() { # WHAT VALUE MOST
    echo "  $1: $2 (at most $3)"
    [ "$2" -le "$3" ] || { echo "bench-lag: $1 is over $3" >&2 && failed=1; }
}

reason=$("$here/../kafka/kafka.sh" available) || { echo "bench-lag: no Kafka: $reason" >&2 && exit 1; }
folder=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# A broker that makes 10,000 partitions is busy for so long that it would be taken for dead.
KAFKA_SETTINGS=broker.session.timeout.ms=600000 "$here/../kafka/kafka.sh" start "$folder/kafka" || exit 1
broker=127.0.0.1:$(<"$folder/kafka/port")

echo "making 10,000 partitions and $GROUPS_ASKED groups ..."
"$sample" prepare "$broker" || exit 1
line=$("$sample" sampler "$broker") || exit 1
slow=$("$sample" one-by-one "$broker" "$BINDINGS") || exit 1

echo "$(uname -m), $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg)"
echo "sampler, $GROUPS_ASKED groups, $PARTITIONS partitions of groups:"
echo "  first tick, which connects: $(number first_ms "$line") ms," \
    "$(number first_requests "$line") requests"
hold "slowest of the other ticks, ms" "$(number most_ms "$line")" "$TICK_MS"
hold "requests a tick" "$(number most_requests "$line")" "$REQUESTS"
hold "peak memory, KiB" "$(number peak_kib "$line")" "$MEMORY_KIB"
[ "$(number partitions "$line")" = "$PARTITIONS" ] ||
    { echo "bench-lag: $(number partitions "$line") of $PARTITIONS were read" >&2 && failed=1; }
echo "one by one, $BINDINGS of them: $(number ms "$slow") ms; all would take" \
    "$(number all_ms "$slow") ms, $(($(number all_ms "$slow") / ($(number most_ms "$line") + 1)))" \
    "times as long"
exit $failed
