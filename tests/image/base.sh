#!/usr/bin/env bash
# base.sh SUITE: prints the path of a tar of Debian's SUITE (bookworm, trixie), which debootstrap
# makes the first time. It needs root. DEBIAN_MIRROR names another place than debootstrap's own.
set -euo pipefail
suite=$1
cache=${DEBIAN_CACHE:-$HOME/.cache/kafka-connector}
tar=$cache/debian-$suite.tar
mkdir -p "$cache"
exec 9>"$tar.lock"
flock 9
if [ ! -e "$tar" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf --one-file-system "$folder"' EXIT
    echo "making Debian $suite by debootstrap" >&2
    debootstrap --variant=minbase "$suite" "$folder/root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
        >"$cache/debian-$suite.log" 2>&1 ||
        { echo "base.sh: debootstrap failed, see $cache/debian-$suite.log" >&2 && exit 1; }
    rm -f "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*_*
    tar -C "$folder/root" -cf "$tar.new" .
    mv "$tar.new" "$tar"
fi
echo "$tar"
