# shellcheck shell=bash disable=SC2034,SC2154 # names of build.sh
# The demo of scale mode; build.sh reads this, and has what is called here. A spike and a backlog go
# to a topic whose consumers take some 17 records a second each. KEDA's part is played here: it asks the
# scaler once a second, and starts and ends consumers as its autoscaler would.

TOPIC=orders GROUP=orders-consumers PARTITIONS=3
THRESHOLD=50 SUSTAIN=5 STABILIZE=5
SCALE_SECONDS=180
consumers=() told=''

# A twentieth of a second for a record, and a consumer has one at a time.
scale_functions() {
    echo "slow $TOPIC sleep 0.05" >"$folder/functions"
    FUNCTIONS=$folder/functions
}

start_scaler() {
    local verdict='s/^[^ ]+ [^ ]+ demo\/[^:]*: /    the scaler: /p'
    keep_log scaler sed -unE "$verdict"
    start env KAFKA_BROKERS="$bootstrap" SAMPLING_INTERVAL=1 grpc_listen="127.0.0.1:$SCALER_PORT" \
        admin_listen="127.0.0.1:$ADMIN_PORT" build/kafka-connector scale >"$folder/scaler.pipe" 2>&1
    connector=$!
    await "$START_SECONDS" "$connector" listening "$SCALER_PORT" || fail "the scaler did not start"
}

# ---- KEDA's part ----

ask_scaler() {
    build/kafka-connector ask --scaler="127.0.0.1:$SCALER_PORT" --namespace=demo --name="$TOPIC" \
        --metadata topic="$TOPIC" --metadata consumerGroup="$GROUP" \
        --metadata lagThreshold="$THRESHOLD" --metadata sustainSeconds="$SUSTAIN" \
        --metadata samplingInterval=1 --metadata scaleUpStabilization="$STABILIZE" \
        --metadata scaleDownStabilization="$STABILIZE"
}

add_consumer() {
    start env broker_host="$bootstrap" gateway_url="http://127.0.0.1:$GATEWAY_PORT" topics="$TOPIC" \
        group="$GROUP" initial_offset=earliest max_inflight=1 partition_window=5 admin_listen=none \
        build/kafka-connector invoke >>"$folder/consumers.log" 2>&1
    consumers+=($!)
}

end_consumer() {
    local last=$((${#consumers[@]} - 1))
    kill -TERM "${consumers[last]}"
    unset "consumers[last]"
}

scale_to() { # REPLICAS
    while [ ${#consumers[@]} -lt "$1" ]; do
        add_consumer
    done
    while [ ${#consumers[@]} -gt "$1" ]; do
        end_consumer
    done
}

# minReplicaCount 1, maxReplicaCount as many as there are partitions.
keda_once() {
    local answer replicas=1
    answer=$(ask_scaler) || true # no answer: what is there stays
    [[ $answer != active=true* ]] || replicas=${answer##*replicas=}
    [ "$replicas" -ge 1 ] || replicas=1
    [ "$replicas" -le "$PARTITIONS" ] || replicas=$PARTITIONS
    [[ $answer == active=* ]] || replicas=${#consumers[@]}
    [ "$answer" = "$told" ] || echo "    KEDA hears $answer: $replicas consumer(s)"
    told=$answer
    scale_to "$replicas"
}

keda_until() { # WHAT COMMAND...
    local end=$((SECONDS + SCALE_SECONDS))
    until "${@:2}"; do
        [ $SECONDS -lt $end ] || fail_of "$1"
        live "$sandbox" "$connector" || fail_of "$1"
        keda_once
        sleep 1
    done
}

# ---- what is waited for ----

has_consumers() { # COUNT
    [ ${#consumers[@]} -eq "$1" ]
}

is_idle() {
    [[ $told == active=false* ]]
}

said() { # STATE
    grep -q "demo/$TOPIC .*: $1:" "$folder/scaler.log"
}

# By the scaler's metrics.
lag_is_gone() {
    exec 3<>"/dev/tcp/127.0.0.1/$ADMIN_PORT"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    awk '/^kafka_consumergroup_lag\{/ {count++; lag += $NF} END {exit !count || lag > 0}' <&3
}

write() { # RECORDS [OPTION...]
    build/producer -broker "$bootstrap" -topic "$TOPIC" -messages="$1" "${@:2}" \
        >"$folder/producer.log" 2>&1
}

show_scale() {
    echo "== 1. idle: a consumer, and no records; a partition without a commit counts 1, as KEDA counts it"
    keda_until "the group did not begin" said calm
    echo "== 2. a spike of 90 records: over the threshold, $THRESHOLD, for less than $SUSTAIN s"
    write 90 -key=spike || fail_of "the producer could not send"
    keda_until "the spike was not consumed" lag_is_gone
    ! said sustained || fail_of "the spike was scaled for"
    echo "== it was consumed, and nothing was scaled for it"
    echo "== 3. a backlog: 40 records a second, and a consumer takes fewer than 20"
    write 1200 -keys=1000 -throughput 40 &
    keda_until "the backlog was not scaled for" has_consumers "$PARTITIONS"
    echo "== it lasted, and was scaled for"
    keda_until "the backlog was not consumed" lag_is_gone
    echo "== 4. consumed; what was needed is kept for $STABILIZE s, and then given back"
    keda_until "nothing was scaled down" has_consumers 1
    keda_until "it did not become idle" is_idle
    echo "== idle again, with one consumer"
}

demo_scale() {
    scale_functions
    start_sandbox --partitions "$PARTITIONS"
    echo "== Kafka at $bootstrap, the scaler's port is $SCALER_PORT"
    start_scaler
    scale_to 1
    show_scale
}

tell_next_scale() {
    cat <<TEXT

== The demo runs, and KEDA's part is played on: http://127.0.0.1:$ADMIN_PORT/ shows it in a browser. In another terminal, from this folder:

  build/producer -broker $bootstrap -topic $TOPIC -keys=1000 -messages=1000
  build/kafka-connector ask --scaler=127.0.0.1:$SCALER_PORT --metadata topic=$TOPIC --metadata consumerGroup=$GROUP --metadata lagThreshold=$THRESHOLD --metadata sustainSeconds=$SUSTAIN
  curl http://127.0.0.1:$ADMIN_PORT/status
  curl http://127.0.0.1:$ADMIN_PORT/metrics

Ctrl-C ends it.
TEXT
}

play_on() {
    while live "$sandbox" "$connector"; do
        keda_once
        sleep 1
    done
}
