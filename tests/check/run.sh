#!/usr/bin/env bash
# make check: every check, or those named, a line each: ok, or what failed. Exit 1 when one did.
# A check that exits 77 could not be made here.
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -gt 0 ] || set -- format headers layers lengths banned registries docs dashboards tidy
failed=0
for check in "$@"; do
    [ "$check" != tidy ] || [ ! -t 1 ] || echo "...     tidy takes about a minute"
    said=$("tests/check/$check.sh" 2>&1)
    case $? in
    0) echo "ok      $check${said:+: $said}" ;;
    77) echo "SKIPPED $check${said:+: $said}" ;;
    *)
        printf 'FAILED  %s\n%s\n' "$check" "${said:-it said nothing}"
        failed=1
        ;;
    esac
done
exit $failed
