#!/usr/bin/env bash
# make bench: the connector beside its ceiling, the same calls by bare libcurl and libuv, on the same
# stub gateway; the connector's records come from a real Apache Kafka. Prints medians and what they
# are of the ceiling's. It fails on records lost, repeated or out of order, never on speed.
#
#   BENCH_CONFIGS  what is run: "PARTITIONS,LATENCY_MS,ORDER[,MAX_INFLIGHT] ..."
#   ROUNDS         how often each, the programs in turn (3)
#   RECORDS        a run with latency 0 (30000); with a latency each call in flight gets LATENT (400)
#   SIZE           bytes of a record's value (100)
#   PEER           a command: another connector, run in the same way; it finds broker_host, topics,
#                  gateway_url, group and initial_offset in its environment
# Instructions are counted by valgrind where there is one; PROFILE=0 leaves that out.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$(dirname "$BUILD")/tests/bench
ROUNDS=${ROUNDS:-3} RECORDS=${RECORDS:-30000} LATENT=${LATENT:-400} SIZE=${SIZE:-100}
MAX_INFLIGHT=64 PROFILED=1000
BENCH_CONFIGS=${BENCH_CONFIGS:-"1,0,key 1,0,partition 1,0,none 6,0,key 6,0,partition 6,0,none
    1,5,key 1,5,partition 1,5,none 6,5,key 6,5,partition 6,5,none 6,5,none,256"}
failed=0 filled=' '

fault() {
    echo "bench: $*" >&2
    failed=1
}

finish() {
    [ ! -e "$folder/kafka/pid" ] || "$here/../kafka/kafka.sh" stop "$folder/kafka" KILL
    rm -rf "$folder"
}

start_kafka() {
    local reason
    reason=$("$here/../kafka/kafka.sh" available) || { fault "no Kafka: $reason" && exit 1; }
    folder=$(mktemp -d)
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    "$here/../kafka/kafka.sh" start "$folder/kafka" || exit 1
    broker_host=127.0.0.1:$(<"$folder/kafka/port")
}

# ---- one run ----

configuration() { # PARTITIONS,LATENCY,ORDER[,MAX_INFLIGHT]
    IFS=, read -r partitions latency order max_inflight <<<"$1,"
    max_inflight=${max_inflight%,}
    max_inflight=${max_inflight:-$MAX_INFLIGHT}
    in_flight=$max_inflight
    [ "$order" = none ] || in_flight=$partitions
    records=$RECORDS
    [ "$latency" -eq 0 ] || [ $((in_flight * LATENT)) -ge "$RECORDS" ] ||
        records=$((in_flight * LATENT))
}

# A topic for each number of partitions and records; every run reads it anew.
topic() {
    topic=bench-$partitions-$records
    [[ $filled != *" $topic "* ]] || return 0
    "$programs/fill" "$broker_host" "$topic" "$partitions" "$records" "$SIZE" || exit 1
    filled+="$topic "
}

# Runs a program as what it is called: its numbers go to stdout.
measure() { # WHO [WRAPPER...]
    local command=("${@:2}")
    case $1 in
    connector) command+=("$BUILD/kafka-connector") ;;
    ceiling) command+=("$programs/ceiling" "$folder/call" "$records" "$partitions" "$in_flight") ;;
    peer) command+=(sh -c "exec $PEER") ;;
    esac
    local keep=()
    [ "$1" != connector ] || keep=(--keep="$folder/call")
    env broker_host="$broker_host" topics="$topic" group="bench-$EPOCHREALTIME" print_response=false \
        initial_offset=earliest order="$order" max_inflight="$max_inflight" admin_listen=none \
        "$programs/measure" --topic="$topic" --records="$records" --partitions="$partitions" \
        --latency="$latency" "${keep[@]}" -- "${command[@]}" 2>"$folder/log"
}

number() { # NAME LINE
    local value=${2#*"$1"=}
    echo "${value%% *}"
}

# The peer may do as it likes; ours may not.
judge() { # WHO LINE
    local late
    [ "$1" != peer ] || return 0
    late=$(number disordered "$2")
    [ "$order" != none ] || late=0
    [ "$(number lost "$2")$(number repeated "$2")$(number strange "$2")$late" = 0000 ] || {
        fault "$1, $partitions partitions, $latency ms, order=$order: $2"
        tail -n 20 "$folder/log" >&2
    }
}

round() {
    local who line bytes=
    for who in connector ceiling ${PEER:+peer}; do
        line=$(measure "$who") || [ -n "$line" ] || {
            fault "$who did not run" && tail -n 20 "$folder/log" >&2
            continue
        }
        judge "$who" "$line"
        [ "$who" != connector ] || bytes=$(number bytes "$line")
        [ "$who" != ceiling ] || [ "$(number bytes "$line")" = "$bytes" ] ||
            fault "the ceiling sent $(number bytes "$line") bytes, the connector $bytes"
        echo "$partitions,$latency,$order,$max_inflight $who $line" >>"$folder/results"
    done
}

# ---- what is told ----

# Of "CONFIGURATION WHO name=value ...": a line each, in order of appearance, the ceiling's as 100 %.
table() {
    awk '
    function sorted(key,   i, j, swap) { # its values into list[1..n]
        n = split(values[key], list, " ")
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) {
                swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
            }
    }
    function median(key) { sorted(key); return list[int((n + 1) / 2)] }
    function spread(key, form,   middle) {
        middle = median(key)
        return sprintf(form " (" form ".." form ")", middle, list[1], list[n])
    }
    function ratio(row, name,   base) {
        base = row
        sub(/ .*/, " ceiling", base)
        base = median(base SUBSEP name)
        return base > 0 ? sprintf("%.0f%%", 100 * median(row SUBSEP name) / base) : "-"
    }
    {
        row = $1 " " $2
        if (!(row in known)) { known[row] = 1; rows[++count] = row }
        for (i = 3; i <= NF; i++) {
            split($i, pair, "=")
            values[row, pair[1]] = values[row, pair[1]] " " pair[2]
            sum[row, pair[1]] += pair[2]
        }
    }
    END {
        form = "%-5s %-7s %-9s %-8s  %-9s  %-23s %-7s  %-22s %-7s  %8s  %s\n"
        printf form, "parts", "latency", "order", "inflight", "program", "records/s", "ceiling",
            "CPU ms per 1,000", "ceiling", "peak MiB", "lost+repeated+late"
        for (i = 1; i <= count; i++) {
            row = rows[i]
            split(row, half, " ")
            split(half[1], at, ",")
            if (half[1] == last)
                at[1] = at[2] = at[3] = at[4] = ""
            last = half[1]
            printf form, at[1], at[2] == "" ? "" : at[2] " ms", at[3], at[4], half[2],
                spread(row SUBSEP "rate", "%.0f"), ratio(row, "rate"),
                spread(row SUBSEP "cpu_us", "%.1f"), ratio(row, "cpu_us"),
                sprintf("%.1f", median(row SUBSEP "peak_kib") / 1024),
                sum[row, "lost"] "+" sum[row, "repeated"] "+" \
                    (half[1] ~ /,none,/ ? "-" : sum[row, "disordered"])
        }
    }' "$folder/results"
}

# Memory of a program that has done one record and waits.
idle() {
    local who line
    configuration 1,0,key
    records=1
    topic
    for who in connector ${PEER:+peer}; do
        line=$(measure "$who")
        echo "$who, after one record: $(number resident_kib "$line") KiB"
    done
}

instructions() { # WHO -> in all
    local out=$folder/callgrind.out line
    line=$(measure "$1" valgrind -q --tool=callgrind --callgrind-out-file="$out") &&
        awk '/^(summary|totals):/ {most = $2 > most ? $2 : most} END {printf "%.0f\n", most}' "$out"
}

# Two sizes, subtracted: without what starting and ending cost. The connector first: the ceiling's
# call is its.
profile() { # CONFIGURATION
    local who many=$((3 * PROFILED))
    local -A counted
    configuration "$1"
    for records in $PROFILED $many; do
        topic
        for who in connector ceiling; do
            counted[$who,$records]=$(instructions "$who") ||
                { fault "$who does not run in valgrind" && return; }
        done
    done
    for who in connector ceiling; do
        echo "$who, $partitions partitions, order=$order:" \
            "$(((counted[$who,$many] - counted[$who,$PROFILED]) / (many - PROFILED)))" \
            "instructions a record"
    done
}

start_kafka
for config in $BENCH_CONFIGS; do
    configuration "$config"
    topic
    for ((i = 0; i < ROUNDS; i++)); do
        round
    done
done
echo "$(uname -m), $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg); medians of $ROUNDS rounds" \
    "(least..most); values of $SIZE bytes"
table
idle
if [ "${PROFILE:-1}" = 0 ]; then
    :
elif command -v valgrind >/dev/null; then
    profile 6,0,none
    profile 1,0,key
else
    echo "SKIPPED: instructions are not counted, there is no valgrind (./build.sh install bench)" >&2
fi
exit $failed
