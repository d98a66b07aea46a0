#!/usr/bin/env bash
# A real Apache Kafka (KRaft) for tests: of one node, or of some.
#   kafka.sh available          can it be run here? If not, says what is missing
#   kafka.sh run   DIR [PORT]   in the foreground: the process becomes Java
#   kafka.sh start DIR [PORT]   in the background; returns when it serves
#   kafka.sh stop  DIR [SIGNAL] ends what `start` started; returns when it is gone
#   kafka.sh nodes DIR COUNT    prepares a cluster: its nodes are DIR/1 DIR/2 ..., each for `run`
#   kafka.sh classpath          where the jars are
#   kafka.sh tool  CLASS ARG... runs a command of Kafka's own, such as
#                               org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
# DIR keeps data, settings, log and, in DIR/port, the port: the same DIR again is a restart. Without
# PORT a free one is taken; PORT + 10000 is the controller's. KAFKA_HEAP is Java's memory (256m, 1g);
# KAFKA_SETTINGS are further lines of settings, KAFKA_LISTENERS further listeners, "NAME:PROTOCOL ...",
# each on a free port that lies in DIR/port.NAME, KAFKA_USERS "USER:PASSWORD ..." of SCRAM, both kinds.
# The jars are fetched once, by Maven, into
# ${KAFKA_CACHE:-$HOME/.cache/kafka-connector/kafka-VERSION}.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
cache=${KAFKA_CACHE:-$HOME/.cache/kafka-connector/kafka-$version}
START_SECONDS=60 STOP_SECONDS=30

die() {
    echo "kafka.sh: $*" >&2
    exit 1
}

# What is there is what the pom of now asks for.
complete() {
    cmp -s "$here/pom.xml" "$cache/pom.xml"
}

available() {
    local missing=()
    command -v java >/dev/null || missing+=("Java 17")
    complete || command -v mvn >/dev/null || missing+=("Maven")
    [ ${#missing[@]} -eq 0 ] && return 0
    (IFS=,; echo "missing: ${missing[*]}")
    return 1
}

# Several may ask for the jars at once: one fetches, the others wait.
fetch() {
    complete && return 0
    mkdir -p "$cache"
    (
        flock 9
        complete && exit 0
        echo "fetching Apache Kafka $version into $cache" >&2
        mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$cache/libs" >"$cache/mvn.log" 2>&1 || die "see $cache/mvn.log"
        cp "$here/pom.xml" "$cache/pom.xml"
    ) 9>"$cache/lock"
}

# What makes a test's broker quick: no optimising compiler, one small heap.
java_command() {
    java=(java -Xms"${KAFKA_HEAP:-256m}" -Xmx"${KAFKA_HEAP:-1g}" -XX:+UseSerialGC
        -XX:TieredStopAtLevel=1 -cp "$cache/libs/*"
        -Dorg.slf4j.simpleLogger.defaultLogLevel="$1" -Dorg.slf4j.simpleLogger.showDateTime=true)
}

tool() {
    java_command warn
    "${java[@]}" "$@"
}

listening() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Both ports lie below 32768, where no outgoing connection gets its port from.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((10000 + RANDOM % 12000))
        listening "$port" || listening $((port + 10000)) || { echo "$port" && return; }
    done
    die "no free port found"
}

# Prints NAME PROTOCOL PORT of each further listener.
further_listeners() { # DIR
    local word name port
    for word in ${KAFKA_LISTENERS:-}; do
        name=${word%%:*}
        until [ -s "$1/port.$name" ]; do
            port=$(free_port)
            grep -qxsF "$port" "$1"/port* || echo "$port" >"$1/port.$name"
        done
        echo "$name ${word#*:} $(cat "$1/port.$name")"
    done
}

listener_settings() { # DIR PORT
    local name protocol port addresses="PLAINTEXT://127.0.0.1:$2"
    local protocols=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
    while read -r name protocol port; do
        addresses+=",$name://127.0.0.1:$port"
        protocols+=",$name:$protocol"
    done < <(further_listeners "$1")
    cat <<END
listeners=$addresses,CONTROLLER://127.0.0.1:$(($2 + 10000))
advertised.listeners=$addresses
listener.security.protocol.map=$protocols
END
}

# A broker that was killed is let in again only when its old session has ended: make that soon.
# Whatever has no access rule is everybody's.
settings() { # DIR PORT
    listener_settings "$1" "$2"
    cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$(($2 + 10000))
controller.listener.names=CONTROLLER
log.dirs=$1/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
END
}

# Of a node of a cluster, over the ones above: all is there three times, two must have it before it
# is acknowledged, one that lags or is away is known for that in seconds, and leaders go back to
# where they belong. Access is free: nodes would refuse one another until they know the rules.
node_settings() { # NODE VOTERS
    cat <<END
node.id=$1
controller.quorum.voters=$2
authorizer.class.name=
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
broker.session.timeout.ms=3000
replica.lag.time.max.ms=3000
replica.fetch.wait.max.ms=100
controlled.shutdown.retry.backoff.ms=500
auto.leader.rebalance.enable=true
leader.imbalance.check.interval.seconds=5
leader.imbalance.per.broker.percentage=0
log.cleaner.backoff.ms=500
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
END
}

new_id() {
    tool kafka.tools.StorageTool random-uuid | tail -1
}

format() { # DIR ID
    local word kind users=()
    for word in ${KAFKA_USERS:-}; do
        for kind in SCRAM-SHA-256 SCRAM-SHA-512; do
            users+=(--add-scram "$kind=[name=${word%%:*},password=${word#*:}]")
        done
    done
    tool kafka.tools.StorageTool format -t "$2" -c "$1/server.properties" "${users[@]}" \
        >"$1/format.log" 2>&1 || die "see $1/format.log"
}

prepare() { # DIR [PORT]
    available >&2 || exit 1
    fetch
    mkdir -p "$1"
    [ -s "$1/port" ] || echo "${2:-$(free_port)}" >"$1/port"
    [ ! -s "$1/node" ] || return 0
    { settings "$1" "$(cat "$1/port")" && echo "${KAFKA_SETTINGS:-}"; } >"$1/server.properties"
    [ -d "$1/data" ] || format "$1" "$(new_id)"
}

nodes() { # DIR COUNT
    local node id voters=
    available >&2 || exit 1
    fetch
    for ((node = 1; node <= $2; node++)); do
        mkdir -p "$1/$node"
        free_port >"$1/$node/port"
        voters+=${voters:+,}$node@127.0.0.1:$(($(cat "$1/$node/port") + 10000))
    done
    id=$(new_id)
    for ((node = 1; node <= $2; node++)); do
        echo "$node" >"$1/$node/node"
        {
            settings "$1/$node" "$(cat "$1/$node/port")" | grep -v '^node.id=\|^controller.quorum'
            node_settings "$node" "$voters"
        } >"$1/$node/server.properties"
        format "$1/$node" "$id"
    done
}

run() { # DIR [PORT]; exec, so that the pid its starter knows is Java's
    prepare "$@"
    java_command info
    exec "${java[@]}" kafka.Kafka "$1/server.properties"
}

start() { # DIR [PORT]
    local pid deadline=$((SECONDS + START_SECONDS))
    prepare "$@"
    run "$1" >"$1/server.log" 2>&1 &
    pid=$!
    echo "$pid" >"$1/pid"
    until grep -qs 'Kafka Server started' "$1/server.log"; do
        kill -0 "$pid" 2>/dev/null || die "it ended: see $1/server.log"
        [ $SECONDS -lt $deadline ] || die "not ready after ${START_SECONDS}s: see $1/server.log"
        sleep 0.1
    done
}

stop() { # DIR [SIGNAL]
    local pid
    pid=$(cat "$1/pid")
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
    timeout "$STOP_SECONDS" tail --pid="$pid" -s 0.1 -f /dev/null || kill -s KILL "$pid"
}

[ $# -gt 0 ] || set -- help
case $1-$# in
available-1) available ;;
run-[23] | start-[23] | stop-[23] | nodes-3) "$@" ;;
tool-*) fetch && "$@" ;;
classpath-1) fetch && echo "$cache/libs/*" ;;
*)
    sed -n '2,17s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
