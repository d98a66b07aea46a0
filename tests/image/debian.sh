#!/usr/bin/env bash
# debian.sh [SUITE]: the build, without a warning, and the unit and mock tests in another Debian than
# this machine's: SUITE (trixie, 13), in a chroot made by debootstrap. It needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

suite=${1:-trixie}
. tests/check/tree.sh
need debootstrap
tar=$(tests/image/base.sh "$suite")
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
tar -C "$root" -xf "$tar"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir "$root/src"
files | tar -c -T - | tar -C "$root/src" -x
cat >"$root/src/in-debian.sh" <<'END'
set -e
mount -t tmpfs tmpfs /dev/shm # Criterion's
mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts # a test's terminal
ln -sf pts/ptmx /dev/ptmx
cd /src
./build.sh install unit >/install.log 2>&1 || { tail -n 20 /install.log; exit 1; }
make -s -j"$(nproc)" CI=1 all
[ -n "${BUILD_ONLY:-}" ] || make -s CI=1 test
END
# its own processes and mounts, which end with it
unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" chroot "$root" \
    env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 BUILD_ONLY="${BUILD_ONLY:-}" bash /src/in-debian.sh
