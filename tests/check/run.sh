#!/usr/bin/env bash
# make check: every check, or those named, a line each: ok, or what failed. Exit 1 when one did.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -gt 0 ] || set -- format headers layers lengths banned registries docs tidy
failed=0
for check in "$@"; do
    if said=$("tests/check/$check.sh" 2>&1); then
        echo "ok      $check${said:+: $said}"
    else
        printf 'FAILED  %s\n%s\n' "$check" "${said:-it said nothing}"
        failed=1
    fi
done
exit $failed
