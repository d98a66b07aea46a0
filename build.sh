#!/usr/bin/env bash
# kafka-connector: everything from a bare Debian 12 or 13 to a running demo, the tests or a Swarm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'END'
Usage: ./build.sh [COMMAND]

  (none)            build the image and deploy the Swarm stack of setup/swarm
  image             build the image alone, kafka-connector:latest or what IMAGE names
  deploy            deploy the stack alone
  demo [OPTION...]  build, run and show it on this machine: Kafka and the functions included
  demo watch [...]  the same of watch mode: a function sleeps until its group is behind
  demo scale [...]  the same of scale mode: a spike is left alone, a backlog scaled for
  test              build and run the unit, mock and Kafka tests
  packages SET...   print the Debian packages of sets: build, demo, unit, test, check,
                    fuzz, bench, run, image, manifests, prometheus, page
  install SET...    install those that are missing
  help              this text

Options of demo, or the environment variable of the same meaning:
  --gateway-port N  port of the demo's gateway       GATEWAY_PORT, 8080
  --admin-port N    port of the connector's /status  ADMIN_PORT, 8081
  --scaler-port N   port of the scaler (demo scale)  SCALER_PORT, 50051
  --functions PATH  file of the functions            FUNCTIONS, sandbox/functions
  --stay, --once    stay up, or end after the answers; without either it stays on a terminal

Packages are installed with apt-get, through sudo where needed, and only when some are missing.
What is built is in build/. demo leaves nothing else behind; test keeps Apache Kafka for the next
time, in ~/.cache/kafka-connector and ~/.m2.
END
}

die() {
    echo "build.sh: $*" >&2
    exit 1
}

# ---- packages: the one list of them ----

SETS='build, demo, unit, test, check, fuzz, bench, run, image, manifests, prometheus, page'

packages() { # SET
    case $1 in
    build) echo build-essential pkg-config git librdkafka-dev libcurl4-openssl-dev libcjson-dev \
        libuv1-dev libmicrohttpd-dev uthash-dev libgrpc-dev libprotobuf-c-dev protobuf-c-compiler ;;
    demo) echo "$(packages build) figlet" ;;
    unit) echo "$(packages build) libcriterion-dev curl openssl python3-grpcio python3-protobuf" ;;
    test) echo "$(packages unit) default-jre-headless maven" ;;
    check) echo "$(packages test) clang clang-format clang-tidy" ;;
    fuzz) echo "$(packages build) clang libclang-rt-dev" ;;
    bench) echo "$(packages build) default-jre-headless maven valgrind" ;;
    image) echo buildah podman runc debootstrap ;;
    manifests) echo "$(packages build) python3-venv shellcheck systemd openssl" ;;
    prometheus) echo prometheus ;; # not in test: it starts a service
    page) echo "$(packages build) chromium chromium-driver python3" ;;
    run) echo librdkafka1 libcurl4 libcjson1 libuv1 libmicrohttpd12 libgrpc29 libprotobuf-c1 \
        ca-certificates curl ;; # curl: the image's HEALTHCHECK
    esac
}

check_sets() { # SET...
    local set
    [ $# -gt 0 ] || usage_fault "which set of packages? $SETS"
    for set in "$@"; do
        [[ ", $SETS," == *", $set,"* ]] || usage_fault "no set of packages \"$set\"; there are $SETS"
    done
}

packages_of() { # SET...
    local set
    for set in "$@"; do
        packages "$set"
    done | xargs -n1 | sort -u
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "these packages are missing, and there is neither root nor sudo to install them: $missing"
    fi
}

install() {
    local package
    missing=
    command -v dpkg-query >/dev/null ||
        die "this is no Debian; install the like of these and run make:" "$(packages_of "$@" | xargs)"
    for package in $(packages_of "$@"); do
        installed "$package" || missing+=" $package"
    done
    [ -n "$missing" ] || return 0
    echo "== installing$missing"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

build() {
    echo "== building"
    make --no-print-directory -s -j"$(nproc)" "$1"
}

# ---- demo ----

GATEWAY_PORT=${GATEWAY_PORT:-8080} ADMIN_PORT=${ADMIN_PORT:-8081} SCALER_PORT=${SCALER_PORT:-50051}
FUNCTIONS=${FUNCTIONS:-sandbox/functions}
START_SECONDS=20 ANSWER_SECONDS=60 STOP_SECONDS=10
stay=auto folder='' pids=()

demo_options() {
    mode=invoke
    [[ ${1-} != watch && ${1-} != scale ]] || { mode=$1 && shift; }
    while [ $# -gt 0 ]; do
        case $1 in
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --stay) stay=yes && shift && continue ;;
        --once) stay=no && shift && continue ;;
        --gateway-port) GATEWAY_PORT=${2-} ;;
        --admin-port) ADMIN_PORT=${2-} ;;
        --scaler-port) SCALER_PORT=${2-} ;;
        --functions) FUNCTIONS=${2-} ;;
        *) usage_fault "demo has no option $1" ;;
        esac
        [ $# -ge 2 ] || usage_fault "$1 needs a value"
        shift 2
    done
    check_port --gateway-port "$GATEWAY_PORT"
    check_port --admin-port "$ADMIN_PORT"
    check_port --scaler-port "$SCALER_PORT"
    [ "$GATEWAY_PORT" -ne "$ADMIN_PORT" ] ||
        usage_fault "--gateway-port and --admin-port must be two ports"
    [ -r "$FUNCTIONS" ] || usage_fault "--functions: cannot read \"$FUNCTIONS\""
    [ -n "$(functions)" ] || die "nothing can be shown: there is no function in $FUNCTIONS"
    [ "$stay" != auto ] || { [ -t 0 ] && [ -t 1 ] && stay=yes; } || stay=no
}

usage_fault() {
    echo "build.sh: $*; ./build.sh help lists what there is" >&2
    exit 2
}

check_port() { # OPTION PORT
    [[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge 1 ] && [ "$2" -le 65535 ] ||
        usage_fault "$1 \"$2\" is no port"
}

listening() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

refuse_taken_port() { # OPTION PORT
    ! listening "$2" ||
        die "port $2 of 127.0.0.1 is taken; choose another: ./build.sh demo $1 N"
}

live() { # PID...
    local pid
    for pid in "$@"; do
        kill -0 "$pid" 2>/dev/null || return 1
    done
}

# Waits for a command to succeed while processes live.
await() { # SECONDS "PID..." COMMAND...
    local end=$((SECONDS + $1)) pids
    read -ra pids <<<"$2"
    shift 2
    until "$@"; do
        [ $SECONDS -lt $end ] && live "${pids[@]}" || return 1
        sleep 0.1
    done
}

# In a session of its own, so that Ctrl-C is ours alone to pass on (to the connector a second signal
# means "at once"), and ended with us even if we are killed.
start() { # COMMAND...
    setsid setpriv --pdeathsig TERM -- "$@" &
    pids+=($!)
}

# Ends what the demo started, the last first, and nothing else.
stop_all() {
    local pid i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        pid=${pids[i]}
        kill -TERM "$pid" 2>/dev/null || continue
        await "$STOP_SECONDS" "$pid" false || true
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    pids=()
    [ -z "$folder" ] || rm -rf "$folder"
}

show_logs() {
    local log
    for log in "$folder"/*.log; do
        echo "---- ${log##*/}" >&2
        tail -n 40 "$log" >&2
    done
}

fail() {
    show_logs
    die "$*"
}

# What did not happen, or whose end is the reason.
fail_of() { # WHAT
    live "$sandbox" || fail "the sandbox ended"
    live "$connector" || fail "the connector ended"
    fail "$1"
}

# What a process writes into the pipe goes to a file and, through a filter, to the terminal. Both
# end with the process, by the end of the pipe.
keep_log() { # NAME FILTER...
    mkfifo "$folder/$1.pipe"
    (trap '' INT TERM && tee "$folder/$1.log" <"$folder/$1.pipe" | "${@:2}") &
    pids+=($!)
}

# The terminal gets the sandbox's warnings and what its programs write to stderr.
warnings='/^[0-9/]{10} [0-9:]{8} /{/ (WARNING|ERROR): /!d}; s/^/sandbox: /'

start_sandbox() { # OPTION...
    keep_log sandbox sed -uE "$warnings"
    start build/sandbox --listen "127.0.0.1:$GATEWAY_PORT" --functions "$FUNCTIONS" \
        --bootstrap-file "$folder/bootstrap" "$@" >/dev/null 2>"$folder/sandbox.pipe"
    sandbox=$!
    await "$START_SECONDS" "$sandbox" test -s "$folder/bootstrap" ||
        fail "the sandbox did not start"
    bootstrap=$(<"$folder/bootstrap")
}

# initial_offset=earliest: the brokers are new, so every record in them is the demo's own.
start_connector() {
    keep_log connector cat
    start env broker_host="$bootstrap" gateway_url="http://127.0.0.1:$GATEWAY_PORT" \
        print_response=true group=demo initial_offset=earliest \
        admin_listen="127.0.0.1:$ADMIN_PORT" build/kafka-connector >"$folder/connector.pipe" 2>&1
    connector=$!
    await "$START_SECONDS" "$connector" listening "$ADMIN_PORT" ||
        fail "the connector did not start"
}

# "name topic" of each function, its first topic.
functions() {
    awk '$1 !~ /^#/ && NF >= 3 {split($2, topics, ","); print $1, topics[1]}' "$FUNCTIONS"
}

send() { # TOPIC
    build/producer -broker "$bootstrap" -topic "$1" -value "Test the function." \
        >"$folder/producer.log" 2>&1 || fail_of "the producer could not send to $1"
}

answered() { # FUNCTION
    grep -Eq "Response \[[0-9]+\] from $1( |\$)" "$folder/connector.log"
}

# One topic after another, faas-request with figlet's letters last.
invoke_all() {
    local name topic joining="; the connector joins its group, which takes 3 s"
    for topic in $(functions | cut -d' ' -f2 | sort -ru); do
        echo "== a record to $topic$joining"
        joining=
        send "$topic"
        for name in $(functions | awk -v topic="$topic" '$2 == topic {print $1}'); do
            await "$ANSWER_SECONDS" "$sandbox $connector" answered "$name" ||
                fail_of "no answer of $name came"
        done
    done
}

# ---- demo of watch mode ----

COOLDOWN_SECONDS=3 KEEP_ALIVE_SECONDS=6

start_watch() { # FUNCTION TOPIC
    keep_log watch cat
    start env Kafka__BootstrapServers="$bootstrap" Kafka__CheckIntervalSeconds=1 \
        SlimFaas__BaseUrl="http://127.0.0.1:$GATEWAY_PORT" \
        SlimFaasKafka__Bindings__0__Topic="$2" SlimFaasKafka__Bindings__0__ConsumerGroupId=demo \
        SlimFaasKafka__Bindings__0__FunctionName="$1" \
        SlimFaasKafka__Bindings__0__CooldownSeconds="$COOLDOWN_SECONDS" \
        SlimFaasKafka__Bindings__0__ActivityKeepAliveSeconds="$KEEP_ALIVE_SECONDS" \
        admin_listen="127.0.0.1:$ADMIN_PORT" build/kafka-connector watch >"$folder/watch.pipe" 2>&1
    connector=$!
    await "$START_SECONDS" "$connector" listening "$ADMIN_PORT" || fail "the watch did not start"
}

# The function that was woken: a consumer of its group. Ours of invoke mode serves.
start_consumer() { # TOPIC
    keep_log consumer sed -u 's/^/    the function: /'
    start env broker_host="$bootstrap" gateway_url="http://127.0.0.1:$GATEWAY_PORT" topics="$1" \
        group=demo initial_offset=earliest admin_listen=none build/kafka-connector invoke \
        >"$folder/consumer.pipe" 2>&1
    consumer=$!
}

woken() { # TIMES REASON
    [ "$(grep -c "Wake-up of .*: $2 " "$folder/watch.log")" -ge "$1" ]
}

await_woken() { # TIMES REASON
    await "$ANSWER_SECONDS" "$sandbox $connector" woken "$@" || fail_of "no wake-up came ($2)"
}

show_watch() {
    local function topic
    read -r function topic < <(functions)
    start_watch "$function" "$topic"
    echo "== 3 records to $topic; its consumer, function $function, sleeps"
    build/producer -broker "$bootstrap" -topic "$topic" -messages=3 >"$folder/producer.log" 2>&1 ||
        fail_of "the producer could not send to $topic"
    await_woken 1 pending
    echo "== it was woken; while it does not consume, again every $COOLDOWN_SECONDS s, the cool-down"
    await_woken 2 pending
    echo "== now it consumes (the mock brokers' group needs 3 s to begin)"
    start_consumer "$topic"
    await "$ANSWER_SECONDS" "$sandbox $connector $consumer" \
        grep -qs "Response \[200\] from $function" "$folder/consumer.log" ||
        fail_of "nothing was consumed"
    await_woken 1 activity
    echo "== nothing waits, but it was active: it is kept awake for $KEEP_ALIVE_SECONDS s, then it may sleep"
    kill -TERM "$consumer"
    await "$ANSWER_SECONDS" "$sandbox $connector" idle || fail_of "it is kept awake for ever"
    echo "== no wake-up for $((2 * COOLDOWN_SECONDS)) s: it sleeps"
}

# The last wake-up is longer ago than two cool-downs.
idle() {
    local last
    last=$(grep 'Wake-up of ' "$folder/watch.log" | tail -n 1 | cut -c1-19)
    [ $(($(date +%s) - $(date -d "${last//\//-}" +%s))) -gt $((2 * COOLDOWN_SECONDS)) ]
}

tell_next_watch() {
    cat <<END

== The demo runs: http://127.0.0.1:$ADMIN_PORT/ shows it in a browser. In another terminal, from this folder:

  build/producer -broker $bootstrap -topic $(functions | head -n 1 | cut -d' ' -f2)
  curl http://127.0.0.1:$ADMIN_PORT/bindings
  curl http://127.0.0.1:$ADMIN_PORT/metrics

Ctrl-C ends it.
END
}

tell_next_invoke() {
    cat <<END

== The demo runs: http://127.0.0.1:$ADMIN_PORT/ shows it in a browser. In another terminal, from this folder:

  build/producer -broker $bootstrap -topic faas-request -value "hello world"
  build/producer -broker $bootstrap -topic faas-request -file -     # each line you type
  build/producer -broker $bootstrap -topic texts -messages=20
  curl http://127.0.0.1:$ADMIN_PORT/status
  \${EDITOR:-nano} $FUNCTIONS        # another program, topic or function: save it and send again

The first answer of a topic that is new takes about 15 s. Ctrl-C ends it.
END
}

tell_start() {
    echo "== Kafka at $bootstrap, gateway at http://127.0.0.1:$GATEWAY_PORT, functions of $FUNCTIONS"
}

demo_invoke() {
    start_sandbox
    tell_start
    start_connector
    invoke_all
}

demo_watch() {
    start_sandbox --asleep
    tell_start
    show_watch
}

demo() {
    demo_options "$@"
    install demo
    refuse_taken_port --gateway-port "$GATEWAY_PORT"
    refuse_taken_port --admin-port "$ADMIN_PORT"
    [ "$mode" != scale ] || refuse_taken_port --scaler-port "$SCALER_PORT"
    build all
    trap stop_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    folder=$(mktemp -d)
    # shellcheck source=sandbox/demo_scale.sh
    [ "$mode" != scale ] || . sandbox/demo_scale.sh
    "demo_$mode"
    if [ "$stay" != yes ]; then
        echo "== Done; --stay keeps it up"
        return 0
    fi
    "tell_next_$mode"
    [ "$mode" != scale ] || play_on
    wait -n "$sandbox" "$connector" || true
    fail_of "the demo ended"
}

# ---- test, deploy ----

run_tests() {
    install test
    build tests
    make --no-print-directory test test-kafka
}

export IMAGE=${IMAGE:-kafka-connector:latest} # the stack's files name it

need_docker() {
    local hint="without Docker, try ./build.sh demo"
    command -v docker >/dev/null || die "the docker command is missing; $hint"
    docker info >/dev/null 2>&1 || die "docker reaches no engine (docker info fails); $hint"
}

# The time of what is in it is the last commit's: the same tree on the same base is the same image.
image() {
    need_docker
    local epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null)}
    docker build -t "$IMAGE" ${BASE:+--build-arg BASE="$BASE"} \
        ${epoch:+--build-arg SOURCE_DATE_EPOCH="$epoch"} \
        --build-arg VERSION="$(git describe --tags --always --dirty 2>/dev/null || echo unknown)" .
}

need_swarm() {
    [ "$(docker info -f '{{.Swarm.LocalNodeState}}')" = active ] ||
        die "this engine is in no Swarm: docker swarm init"
    [ "$(docker info -f '{{.Swarm.ControlAvailable}}')" = true ] ||
        die "this engine is a worker of its Swarm; deploy from a manager"
    docker network inspect func_functions >/dev/null 2>&1 ||
        die "there is no network func_functions: OpenFaaS' stack makes it; without OpenFaaS," \
            "docker network create -d overlay --attachable func_functions"
}

has_secret() { # NAME
    docker secret inspect "$1" >/dev/null 2>&1
}

# OpenFaaS keeps its password in two secrets. Where they are the connector shows it, and has a token
# of its own for what an operator does by hand.
secrets_file() {
    if ! has_secret basic-auth-user || ! has_secret basic-auth-password; then
        echo "No secrets basic-auth-user and basic-auth-password: the gateway is asked without" >&2
        return
    fi
    has_secret kafka-connector-token ||
        head -c 24 /dev/urandom | base64 | docker secret create kafka-connector-token - >/dev/null
    echo setup/swarm/secrets.yml
}

deploy() {
    local secrets
    need_docker
    need_swarm
    secrets=$(secrets_file)
    docker stack deploy -c setup/swarm/docker-compose.yml ${secrets:+-c "$secrets"} kafka
    echo "Deployed. Watch it: docker service logs kafka_connector -f"
}

image_and_deploy() {
    need_docker
    need_swarm
    image
    deploy
}

case ${1-} in
'') image_and_deploy ;;
image) image ;;
deploy) deploy ;;
demo) demo "${@:2}" ;;
test) run_tests ;;
packages) check_sets "${@:2}" && packages_of "${@:2}" | xargs ;;
install) check_sets "${@:2}" && install "${@:2}" ;;
help | -h | --help) usage ;;
*) usage_fault "no command $1" ;;
esac
