#!/usr/bin/env bash
# make test-docs: every command of README.md and docs/ is tried, as tests/docs/commands says, with a
# real Apache Kafka and the sandbox's gateway. A command is an indented line that begins with a
# program of ours or with one of WORDS; what stands in it for an address becomes one that is here.
# Where there is no Kafka that is said, and an error with REQUIRE_KAFKA=1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

WORDS='\./build\.sh|\.ci/run|kafka-connector|producer|make|curl|faas|kubectl|docker|helm|grpcurl|promtool|systemctl|journalctl|git|kcat|for|export|[A-Za-z_]+='
AWAIT_SECONDS=60 RUN_SECONDS=600
table=tests/docs/commands kafka=tests/kafka/kafka.sh
failed=0 pids=()

fault() {
    echo "FAILED: $*" >&2
    failed=1
}

# A command a line, without its remark; one that goes on behind a backslash is one line.
commands_of() { # PAGE...
    cat "$@" | awk -v words="^    ($WORDS)" '
        joined != "" { sub(/^ +/, ""); $0 = joined $0; joined = "" }
        $0 ~ words && /\\$/ { sub(/\\$/, ""); joined = $0; next }
        $0 ~ words { sub(/^    /, ""); sub(/ +# .*$/, ""); print }' | sort -u
}

rows() { # KIND... -> commands
    grep -E "^($(IFS='|'; echo "$*")) " "$table" | sed 's/^[a-z]*  *//'
}

compare_with_table() {
    local line
    while read -r line; do
        fault "no line in $table for: $line"
    done < <(comm -23 <(commands_of README.md docs/*.md) <(rows runs stays step away | sort -u))
    while read -r line; do
        fault "no page has: $line"
    done < <(comm -13 <(commands_of README.md docs/*.md) <(rows runs stays step away | sort -u))
    while read -r line; do
        grep -qF -e "$line" .ci/run || fault "no step of .ci/run: $line"
    done < <(rows step)
}

# ---- what the commands meet ----

stop_all() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill "${pids[i]}" 2>/dev/null && wait "${pids[i]}" 2>/dev/null
    done
    [ ! -e "$folder/kafka/pid" ] || "$kafka" stop "$folder/kafka" KILL
    rm -rf "$folder"
}

await() { # WHAT COMMAND...
    local end=$((SECONDS + AWAIT_SECONDS)) what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { fault "$what did not come" && return 1; }
        sleep 0.1
    done
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        :
    done
    echo "$port"
}

start() { # LOG COMMAND...
    "${@:2}" >"$folder/$1.log" 2>&1 &
    pids+=($!)
}

# Kafka with the topics that the pages name, the sandbox for its gateway, and a connector for each
# group that the pages ask about; the one of the default port has functions to pause.
start_all() {
    local group
    KAFKA_SETTINGS=auto.create.topics.enable=true "$kafka" start "$folder/kafka" || exit 1
    broker=127.0.0.1:$(<"$folder/kafka/port")
    gateway=127.0.0.1:$(free_port) admin=127.0.0.1:$(free_port) mine=127.0.0.1:$(free_port)
    start sandbox build/sandbox --listen "$gateway"
    await "the gateway" curl -fs "http://$gateway/system/functions" || return 1
    for topic in faas-request orders returns fibo-public; do
        build/producer -broker "$broker" -topic "$topic" >/dev/null || fault "no record to $topic"
    done
    for group in orders returns; do
        broker_host=$broker gateway_url=http://$gateway topics=$group group=$group \
            initial_offset=earliest admin_listen=none start "$group" build/kafka-connector
        await "a commit of group $group" grouped "$group" || return 1
    done
    echo secret >"$folder/token"
    broker_host=$broker gateway_url=http://$gateway topics=faas-request group=paused \
        admin_listen=$admin admin_token_file=$folder/token start paused build/kafka-connector
    await "the connector" curl -fs "http://$admin/ready"
}

grouped() { # GROUP
    build/kafka-connector lag --broker_host="$broker" --group="$1" --json | grep -q "$1"
}

# ---- one command ----

# The pages' addresses become ours. What stays gets an admin port of its own.
here() { # COMMAND ADMIN
    sed -e "s|kafka:9092|$broker|g; s|127.0.0.1:PORT|$broker|g; s|broker_host=kafka\b|broker_host=$broker|g" \
        -e "s|gateway:8080|$gateway|g; s|127.0.0.1:8080|$gateway|g; s|slimfaas:30021|$gateway|g" \
        -e "s|HOST:8081|$admin|g; s|admin_listen=:8082|admin_listen=$2|g" \
        -e "s|make install|make install DESTDIR=$folder/root|g" <<<"$1"
}

# What the README exports before, and the token it speaks of. What builds or tests does so in the
# tree; the rest leaves its files in a folder that goes.
environment() { # -> environment
    environment=(env TOKEN=secret PATH="$PWD/build:$PATH" admin_listen="$mine"
        broker_host="$broker" gateway_url="http://$gateway" topics=faas-request)
}

place() { # COMMAND
    [[ $1 =~ ^(make|\./build\.sh|\.ci/run|FILTER=) ]] && echo . || echo "$folder/work"
}

run_it() { # COMMAND
    local said
    said=$("${environment[@]}" timeout $RUN_SECONDS bash -c "cd $(place "$1") && $(here "$1" "$mine")" 2>&1) ||
        { fault "$1" && tail -n 5 <<<"$said" >&2 && return; }
    echo "ok      $1"
}

ended() { # PID of a child: gone, or only its status is left
    ! kill -0 "$1" || grep -q '^State:.Z' "/proc/$1/status"
}

stay_it() { # COMMAND
    local pid
    "${environment[@]}" bash -c "cd $folder/work && exec env $(here "$1" "$mine")" >"$folder/stays.log" 2>&1 &
    pid=$!
    pids+=("$pid")
    if await "/ready of $1" curl -fs "http://$mine/ready" && kill -TERM "$pid" &&
        await "the end of $1" ended "$pid" && wait "$pid"; then
        echo "ok      $1"
    else
        fault "$1" && tail -n 5 "$folder/stays.log" >&2
    fi
}

compare_with_table
if ! reason=$("$kafka" available); then
    [ "${REQUIRE_KAFKA:-}" = 1 ] && echo "ERROR: the docs' commands cannot be tried: $reason" >&2 && exit 1
    echo "SKIPPED: the docs' commands ($reason)" >&2
    exit $failed
fi
folder=$(mktemp -d)
mkdir "$folder/work" && ln -s "$PWD/build" "$folder/work/build"
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start_all || exit 1
environment
while read -r kind command; do
    case $kind in
    runs) run_it "$command" ;;
    stays) stay_it "$command" ;;
    step) echo "step    $command" ;;
    away) echo "away    $command" ;;
    esac
done < <(grep -v '^#' "$table")
exit $failed
