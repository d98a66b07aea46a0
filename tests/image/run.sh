#!/usr/bin/env bash
# make test-image: the Dockerfile is built without a Docker engine, by buildah on a base that
# debootstrap makes once, and what is in the image is run as it is meant to: as nobody, on a
# read-only root, without capabilities. TWICE=1 builds it a second time: it must be the same image.
# It needs root, and the packages of ./build.sh install image.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/check/tree.sh
for tool in buildah podman runc debootstrap; do need $tool; done
EPOCH=1700000000 BASE=localhost/debian:bookworm AWAIT_SECONDS=60
folder=$(mktemp -d)
store=(--storage-driver vfs --root "$folder/store" --runroot "$folder/run")
passed=0 running=

finish() {
    [ -z "$running" ] || podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs rm -f "$running" >/dev/null || true
    rm -rf --one-file-system "$folder"
}
trap finish EXIT

ok() { # WHAT
    passed=$((passed + 1))
    echo "ok      $1"
}

fail() { # WHAT
    echo "FAILED  $1" >&2
    exit 1
}

build_image() { # NAME
    buildah "${store[@]}" bud --isolation chroot --network host --timestamp $EPOCH --no-cache \
        --build-arg BASE=$BASE --build-arg SOURCE_DATE_EPOCH=$EPOCH --build-arg VERSION=test \
        -t "$1" . >"$folder/build.log" 2>&1 || { tail -n 30 "$folder/build.log" >&2 && fail "the build of the image"; }
    ok "the Dockerfile builds"
}

in_image() { # OPTION... IMAGE ARGUMENT...
    podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs run --network host --read-only \
        --cap-drop ALL --ulimit nofile=1024:1024 --ulimit nproc=1000:1000 "$@"
}

shell() { # SCRIPT
    in_image --rm --entrypoint /bin/sh kafka-connector -c "$1"
}

await() { # WHAT COMMAND...
    local end=$((SECONDS + AWAIT_SECONDS)) what=$1
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "$what did not come"
        sleep 0.2
    done
}

free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        :
    done
    echo "$port"
}

execute() { # ARGUMENT...: in the container that runs
    podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs exec "$running" "$@"
}

# The sandbox in a container, and in it the connector: checked, run, asked by the HEALTHCHECK.
try_sandbox() {
    local gateway admin brokers
    gateway=127.0.0.1:$(free_port) admin=127.0.0.1:$(free_port)
    running=$(in_image -d --tmpfs /tmp --env admin_listen="$admin" --env gateway_url="http://$gateway" \
        --entrypoint sandbox kafka-connector --listen "$gateway" --functions functions \
        --bootstrap_file /tmp/brokers)
    await "the sandbox" execute test -s /tmp/brokers
    brokers=$(execute cat /tmp/brokers)
    execute kafka-connector check --broker_host="$brokers" >/dev/null 2>&1 || fail "kafka-connector check"
    ok "kafka-connector check finds the sandbox's brokers and gateway"
    ! execute healthcheck 2>/dev/null || fail "the HEALTHCHECK sees what is not there"
    podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs exec -d "$running" sh -c \
        "exec kafka-connector --broker_host=$brokers --initial_offset=earliest >/tmp/log 2>&1" >/dev/null
    await "the HEALTHCHECK's yes" execute healthcheck
    ok "the HEALTHCHECK tells a connector that runs from one that does not"
    execute producer -broker="$brokers" -value=hello >/dev/null || fail "the producer"
    await "a function's answer" execute grep -q 'Response \[200\] from shout' /tmp/log
    ok "a record reaches a function"
}

tar=$(tests/image/base.sh bookworm)
podman "${store[@]}" import "$tar" $BASE >/dev/null 2>&1 || fail "the base"
build_image kafka-connector
[ "$(in_image --rm kafka-connector --version)" = "kafka-connector test" ] || fail "--version"
ok "kafka-connector --version"
[ "$(shell id)" = "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)" ] || fail "who it runs as"
[ -z "$(shell 'ldd /usr/local/bin/* 2>/dev/null | grep "not found"')" ] || fail "a library is missing"
ok "it runs as nobody, with every library it needs"
in_image --rm kafka-connector scale --help >/dev/null || fail "scale --help"
in_image --rm --entrypoint producer kafka-connector --help >/dev/null || fail "producer --help"
ok "scale and producer run"
try_sandbox
if [ "${TWICE:-}" = 1 ]; then
    build_image again
    [ "$(podman "${store[@]}" inspect -f '{{.RootFS.Layers}}' kafka-connector)" = \
        "$(podman "${store[@]}" inspect -f '{{.RootFS.Layers}}' again)" ] || fail "built twice it is two images"
    ok "built twice it is one image"
fi
base=$(podman "${store[@]}" inspect -f '{{.Size}}' $BASE) size=$(podman "${store[@]}" inspect -f '{{.Size}}' kafka-connector)
echo "image: $(((size - base) / 1000000)) MB on a base of $((base / 1000000)) MB, $(shell 'dpkg-query -W' | wc -l) packages"
echo "$passed passed, 0 failed"
